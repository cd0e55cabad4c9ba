"""A folder of DICOM files of any name, at any depth."""

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.folder.listing import Obstacle, files_of
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.index import (
    Index,
    Reading,
    Study,
    index_part,
    prints_of,
)
from nameplate_ingest.sources.packed import unpack
from nameplate_ingest.sources.scan import refused_file
from nameplate_ingest.sources.source import Source
from nameplate_ingest.study import Ingested
from nameplate_ingest.voxels.header import ending_of
from nameplate_ingest.workers import Died, Workers

_CHUNK = 256


class Folder(Source):
    """Files that are opened where they are; nothing is copied."""

    def __init__(self, path: Path, leave_out: Path | None = None) -> None:
        self._path, self._leave_out = path, leave_out
        self.place = path.absolute()
        self.identity = os.path.realpath(path)

    def check(self) -> None:
        """Raise UserError for a folder that is missing or holds no files."""
        files_of(self._path, self._leave_out)

    def index(
        self, reading: Reading, workers: Workers, progress: Callable[[int], None] | None = None
    ) -> Index:
        """Read the header of every file; UserError for a folder of volumes, which are another kind."""
        index = index_files(files_of(self._path, self._leave_out), reading, workers, progress)
        if not index.studies:
            entries = files_of(self._path, self._leave_out)
            volumes = sum(isinstance(entry, str) and ending_of(entry) is not None for entry in entries)
            if volumes:
                raise UserError(
                    f"{self._path}: holds no DICOM, but volumes ({volumes} .nii, .nrrd or .mha files): they "
                    "need a table that says whose they are: --table, or in a campaign source: {kind: volumes}"
                )
        return index

    def ingested(
        self, uid: str, study: Study, settings: IngestSettings, pseudonyms: Pseudonyms, scratch: Path
    ) -> Ingested:
        """With headers as they were when the folder was listed: files that changed since have others."""
        paths = {slice_.path for slice_ in unpack(study.pieces)}
        stamps = {path: DiskFile(path).stamp for path in paths}
        if prints_of(stamps, self.place, pseudonyms.key) != study.prints:
            raise Refused("source-changed", "files were replaced or deleted since they were listed")
        return super().ingested(uid, study, settings, pseudonyms, scratch)


def index_files(
    entries: Iterable[str | Obstacle],
    reading: Reading,
    workers: Workers,
    progress: Callable[[int], None] | None = None,
) -> Index:
    """The index of some files by their paths; a process that one of them ends costs that file alone."""
    index, read = Index(), 0
    lost: list[tuple[DiskFile, ...]] = []
    for chunk, part in workers.run(index_part, _chunks(entries, index, reading)):
        if isinstance(part, Died):
            # One of these files ends the process that reads it: read again one by one.
            lost += [(file,) for file in chunk]
            continue
        index.add(part)
        read += len(chunk)
        if progress:
            progress(read)
    for (file,), part in workers.run(index_part, lost):
        if isinstance(part, Died):
            index.strays[refused_file(file, reading.pseudonyms, "error", "the worker died")] += 1
        else:
            index.add(part)
    return index.finished(reading)


def _chunks(
    entries: Iterable[str | Obstacle], index: Index, reading: Reading
) -> Iterator[tuple[DiskFile, ...]]:
    """The files in chunks; what is no file is counted on the way."""

    def files() -> Iterator[DiskFile]:
        for entry in entries:
            if isinstance(entry, str):
                yield DiskFile(Path(entry))
            else:
                index.add_obstacle(entry, reading.pseudonyms)

    stream = files()
    while chunk := tuple(islice(stream, _CHUNK)):
        yield chunk
