"""A folder of DICOM files to images, exam records and a ledger."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate.image.volume import nifti_bytes
from nameplate.steps.ingest import LedgerRow
from nameplate.steps.measured import as_record
from nameplate_ingest.fields.manufacturer import manufacturer_table
from nameplate_ingest.fields.person import shared_by_several
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.table import with_fields
from nameplate_ingest.folder.accounts import Lines, lines_of, stray_line, unused_line
from nameplate_ingest.folder.index import Index, Reading, Study, index_files, unpack
from nameplate_ingest.folder.journal import Journal, Outcome, run_of
from nameplate_ingest.folder.listing import files_of
from nameplate_ingest.folder.output import Output
from nameplate_ingest.study import ingest_study
from nameplate_ingest.workers import Died, Workers

logger = logging.getLogger(__name__)


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
    earlier: int = 0
    """Studies that an earlier run had already done."""
    shared: int = 0
    """Patients whose exams cannot be of one person: two sexes, or ages too far apart."""
    unused: int = 0
    """Studies of the table of further columns that no file of the folder is of."""


@dataclass(frozen=True, slots=True)
class _Conversion(Reading):
    """What reading and converting the studies needs to know."""

    settings: IngestSettings
    output: Output


@dataclass(frozen=True, slots=True)
class _Work:
    """One study for one worker."""

    uid: str
    exam: str
    digest: str
    study: Study


class _Told(NamedTuple):
    """What tells whether a patient's exams are of one person."""

    patient: str
    sex: str | None
    age: float | None


def ingest_folder(
    source: Path,
    out: Path,
    settings: IngestSettings,
    *,
    key: bytes,
    manufacturers: Mapping[str, str] | None = None,
    fields: Mapping[str, Mapping[str, str]] | None = None,
    shard: tuple[int, int] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    indexing: Callable[[int], None] | None = None,
    resumable: bool = False,
) -> IngestSummary:
    """Convert one series of every study below ``source`` and account for every file.

    Writes out/images/<exam>.nii.gz, out/refused/<series>.png (a slice of each refused series that may be
    drawn), out/exams.jsonl, out/as-read.jsonl (what was measured in the scanner's own pixels) and
    out/ledger.jsonl; each has its place only when it is whole. ``key`` is for the pseudonyms;
    ``manufacturers`` and ``fields`` (values by column, for the records) are by StudyInstanceUID or by the
    name of a folder above the study; ``shard`` (i, n) takes only the studies whose pseudonym falls in part i
    of n (files outside any study fall in part 0). ``progress`` gets the number of studies done and of all,
    ``indexing`` the number of files read so far. The same files give the same bytes, whatever their names,
    folders or the number of workers.

    With ``resumable`` a journal is kept in out/.ingest, and a later call with the same arguments does only
    the studies that are new, changed or not done yet; it ends in the same bytes.

    Raises UserError for a folder that is missing or empty and for one that may not be written, TryAgain
    when the disk is full.
    """
    entries = files_of(source, out)
    if shard is not None and not 0 <= shard[0] < shard[1]:
        raise UserError(f"shard: expected (i, n) with 0 <= i < n, got {shard}")
    place = source.absolute()
    output, pseudonyms = Output(out), Pseudonyms(key)
    journal = Journal(output, run_of(source, settings, key)) if resumable else None
    table = manufacturer_table(manufacturers or {})
    conversion = _Conversion(place, pseudonyms, shard, table, fields or {}, settings, output)
    with (
        journal.open() if journal else _scratch(output),
        Workers(workers if workers > 1 else 0, conversion) as pool,
    ):
        index = index_files(entries, conversion, pool, indexing)
        return _Run(conversion, journal).convert(index, pool, progress)


@contextmanager
def _scratch(output: Output) -> Iterator[None]:
    """The folder without a journal."""
    output.create()
    try:
        yield
    finally:
        output.close()


class _Run:
    """The studies of one run on their way from the index to the output."""

    def __init__(self, conversion: _Conversion, journal: Journal | None) -> None:
        self._conversion = conversion
        self._journal = journal
        self._output = conversion.output
        self._lines: dict[str, Lines] = {}
        """Of each study that is done, by its pseudonym."""
        self._people: list[_Told] = []
        self._refusals: Counter[str] = Counter()
        self._series = 0

    def convert(
        self, index: Index, pool: Workers, progress: Callable[[int, int], None] | None
    ) -> IngestSummary:
        """Convert the studies that are not done yet, and write the accounts of all."""
        total = len(index.studies)
        todo = self._todo(index)
        earlier = len(self._lines)
        if self._journal is not None and todo:
            self._output.remove_accounts()
        if progress and earlier:
            progress(earlier, total)
        for outcome in self._outcomes(todo, pool):
            if self._journal is not None:
                self._journal.add(outcome)
            self._account(outcome)
            if progress:
                progress(len(self._lines), total)
        if index.unused:
            logger.warning("studies of the table are not in the folder", extra={"studies": index.unused})
        self._write(index)
        return IngestSummary(
            files=index.files,
            studies=total,
            exams=sum(bool(lines.exam) for lines in self._lines.values()),
            series=self._series,
            refusals=tuple(sorted(self._refusals.items())),
            earlier=earlier,
            shared=self._shared(),
            unused=index.unused,
        )

    def _shared(self) -> int:
        shared = len(shared_by_several(self._people))
        if shared:
            logger.warning("patients whose exams cannot be of one person", extra={"patients": shared})
        return shared

    def _todo(self, index: Index) -> list[_Work]:
        """The studies that are not done yet, the last one first; accounts for the others."""
        pseudonyms, works = self._conversion.pseudonyms, []
        for uid in sorted(index.studies, reverse=True):
            study, exam = index.studies.pop(uid), pseudonyms.of("e", uid)
            works.append(_Work(uid, exam, study.digest(pseudonyms.key), study))
        if self._journal is None:
            return works
        if gone := self._journal.studies - {work.exam for work in works}:
            raise UserError(
                f"{self._output.folder}: holds {len(gone)} studies that are no longer in the source; "
                "choose another folder"
            )
        todo = []
        for work in works:
            if (outcome := self._journal.outcome(work.exam, work.digest)) is not None:
                self._account(outcome)
            else:
                todo.append(work)
        return todo

    def _outcomes(self, todo: list[_Work], pool: Workers) -> Iterator[Outcome]:
        """Convert the studies; each is forgotten when it is done."""
        journal = self._journal
        if journal is None or pool.count:
            yield from self._run(todo, pool)
            return
        # An earlier run ended inside one of these; it may have been the study's fault. In a process of its
        # own it cannot end this one.
        suspects = [work for work in todo if work.exam in journal.suspects]
        others = [work for work in todo if work.exam not in journal.suspects]
        todo.clear()
        yield from self._run(others, pool, lambda work: journal.start(work.exam))
        if suspects:
            with Workers(1, self._conversion) as apart:
                yield from self._run(suspects, apart)

    def _run(
        self, todo: list[_Work], pool: Workers, on_start: Callable[[_Work], None] | None = None
    ) -> Iterator[Outcome]:
        works = (todo.pop() for _ in range(len(todo)))
        for work, outcome in pool.run(_convert, works, on_start):
            if isinstance(outcome, Died):
                yield _failed(work, "the worker died", self._conversion.pseudonyms)
            else:
                yield outcome

    def _account(self, outcome: Outcome) -> None:
        self._lines[outcome.study] = lines_of(outcome)
        if outcome.exam is not None:
            self._people.append(_Told(outcome.exam.patient, outcome.exam.sex, outcome.exam.age))
        self._refusals.update(row.rule for row in outcome.rows if row.verdict == "refused")
        self._series += sum(row.item == "series" for row in outcome.rows)

    def _write(self, index: Index) -> None:
        """Write exams.jsonl, as-read.jsonl and ledger.jsonl; what is outside any study comes last."""
        ordered = sorted(index.strays, key=lambda stray: (stray.id, stray.rule, stray.seen))
        self._refusals.update(stray.rule for stray in ordered)
        studies = sorted(self._lines)
        of_studies = (self._lines[study].ledger for study in studies)
        of_strays = (stray_line(stray, index.strays[stray]) for stray in ordered)
        of_table = (unused_line(index.unused),) if index.unused else ()
        self._output.put_lines(self._output.ledger, chain(of_studies, of_strays, of_table))
        self._output.put_lines(self._output.as_read, (self._lines[study].as_read for study in studies))
        self._output.put_lines(self._output.exams, (self._lines[study].exam for study in studies))
        if self._journal is not None:
            self._output.keep_images({study for study in studies if self._lines[study].exam})
            self._journal.tidy(self._lines.keys())


def _convert(conversion: _Conversion, work: _Work) -> Outcome:
    """Ingest one study and write its image."""
    pseudonyms, output = conversion.pseudonyms, conversion.output
    try:
        slices = unpack(work.study.pieces)
        listed = work.study.listed
        ingested = ingest_study(slices, conversion.settings, pseudonyms, listed, draw=True, measure=True)
        data = None if ingested.volume is None else nifti_bytes(ingested.volume)
    except Exception as error:
        # An unforeseen error costs one exam, not the run. Only its kind is reported: its text may contain
        # values of the patient.
        kind = type(error).__name__
        logger.error("a study could not be ingested", extra={"exam": work.exam, "error": kind})
        return _failed(work, kind, pseudonyms)
    for name, picture in ingested.pictures:
        output.put(output.refused / f"{name}.png", picture)
    exam = with_fields(ingested.exam, work.study.told)
    image, as_read = None, None
    if ingested.exam is not None and ingested.as_read is not None:
        as_read = as_record(work.exam, "as read", ingested.as_read)
    if ingested.exam is not None and data is not None:
        output.put(output.folder / ingested.exam.image, data)
        image = hashlib.sha256(data).hexdigest()
    return Outcome(
        study=work.exam,
        digest=work.digest,
        image=image,
        exam=exam,
        as_read=as_read,
        rows=ingested.rows,
    )


def _failed(work: _Work, seen: str, pseudonyms: Pseudonyms) -> Outcome:
    """The outcome of a study that ended in an error."""
    row = LedgerRow(
        item="series",
        id=pseudonyms.of("s", work.uid),
        exam=work.exam,
        verdict="refused",
        rule="error",
        seen=seen,
        files=work.study.files,
    )
    return Outcome(study=work.exam, digest=work.digest, image=None, exam=None, as_read=None, rows=(row,))
