"""DICOM files in archives on a disk: one archive, or a folder of them at any depth."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from nameplate.errors import UserError
from nameplate_ingest.archive.flow import Seeking
from nameplate_ingest.archive.forms import ENOUGH, form_of
from nameplate_ingest.archive.ranged import DiskBytes, Ranged, Window, disk_bytes
from nameplate_ingest.dicom.content import DiskFile
from nameplate_ingest.folder.listing import Obstacle, files_of
from nameplate_ingest.sources.archived import Archived
from nameplate_ingest.sources.candidate import Candidate, Home, NotAsListed
from nameplate_ingest.sources.folder import index_files
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.members import AHEAD, Members
from nameplate_ingest.sources.scan import refused_file
from nameplate_ingest.workers import Died, Workers


class Archive(Archived):
    """Archives are told by what is in them, never by their names; they are read where they are.

    DICOM files beside them in the folder are read as a folder's, and anything else is accounted for.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        above = path.absolute()
        self.place = above.parent if path.is_file() else above
        self.identity = os.path.realpath(path)

    def index(
        self, reading: Reading, workers: Workers, progress: Callable[[int], None] | None = None
    ) -> Index:
        """Read the header of every file in every archive; ``progress`` may jump by an archive's files."""
        archives: list[str] = []
        index = index_files(self._others(archives), reading, workers, progress)
        count, usable = index.files, 0
        for path, found in workers.run(_index_archive, archives):
            if isinstance(found, Died):
                row = refused_file(DiskFile(Path(path)), reading.pseudonyms, "error", "the worker died")
                index.strays[row] += 1
                continue
            usable += _has_files(found)
            count += _count(found)
            index.add(found)
            if progress:
                progress(count)
        index.finished(reading)
        if not usable:
            raise UserError(f"{self._path}: {_nothing(index, len(archives))}")
        return index

    def _others(self, archives: list[str]) -> Iterator[str | Obstacle]:
        """Files that are no archives, which are put aside."""
        one = self._path.is_file()
        for entry in iter((str(self.place / self._path.name),)) if one else files_of(self._path):
            if isinstance(entry, str) and _is_archive(Path(entry)):
                archives.append(entry)
            else:
                yield entry

    @contextmanager
    def opened(self, home: Home) -> Iterator[Ranged]:
        """Raises NotAsListed for an archive that is gone or changed, UserError where the source is gone."""
        path = self.place / home.key
        stamp = DiskFile(path).stamp
        try:
            with disk_bytes(path) as data:
                if stamp != home.stamp:
                    raise NotAsListed("source-changed", "the archive was changed since it was listed")
                yield data
        except FileNotFoundError:
            if not self._path.exists():
                raise UserError(f"{self._path}: no such file or folder") from None
            raise NotAsListed("source-gone", "the archive is there no more") from None
        except PermissionError:
            raise NotAsListed("source-gone", "the archive may not be read") from None


def _is_archive(path: Path) -> bool:
    try:
        return form_of(DiskFile(path).start(ENOUGH)) is not None
    except OSError:
        return False


def _index_archive(reading: Reading, path: str) -> Index:
    """The index of one archive."""
    file = DiskFile(Path(path))
    stamp = file.stamp
    try:
        with disk_bytes(file.path) as data:
            index = Members(reading).index((_candidate(file.path, stamp, data, reading.place),))
    except OSError:
        row = refused_file(file, reading.pseudonyms, "unreadable", "the file cannot be read")
        index = Index()
        index.strays[row] += 1
    return index


def _candidate(path: Path, stamp: str, data: DiskBytes, place: Path) -> Candidate:
    home = Home(str(path.relative_to(place)), stamp)
    flow = Seeking(Window(data, AHEAD))
    return Candidate(path, data.size, stamp, flow, home=home, places=(), section=lambda: data)


def _count(index: Index) -> int:
    return sum(study.files for study in index.studies.values()) + index.strays.total()


def _has_files(index: Index) -> bool:
    """Whether anything in an archive could be read."""
    return bool(index.studies) or not all(stray.rule.startswith("archive-") for stray in index.strays)


def _nothing(index: Index, archives: int) -> str:
    """Why there is no exam: in one line, without a name of what is in the archives."""
    if not archives:
        return "no zip or tar archive (.zip, .tar, .tar.gz, .tar.zst)"
    rules = sorted(
        {f"{row.rule}: {row.seen}" for row in index.strays if row.rule.startswith(("archive-", "error"))}
    )
    which = "the archive cannot" if archives == 1 else f"none of the {archives} archives can"
    return f"{which} be used ({'; '.join(rules[:3])})" if rules else "the archives hold no files"
