"""Volumes (NIfTI, NRRD, MetaImage) with a table that says whose they are and what made them."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.volumes import VolumesSource
from nameplate.errors import UserError
from nameplate.steps.ingest import LedgerRow
from nameplate.whole import user_may_write
from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.folder.listing import Obstacle, files_of
from nameplate_ingest.folder.masks import Claim
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.index import Index, Reading, Study, fingerprint, named_study, stray_of
from nameplate_ingest.sources.source import Source
from nameplate_ingest.sources.volume_exam import facts_of_row, series_of, slices_of
from nameplate_ingest.sources.volume_files import Match, matched
from nameplate_ingest.sources.volume_table import Row, read_rows
from nameplate_ingest.study import Ingested, ingest_study
from nameplate_ingest.voxels.grids import planes_of
from nameplate_ingest.voxels.header import APART, ending_of, read_volume_header
from nameplate_ingest.voxels.words import write_words
from nameplate_ingest.workers import Workers

FLAG = "from-volume"
"""Of every exam from here: no header could tell whether a contrast agent was given, whether another series
was better, or what the scanner wrote before somebody converted it."""
_FILE, _RULE, _SEEN = "volume", "refused", "seen"
"""Of a study's entry, beside the columns of its row."""
_DATA = (".raw", ".zraw", ".raw.gz")
"""What the voxels of a header in a file of its own may be called."""


class Volumes(Source):
    """One volume an exam; which one, and all that is known of it, is in the table's row."""

    table_setting = "source.table"

    def __init__(self, path: Path, table: Path, settings: VolumesSource, fields: Sequence[str] = ()) -> None:
        self._path, self._table, self._settings = path, table, settings
        self._fields = tuple(fields)
        self.place = path.absolute()
        self.identity = f"{os.path.realpath(path)}\n{os.path.realpath(table)}"

    def index(
        self,
        reading: Reading,
        workers: Workers,  # noqa: ARG002 (a table is read in no time)
        progress: Callable[[int], None] | None = None,
    ) -> Index:
        """Read the table, and look for the file of each row; of the volumes only names are read.

        Raises UserError for a table that is missing or not as expected, and for a folder without a volume.
        """
        columns, index = self._settings.columns, Index()
        rows = read_rows(self._table, columns, self._fields)
        names = self._names(index, reading.pseudonyms)
        if not names:
            raise UserError(f"{self._path}: the folder holds no volumes (.nii, .nii.gz, .nrrd, .mha, .mhd)")
        found = matched(rows, names, self._settings.volume, by_column=columns.file is not None)
        if not found.of_exam:
            raise UserError(
                f"{self._table}: no row has a volume in {self._path}: {len(rows)} rows, {len(names)} volumes"
                f" ({self._how()})"
            )
        for row in rows:
            if (match := found.of_exam.get(row.exam)) is not None:
                index.studies[row.exam] = self._study(index, row, match, reading)
        if found.unnamed:
            stray = stray_of(reading.pseudonyms, "no-row", "no-row", "volumes that no row of the table is of")
            index.strays[stray] += len(found.unnamed)
        index.finished(reading)
        index.unused = found.missing
        if progress:
            progress(index.files)
        return index

    def facts(self, studies: Mapping[str, Study]) -> Iterator[SeriesFacts]:
        """What the table's rows say; the volumes are not opened."""
        for exam, study in studies.items():
            if _RULE not in study.entry:
                yield facts_of_row(exam, study.entry)

    @contextmanager
    def slices(self, uid: str, study: Study, scratch: Path) -> Iterator[list[Slice]]:
        """The slices of the exam's volume, with what the table says of them in place of a header."""
        slices, _ = self._read(uid, study, scratch)
        yield slices

    def ingested(
        self, uid: str, study: Study, settings: IngestSettings, pseudonyms: Pseudonyms, scratch: Path
    ) -> Ingested:
        """The volume as it becomes an exam, by all rules that need no header."""
        if (file := study.entry.get(_FILE)) is not None:
            now = fingerprint(pseudonyms.key, *self._stamps(self.place / file))
            if now != study.prints:
                raise Refused("source-changed", "the volume was replaced or deleted since it was listed")
        try:
            slices, flags = self._read(uid, study, scratch)
        except Refused as refused:
            return _refused(uid, study, refused, pseudonyms)
        ingested = ingest_study(slices, settings, pseudonyms, frozenset(), draw=True, measure=True)
        rows = tuple(map(_about_table, ingested.rows))
        exam = ingested.exam
        if exam is not None:
            exam = exam.model_copy(update={"flags": (FLAG, *_unknown(study), *flags, *exam.flags)})
        return replace(ingested, exam=exam, rows=rows)

    def _how(self) -> str:
        if self._settings.columns.file is not None:
            return f"by the paths in {self._settings.columns.file!r}"
        if self._settings.volume is not None:
            return f"by {self._settings.volume!r}"
        return (
            f"by {self._settings.columns.exam!r}, as the name of a file or folder; else give columns.file,"
            " or volume: '{exam}/ct.nii.gz'"
        )

    def _names(self, index: Index, pseudonyms: Pseudonyms) -> list[str]:
        """The volumes by their paths below the folder; what is none is counted on the way."""
        names: list[str] = []
        start = self.place.as_posix().rstrip("/") + "/"
        table = os.path.realpath(self._table)
        for entry in files_of(self._path):
            if isinstance(entry, Obstacle):
                index.add_obstacle(entry, pseudonyms)
            elif ending_of(entry) is not None:
                names.append(entry.removeprefix(start))
            elif not entry.lower().endswith(_DATA) and os.path.realpath(entry) != table:
                index.strays[stray_of(pseudonyms, "not-volume", "not-volume", "no ending of a volume")] += 1
        return names

    def _study(self, index: Index, row: Row, match: Match, reading: Reading) -> Study:
        entry = dict(row.values)
        if match.refusal is not None:
            entry |= dict(zip((_RULE, _SEEN), match.refusal, strict=True))
            study = named_study(index, row.exam, (), reading)
            study.files = 1
            stamps = []
        else:
            assert match.file is not None
            path = self.place / match.file
            entry[_FILE] = match.file
            study = named_study(index, row.exam, (path,), reading)
            _claim(index, row.exam, match.file, reading)
            stamps = self._stamps(path)
        study.told, study.entry = row.told, entry
        study.prints = fingerprint(reading.pseudonyms.key, *stamps)
        return study

    def _stamps(self, path: Path) -> list[str]:
        """What changes when a volume does, or the file with its voxels where they are apart."""
        stamps = [DiskFile(path).stamp]
        if ending_of(path.name) in APART:
            with suppress(Refused):  # its turn will come
                stamps.append(DiskFile(read_volume_header(path, self.place).path).stamp)
        return stamps

    def _read(self, uid: str, study: Study, scratch: Path) -> tuple[list[Slice], tuple[str, ...]]:
        """The slices, whose words are in ``scratch``, and flags about their numbers; raises Refused."""
        entry = study.entry
        if _RULE in entry:
            raise Refused(entry[_RULE], entry[_SEEN])
        stored = read_volume_header(self.place / entry[_FILE], self.place)
        planes = planes_of(stored)
        words = scratch / "words"
        with user_may_write(scratch):
            plain = stored.unpacked(scratch)
            storage, flags = write_words(plain, planes, words)
            if stored.packed:
                plain.path.unlink()
        return slices_of(uid, entry, words, planes.grids, storage), flags


def _claim(index: Index, exam: str, file: str, reading: Reading) -> None:
    """Masks that are called after the exam's file; its name alone may be that of many (``ct.nii.gz``)."""
    plain = Path(file[: -len(ending_of(file) or "")])
    for path in reading.masks.by_name.get(plain.name, ()):
        index.claims.setdefault(path, set()).add(Claim(exam, exact=False))
    for path in reading.masks.by_place.get(plain.as_posix(), ()):
        index.claims.setdefault(path, set()).add(Claim(exam, exact=True))


def _unknown(study: Study) -> Iterator[str]:
    """Flags for what weighs when it is not known."""
    if "patient" not in study.entry:
        yield "patient-unknown"
    if "thickness_mm" not in study.entry:
        yield "thickness-from-gaps"


def _refused(uid: str, study: Study, refused: Refused, pseudonyms: Pseudonyms) -> Ingested:
    row = LedgerRow(
        item="series",
        id=pseudonyms.of("s", series_of(uid)),
        exam=pseudonyms.of("e", uid),
        verdict="refused",
        rule=refused.rule,
        seen=refused.seen,
        files=study.files,
        doubtful=refused.doubtful,
    )
    return Ingested(None, None, (row,))


def _about_table(row: LedgerRow) -> LedgerRow:
    """The row in words for a table, where it speaks of a header."""
    if row.rule != "manufacturer":
        return row
    seen = row.seen.removesuffix("; not in the list").replace("header", "table")
    return row.model_copy(update={"seen": seen})
