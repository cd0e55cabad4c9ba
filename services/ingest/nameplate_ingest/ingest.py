"""A folder of DICOM files to images, exam records and a ledger."""

import logging
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate.image.volume import write_nifti
from nameplate.records import to_jsonl
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate.whole import user_may_write, whole_file
from nameplate_ingest.manufacturer import normalise
from nameplate_ingest.pseudonym import Pseudonyms
from nameplate_ingest.scan import RefusedFile, list_files, scan_files
from nameplate_ingest.slice import Slice
from nameplate_ingest.study import ingest_study

logger = logging.getLogger(__name__)

_CHUNK = 256


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """The outcome of a run."""

    files: int
    """Files that belong to this shard."""
    studies: int
    exams: int
    series: int
    refusals: tuple[tuple[str, int], ...]
    """Refused ledger rows by rule, in alphabetical order."""


@dataclass(frozen=True, slots=True)
class _Work:
    """One study for one worker."""

    slices: tuple[Slice, ...]
    listed: frozenset[str]


def ingest_folder(
    source: Path,
    out: Path,
    settings: IngestSettings,
    *,
    key: bytes,
    manufacturers: Mapping[str, str] | None = None,
    shard: tuple[int, int] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> IngestSummary:
    """Convert one series of every study below ``source`` and account for every file.

    Writes out/images/<exam>.nii.gz, out/exams.jsonl and out/ledger.jsonl, each under a temporary name
    until it is whole. ``key`` is for the pseudonyms; ``manufacturers`` is by StudyInstanceUID or by the
    name of a folder above the study; ``shard`` (i, n) takes only the studies whose pseudonym falls in part
    i of n (files outside any study fall in part 0). ``progress`` gets the number of studies done and of
    all. The same files give the same bytes, whatever their names, folders or the number of workers. Raises
    UserError for a folder that is missing or empty.
    """
    if not source.is_dir():
        raise UserError("the source: no such folder")
    if shard is not None and not 0 <= shard[0] < shard[1]:
        raise UserError(f"shard: expected (i, n) with 0 <= i < n, got {shard}")
    listing = list_files(source, out)
    if not listing.paths and not listing.closed:
        raise UserError("the source: the folder holds no files")
    images = out / "images"
    try:
        images.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error
    pseudonyms = Pseudonyms(key)
    with _pool(workers) as pool:
        studies, strays = _scan(listing.paths, pseudonyms, shard, pool)
        files = sum(map(len, studies.values())) + sum(strays.values())
        if listing.closed and (shard is None or shard[0] == 0):
            stray = RefusedFile(pseudonyms.of("f", "folder"), "unreadable", "a folder cannot be listed")
            strays[stray] += listing.closed
        listed = _listed_manufacturers(studies, source, manufacturers or {})
        work = [_Work(tuple(studies[uid]), listed.get(uid, frozenset())) for uid in sorted(studies)]
        exams: list[Exam] = []
        rows = [_stray_row(stray, count) for stray, count in strays.items()]
        convert = partial(_convert, settings=settings, pseudonyms=pseudonyms, images=images)
        done = pool.map(convert, work, chunksize=1) if pool else map(convert, work)
        for number, (exam, ledger) in enumerate(done, start=1):
            exams += [exam] if exam else []
            rows += ledger
            if progress:
                progress(number, len(work))
    exams.sort(key=lambda exam: exam.exam)
    rows.sort(key=lambda row: (row.exam or "~", row.item == "file", row.id, row.rule, row.seen))
    _write(out / "ledger.jsonl", to_jsonl(rows))
    _write(out / "exams.jsonl", to_jsonl(exams))
    refusals = Counter(row.rule for row in rows if row.verdict == "refused")
    return IngestSummary(
        files=files,
        studies=len(work),
        exams=len(exams),
        series=sum(row.item == "series" for row in rows),
        refusals=tuple(sorted(refusals.items())),
    )


@contextmanager
def _pool(workers: int) -> Iterator[Executor | None]:
    if workers <= 1:
        yield None
        return
    # Spawned, not forked: the caller may have threads, and then a fork can hang.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def _scan(
    paths: tuple[Path, ...], pseudonyms: Pseudonyms, shard: tuple[int, int] | None, pool: Executor | None
) -> tuple[dict[str, list[Slice]], Counter[RefusedFile]]:
    """The slices of each study, and the files outside any study with their counts."""
    chunks = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    scan = partial(_scan_chunk, pseudonyms=pseudonyms, shard=shard)
    studies: dict[str, list[Slice]] = defaultdict(list)
    strays: Counter[RefusedFile] = Counter()
    for items in pool.map(scan, chunks) if pool else map(scan, chunks):
        for item in items:
            if isinstance(item, Slice):
                studies[item.study].append(item)
            else:
                strays[item] += 1
    return studies, strays


def _scan_chunk(
    paths: tuple[Path, ...], pseudonyms: Pseudonyms, shard: tuple[int, int] | None
) -> list[Slice | RefusedFile]:
    return list(scan_files(paths, pseudonyms, shard))


def _listed_manufacturers(
    studies: Mapping[str, Iterable[Slice]], source: Path, manufacturers: Mapping[str, str]
) -> dict[str, frozenset[str]]:
    """The manufacturers that the user's list gives for each study, by its UID or a folder above it."""
    if not manufacturers:
        return {}
    table = {study.strip(): normalise(name) or name.strip() for study, name in manufacturers.items()}
    listed = {}
    for uid, slices in studies.items():
        names = {uid}.union(*(slice_.path.relative_to(source).parts for slice_ in slices))
        listed[uid] = frozenset(table[name] for name in names & table.keys() if table[name])
    return listed


def _convert(
    work: _Work, settings: IngestSettings, pseudonyms: Pseudonyms, images: Path
) -> tuple[Exam | None, tuple[LedgerRow, ...]]:
    """Ingest one study and write its image."""
    try:
        ingested = ingest_study(work.slices, settings, pseudonyms, work.listed)
    except Exception as error:
        # An unforeseen error costs one exam, not the run. Only its kind is reported: its text may contain
        # values of the patient.
        exam, kind = pseudonyms.of("e", work.slices[0].study), type(error).__name__
        logger.error("a study could not be ingested", extra={"exam": exam, "error": kind})
        return None, (_failed_row(work, exam, kind, pseudonyms),)
    if ingested.exam is not None and ingested.volume is not None:
        target = images / f"{ingested.exam.exam}.nii.gz"
        with user_may_write(images), whole_file(target) as partial:
            write_nifti(partial, ingested.volume)
    return ingested.exam, ingested.rows


def _failed_row(work: _Work, exam: str, kind: str, pseudonyms: Pseudonyms) -> LedgerRow:
    return LedgerRow(
        item="series",
        id=pseudonyms.of("s", work.slices[0].study),
        exam=exam,
        verdict="refused",
        rule="error",
        seen=kind,
        files=len(work.slices),
    )


def _stray_row(stray: RefusedFile, count: int) -> LedgerRow:
    return LedgerRow(
        item="file", id=stray.id, exam=None, verdict="refused", rule=stray.rule, seen=stray.seen, files=count
    )


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with user_may_write(path.parent), whole_file(path) as partial:
        partial.write_bytes(data)
