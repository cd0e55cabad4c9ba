"""A source of exams to images, exam records and a ledger."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate_ingest.conversion import Conversion, Work, conversion_of
from nameplate_ingest.fields.person import shared_by_several
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.order import outcomes_of
from nameplate_ingest.results.accounts import (
    Lines,
    lines_of,
    stray_line,
    unknown_masks_line,
    unused_line,
)
from nameplate_ingest.results.journal import Done, Journal, Outcome, run_of
from nameplate_ingest.results.output import Output
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.source import Source
from nameplate_ingest.tables import NO_TABLES, Tables
from nameplate_ingest.workers import Workers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class IngestSummary:
    """The outcome of a run."""

    files: int
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
    """Studies of the table of further columns that no file of the source is of."""
    targets: int | None = None
    """Exams with a mask of the user's that can be learned; None without masks."""
    unknown_masks: int = 0
    """Masks that are called after no study of the source."""


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
    masks: Path | None = None,
    **options: Any,
) -> IngestSummary:
    """``ingest_source`` for a folder of DICOM files; ``options`` are those of that function."""
    tables = Tables(manufacturers=manufacturers or {}, fields=fields or {}, masks=masks)
    return ingest_source(Folder(source, out), out, settings, key=key, tables=tables, **options)


def ingest_source(
    source: Source,
    out: Path,
    settings: IngestSettings,
    *,
    key: bytes,
    tables: Tables = NO_TABLES,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
    indexing: Callable[[int], None] | None = None,
    resumable: bool = False,
) -> IngestSummary:
    """Convert one series of every study of the source and account for every file.

    Writes out/images/<exam>.nii.gz, out/refused/<series>.png (a slice of each refused series that may be
    drawn), out/exams.jsonl, out/as-read.jsonl (what was measured in the scanner's own pixels) and
    out/ledger.jsonl; each has its place only when it is whole. With masks of the user's also
    out/targets/<exam>.nii.gz and out/targets.jsonl. ``key`` is for the pseudonyms. ``progress`` gets the
    number of studies done and of all, ``indexing`` the number of files read so far. The same files give the
    same bytes, whatever their names, folders, kind of source or the number of workers.

    With ``resumable`` a journal is kept in out/.ingest, and a later call with the same arguments does only
    the studies that are new, changed or not done yet; it ends in the same bytes.

    Raises UserError for a source that is missing or empty and for a folder that may not be written, TryAgain
    when the disk is full or the source does not answer.
    """
    source.check()
    output, pseudonyms = Output(out), Pseudonyms(key)
    reading = tables.reading(source.place, pseudonyms)
    conversion = conversion_of(reading, source, settings, output)
    journal = Journal(output, run_of(source.identity, settings, key)) if resumable else None
    if source.most_workers is not None:
        workers = min(workers, source.most_workers)
    with (
        journal.open() if journal else _scratch_of(output),
        Workers(workers if workers > 1 else 0, conversion) as pool,
    ):
        index = source.index(conversion, pool, indexing)
        run = Run(conversion, journal, with_masks=bool(reading.masks.by_name))
        return run.convert(index, pool, progress)


def ingest_listed(
    index: Index,
    source: Source,
    output: Output,
    settings: IngestSettings,
    *,
    key: bytes,
    with_masks: bool,
    done: Done | None = None,
) -> IngestSummary:
    """``ingest_source`` for studies that were listed before, perhaps by another process.

    What ``done`` remembers is not fetched.
    """
    conversion = conversion_of(Reading(source.place, Pseudonyms(key)), source, settings, output)
    with _scratch_of(output), Workers(0, conversion) as alone:
        return Run(conversion, done, with_masks=with_masks).convert(index, alone, None)


@contextmanager
def _scratch_of(output: Output) -> Iterator[None]:
    """The folder without a journal."""
    output.create()
    try:
        yield
    finally:
        output.close()


class Run:
    """The studies of one run on their way from the index to the output."""

    def __init__(self, conversion: Conversion, journal: Done | None, *, with_masks: bool) -> None:
        self._conversion = conversion
        self._journal = journal
        self._with_masks = with_masks
        self._output = conversion.output
        self._lines: dict[str, Lines] = {}
        """Of each study that is done, by its pseudonym."""
        self._people: list[_Told] = []
        self._refusals: Counter[str] = Counter()
        self._series = 0
        self._files = 0
        """In rows of the ledger, for a source that does not say how many a study has."""
        self._targets: set[str] = set()
        """Studies with a mask that can be learned."""

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
        for outcome in outcomes_of(todo, self._conversion, pool, self._journal):
            if self._journal is not None:
                self._journal.add(outcome)
            self._account(outcome)
            if progress:
                progress(len(self._lines), total)
        if index.unused:
            logger.warning("studies of the table are not in the folder", extra={"studies": index.unused})
        if index.unknown_masks:
            logger.warning("masks are of no study in the folder", extra={"masks": index.unknown_masks})
        self._write(index)
        return IngestSummary(
            files=index.files or self._files,
            studies=total,
            exams=sum(bool(lines.exam) for lines in self._lines.values()),
            series=self._series,
            refusals=tuple(sorted(self._refusals.items())),
            earlier=earlier,
            shared=self._shared(),
            unused=index.unused,
            targets=len(self._targets) if self._with_masks else None,
            unknown_masks=index.unknown_masks,
        )

    def _unused(self, index: Index) -> bytes:
        return unused_line(self._conversion.source.table_setting, index.unused)

    def _shared(self) -> int:
        shared = len(shared_by_several(self._people))
        if shared:
            logger.warning("patients whose exams cannot be of one person", extra={"patients": shared})
        return shared

    def _todo(self, index: Index) -> list[Work]:
        """The studies that are not done yet, the last one first; accounts for the others."""
        pseudonyms, works = self._conversion.pseudonyms, []
        for uid in sorted(index.studies, reverse=True):
            study, exam = index.studies.pop(uid), pseudonyms.of("e", uid)
            works.append(Work(uid, exam, study.digest(pseudonyms.key), study))
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

    def _account(self, outcome: Outcome) -> None:
        self._lines[outcome.study] = lines_of(outcome)
        if outcome.exam is not None:
            self._people.append(_Told(outcome.exam.patient, outcome.exam.sex, outcome.exam.age))
        self._refusals.update(row.rule for row in outcome.rows if row.verdict == "refused")
        self._files += sum(row.files for row in outcome.rows)
        self._series += sum(row.item == "series" for row in outcome.rows)
        if outcome.target is not None and outcome.target.usable:
            self._targets.add(outcome.study)

    def _write(self, index: Index) -> None:
        """Write the files of lines, ledger.jsonl among them; what is outside any study comes last."""
        ordered = sorted(index.strays, key=lambda stray: (stray.id, stray.rule, stray.seen))
        self._refusals.update(stray.rule for stray in ordered)
        studies = sorted(self._lines)
        of_studies = (self._lines[study].ledger for study in studies)
        of_strays = (stray_line(stray, index.strays[stray]) for stray in ordered)
        of_table = (self._unused(index),) if index.unused else ()
        of_masks = (unknown_masks_line(index.unknown_masks),) if index.unknown_masks else ()
        self._output.put_lines(self._output.ledger, chain(of_studies, of_strays, of_table, of_masks))
        self._output.put_lines(self._output.as_read, (self._lines[study].as_read for study in studies))
        self._output.put_lines(self._output.exams, (self._lines[study].exam for study in studies))
        if self._with_masks:
            self._output.put_lines(self._output.targets, (self._lines[study].target for study in studies))
        if self._journal is not None:
            exams = {study for study in studies if self._lines[study].exam}
            self._journal.finish(exams, self._targets, self._lines.keys())
