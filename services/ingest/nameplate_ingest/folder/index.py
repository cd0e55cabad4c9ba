"""The studies of a folder: which files belong to each, kept small until the study's turn comes."""

import hashlib
import io
import pickle
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from itertools import islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.table import Statement, statements_of
from nameplate_ingest.folder.listing import Obstacle
from nameplate_ingest.folder.masks import NO_MASKS, Claim, MaskFiles, OwnMasks, claims_of
from nameplate_ingest.folder.scan import OtherFile, RefusedFile, is_first, refused_file, scan_files
from nameplate_ingest.workers import Died, Workers

_CHUNK = 256
_MOST_PIECES = 16
"""Pieces of a study that are kept apart; more are packed together, since small ones pack badly."""
_PRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the files needs to know; ``table`` is of manufacturers, normalised, by study, and
    ``fields`` of the user's further columns, ``masks`` the user's files by the studies they may be of."""

    source: Path
    pseudonyms: Pseudonyms
    shard: tuple[int, int] | None
    table: Mapping[str, str]
    fields: Mapping[str, Mapping[str, str]]
    masks: MaskFiles


@dataclass(slots=True)
class Study:
    """The files of one study."""

    files: int = 0
    listed: frozenset[str] = frozenset()
    """Manufacturers that the user's list gives, by the study's UID or a folder above one of its files."""
    pieces: list[bytes] = field(default_factory=list)
    """The slices, packed: a study in memory takes a tenth of its slices' size."""
    prints: int = 0
    """Sum of the fingerprints of the files, so that it does not depend on their order."""
    told: frozenset[Statement] = frozenset()
    """What the user's further columns say, by the same names as the list of manufacturers."""

    def add(self, other: "Study") -> None:
        """Take in more files of the same study."""
        self.files += other.files
        self.listed |= other.listed
        self.told |= other.told
        self.prints += other.prints
        self.pieces += other.pieces
        if len(self.pieces) > _MOST_PIECES:
            # The larger half stays as it is, so that no slice is packed again more than a few times.
            self.pieces.sort(key=len, reverse=True)
            half = _MOST_PIECES // 2
            self.pieces[half:] = [pack(unpack(self.pieces[half:]))]

    def digest(self, key: bytes, masks: OwnMasks = NO_MASKS) -> str:
        """A keyed digest of what decides the result: the study's files and masks, and what the user's tables
        say."""
        prints = self.prints % (1 << 8 * _PRINT_BYTES)
        own = [_print(path, len(str(path.parent)), _short(key)) for path in masks.files]
        of_masks = ((own, masks.studies),) if own else ()
        told = repr((self.files, prints, sorted(self.listed), sorted(self.told), *of_masks))
        return hashlib.blake2b(told.encode(), key=_short(key), digest_size=_PRINT_BYTES).hexdigest()


@dataclass(slots=True)
class Index:
    """All that was found in a folder, by StudyInstanceUID, and the files outside any study, counted."""

    studies: dict[str, Study] = field(default_factory=dict)
    strays: Counter[RefusedFile] = field(default_factory=Counter)
    files: int = 0
    """Files of this shard."""
    named: set[str] = field(default_factory=set)
    """Studies in the user's further columns that files are of: for the first shard also files of others."""
    unused: int = 0
    """Studies in the user's further columns that no file is of; the first shard counts them."""
    masks: dict[Path, set[Claim]] = field(default_factory=dict)
    """The user's masks with the studies that they are called after, those of other shards among them."""
    unknown_masks: int = 0
    """Masks that are called after no study; the first shard counts them."""


class _Reducers(dict[type, Callable[[Any], tuple[type, Any]]]):
    """How the pickler takes a dataclass apart, twice as fast as its own way."""

    def __missing__(self, kind: type) -> Callable[[Any], tuple[type, Any]]:
        if not is_dataclass(kind) or len(fields(kind)) < 2:
            raise KeyError(kind)
        values = attrgetter(*(item.name for item in fields(kind)))
        self[kind] = lambda item: (kind, values(item))
        return self[kind]


_REDUCERS = _Reducers()


def pack(slices: list[Slice]) -> bytes:
    """Slices as few bytes."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(slices)
    return zlib.compress(file.getvalue(), 1)


def unpack(pieces: Iterable[bytes]) -> list[Slice]:
    """What ``pack`` packed; only for bytes of this run."""
    return [slice_ for piece in pieces for slice_ in pickle.loads(zlib.decompress(piece))]


def index_files(
    entries: Iterable[str | Obstacle],
    reading: Reading,
    workers: Workers,
    progress: Callable[[int], None] | None = None,
) -> Index:
    """Read the header of every file; ``progress`` gets the number of files read so far."""
    index, read = Index(), 0
    lost: list[tuple[str, ...]] = []
    for chunk, part in workers.run(index_chunk, _chunks(entries, index.strays, reading)):
        if isinstance(part, Died):
            # One of these files ends the process that reads it: read again one by one.
            lost += [(path,) for path in chunk]
            continue
        _add(index, part)
        read += len(chunk)
        if progress:
            progress(read)
    for (path,), part in workers.run(index_chunk, lost):
        if isinstance(part, Died):
            if is_first(reading.shard):
                index.strays[refused_file(Path(path), reading.pseudonyms, "error", "the worker died")] += 1
        else:
            _add(index, part)
    closed = index.strays[_stray_of(Obstacle.CLOSED, reading)]
    if is_first(reading.shard):
        index.unused = len(reading.fields.keys() - index.named)
        index.unknown_masks = len(reading.masks.files - index.masks.keys())
    index.files = sum(study.files for study in index.studies.values()) + index.strays.total() - closed
    return index


def index_chunk(reading: Reading, paths: tuple[str, ...]) -> Index:
    """The studies of some files."""
    index = Index()
    slices: dict[str, list[Slice]] = {}
    elsewhere: dict[str, set[Path]] = {}
    for item in scan_files(map(Path, paths), reading.pseudonyms, reading.shard):
        if isinstance(item, Slice):
            slices.setdefault(item.study, []).append(item)
        elif isinstance(item, OtherFile):
            elsewhere.setdefault(item.study, set()).add(item.path)
        else:
            index.strays[item] += 1
    key, start = _short(reading.pseudonyms.key), len(str(reading.source))
    for uid, members in slices.items():
        files = {slice_.path for slice_ in members}  # fewer than slices, if a file holds many frames
        names = _names(uid, files, reading)
        index.named |= names & reading.fields.keys()
        _add_masks(index, uid, files, reading)
        listed = frozenset(reading.table[name] for name in names & reading.table.keys())
        study = Study(len(files), listed, [pack(members)], told=statements_of(reading.fields, names))
        study.prints = sum(_print(path, start, key) for path in files)
        index.studies[uid] = study
    for uid, paths_elsewhere in elsewhere.items():
        names = _names(uid, paths_elsewhere, reading)
        if is_first(reading.shard):
            index.named |= names & reading.fields.keys()
        # In every shard: a mask that is called after studies of two shards must not pass in either.
        _add_masks(index, uid, paths_elsewhere, reading)
    return index


def _add_masks(index: Index, uid: str, files: Iterable[Path], reading: Reading) -> None:
    """Note the masks that are called after a study."""
    if reading.masks.by_name:
        below = [path.relative_to(reading.source) for path in files]
        for path, claim in claims_of(reading.masks, uid, (uid, reading.pseudonyms.of("e", uid)), below):
            index.masks.setdefault(path, set()).add(claim)


def _add(index: Index, part: Index) -> None:
    index.strays += part.strays
    index.named |= part.named
    for path, studies in part.masks.items():
        index.masks.setdefault(path, set()).update(studies)
    for uid, study in part.studies.items():
        if uid in index.studies:
            index.studies[uid].add(study)
        else:
            index.studies[uid] = study


def _chunks(
    entries: Iterable[str | Obstacle], strays: Counter[RefusedFile], reading: Reading
) -> Iterator[tuple[str, ...]]:
    """The paths in chunks; what is no file is counted on the way."""

    def paths() -> Iterator[str]:
        for entry in entries:
            if isinstance(entry, str):
                yield entry
            elif is_first(reading.shard):
                strays[_stray_of(entry, reading)] += 1

    stream = paths()
    while chunk := tuple(islice(stream, _CHUNK)):
        yield chunk


def _stray_of(obstacle: Obstacle, reading: Reading) -> RefusedFile:
    return RefusedFile(reading.pseudonyms.of("f", obstacle.name.lower()), "unreadable", obstacle.value)


def _names(uid: str, paths: Iterable[Path], reading: Reading) -> set[str]:
    """What the user's tables may call the study; nothing if there are none."""
    if not reading.table and not reading.fields:
        return set()
    return {uid}.union(*(path.relative_to(reading.source).parts for path in paths))


def _print(path: Path, start: int, key: bytes) -> int:
    """A keyed fingerprint of a file's path from ``start`` on, its size and its time of change."""
    try:
        state = path.stat()
        told = f"{state.st_size}\0{state.st_mtime_ns}\0{str(path)[start:]}"
    except OSError:
        told = "gone"
    raw = told.encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(raw, key=key, digest_size=_PRINT_BYTES).digest(), "little")


def _short(key: bytes) -> bytes:
    """The key at a length that the hash takes."""
    return hashlib.sha256(key).digest()
