"""One pass through an archive for all studies in it: what is compressed can only be read from its start."""

import json
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nameplate.whole import user_may_write
from nameplate_ingest.archive.limits import MOST_OF_A_STUDY
from nameplate_ingest.archive.ranged import Ranged
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.candidate import Home, Place
from nameplate_ingest.sources.fetched import fetching, size_in
from nameplate_ingest.sources.index import Study
from nameplate_ingest.sources.located import Located, located
from nameplate_ingest.sources.packed import unpack

_MOST_UNFINISHED = 4 << 30
"""Bytes on the disk of studies that are not whole yet: some archives have the slices of all studies mixed."""
_LOST = "lost.json"


def local_names(slices: Iterable[Slice], files: Mapping[Path, Located], folder: Path) -> dict[Path, Path]:
    """Where each file of a study is put, by its path in the source; in the order of those."""
    paths = sorted({slice_.path for slice_ in slices if slice_.path in files}, key=str)
    return {path: folder / f"{number:06d}" for number, path in enumerate(paths)}


def unpacked_bytes(files: Iterable[Located]) -> int:
    """What the files of a study take that are in archives."""
    return sum(size_in(file.places[-1]) for file in files if file.places)


def given(folder: Path) -> dict[Path, Refused] | None:
    """Which files of a study could not be read in a pass; None for a folder that no pass has filled."""
    try:
        told = json.loads((folder / _LOST).read_bytes())
    except FileNotFoundError:
        return None
    return {folder / name: Refused(rule, seen) for name, rule, seen in told}


def passes_of(studies: Mapping[str, Study], place: Path) -> list[tuple[Home, dict[str, Study]]]:
    """The studies that a pass is good for: those that have to be unpacked out of one and the same archive."""
    found: dict[tuple[Home, tuple[Place, ...]], dict[str, Study]] = defaultdict(dict)
    for uid, study in studies.items():
        files = located(study, place).values()
        packed = {(file.home, _packed_in(file.places)) for file in files}
        if len(packed) != 1:
            continue
        ((home, archive),) = packed
        if archive is not None and unpacked_bytes(files) <= MOST_OF_A_STUDY:
            found[home, archive][uid] = study
    return [(home, found[home, archive]) for home, archive in sorted(found) if len(found[home, archive]) > 1]


def _packed_in(places: tuple[Place, ...]) -> tuple[Place, ...] | None:
    """Where the outermost archive is that has to be unpacked from its start; None where none has to be."""
    for depth, place in enumerate(places):
        if place.form not in ("zip", "tar"):
            return places[:depth]
        if place.form == "zip" and place.numbers[-1] and depth + 1 < len(places):
            return places[: depth + 1]
    return None


@dataclass(slots=True)
class _Unfinished:
    folder: Path
    left: set[Path]
    """Files that have not come yet."""
    lost: dict[Path, Refused] = field(default_factory=dict)
    size: int = 0
    """Bytes that are there."""


class OnePass:
    """The files of several studies on their way out of one archive, each into the folder of its study."""

    def __init__(self, studies: Mapping[str, Study], place: Path, folder_of: Callable[[str], Path]) -> None:
        self._unfinished: dict[str, _Unfinished] = {}
        self._owner: dict[Path, str] = {}
        self._sizes: dict[Path, int] = {}
        self._given_up: dict[str, Path] = {}
        self._room = _MOST_UNFINISHED
        self._on_disk = 0
        self.wanted: list[tuple[tuple[Place, ...], Path]] = []
        for uid, study in studies.items():
            files, folder = located(study, place), folder_of(uid)
            local = local_names(unpack(study.pieces), files, folder)
            self._unfinished[uid] = _Unfinished(folder, set(local.values()))
            for path, target in local.items():
                self._owner[target] = uid
                self._sizes[target] = size_in(files[path].places[-1])
                self.wanted.append((files[path].places, target))

    def read(self, data: Ranged, scratch: Path) -> Iterator[str]:
        """Each study when its last file is there; the pass goes on when the next one is asked for.

        One that does not come takes part in another pass, or is fetched for itself: what is wrong with it,
        or with the archive, is found out then. At the end nothing is left of it.
        """
        self._room = min(_MOST_UNFINISHED, shutil.disk_usage(scratch).free // 2)
        for one in self._unfinished.values():
            with user_may_write(one.folder):
                shutil.rmtree(one.folder, ignore_errors=True)
                one.folder.mkdir()
        try:
            for target, refused in fetching(data, self.wanted, scratch):
                uid = self._owner[target]
                if uid in self._given_up:
                    target.unlink(missing_ok=True)
                elif uid in self._unfinished and self._is_whole(uid, target, refused):
                    yield uid
        finally:
            for folder in (*self._given_up.values(), *(one.folder for one in self._unfinished.values())):
                shutil.rmtree(folder, ignore_errors=True)

    def _is_whole(self, uid: str, target: Path, refused: Refused | None) -> bool:
        """Whether a study has all its files with this one."""
        one = self._unfinished[uid]
        if target in one.left:
            one.left.remove(target)
            one.size += self._sizes[target]
            self._on_disk += self._sizes[target]
        if refused is not None:
            one.lost[target] = refused
        if one.left:
            self._give_up()
            return False
        told = [(path.name, lost.rule, lost.seen) for path, lost in sorted(one.lost.items())]
        with user_may_write(one.folder):
            (one.folder / _LOST).write_text(json.dumps(told))
        self._on_disk -= self._unfinished.pop(uid).size
        return True

    def _give_up(self) -> None:
        """Make room: without the study that still lacks most, among those that take any; one may stay."""
        while self._on_disk > self._room:
            begun = [uid for uid, one in self._unfinished.items() if one.size]
            if len(begun) < 2:
                return
            one = self._unfinished.pop(uid := max(begun, key=lambda uid: len(self._unfinished[uid].left)))
            self._given_up[uid] = one.folder
            self._on_disk -= one.size
            shutil.rmtree(one.folder, ignore_errors=True)
            # What comes of it yet needs a place until it is deleted.
            one.folder.mkdir()
