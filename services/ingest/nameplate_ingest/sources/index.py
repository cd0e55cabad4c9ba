"""The studies of a source: which files belong to each, kept small until the study's turn comes."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nameplate_ingest.dicom.content import Content, DiskFile
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.table import Statement, statements_of
from nameplate_ingest.folder.listing import Obstacle
from nameplate_ingest.folder.masks import (
    NO_MASKS,
    Claim,
    MaskFiles,
    OwnMasks,
    claims_of,
    masks_by_study,
)
from nameplate_ingest.sources.packed import pack, unpack
from nameplate_ingest.sources.scan import RefusedFile, scan_files

_MOST_PIECES = 16
"""Pieces of a study that are kept apart; more are packed together, since small ones pack badly."""
_PRINT_BYTES = 16


@dataclass(frozen=True, slots=True)
class Reading:
    """What reading the files needs to know; ``table`` is of manufacturers, normalised, by study, and
    ``fields`` of the user's further columns, ``masks`` the user's files by the studies they may be of."""

    place: Path
    """Where the source's files are: the names of folders below it may name studies."""
    pseudonyms: Pseudonyms
    table: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    masks: MaskFiles = MaskFiles()  # noqa: RUF009 (it cannot change)


@dataclass(slots=True)
class Study:
    """One study of a source."""

    files: int = 0
    """Images, where the source lists no files."""
    listed: frozenset[str] = frozenset()
    """Manufacturers that the user's list gives, by the study's UID or a folder above one of its files."""
    pieces: list[bytes] = field(default_factory=list)
    """The slices, packed: a study in memory takes a tenth of its slices' size. None where headers are read
    only when the study was fetched."""
    prints: int = 0
    """Sum of the fingerprints of the files, so that it does not depend on their order."""
    told: frozenset[Statement] = frozenset()
    """What the user's further columns say, by the same names as the list of manufacturers."""
    entry: dict[str, str] = field(default_factory=dict)
    """What the source itself has to know to fetch the study."""
    masks: OwnMasks = NO_MASKS
    """The user's masks that are called after it."""
    mask_prints: tuple[int, ...] = ()
    """Fingerprints of their files: what is listed changes when a mask does."""
    size: int = 0
    """Bytes of its files; 0 where the source does not tell."""

    def add(self, other: "Study") -> None:
        """Take in more files of the same study."""
        self.files += other.files
        self.listed |= other.listed
        self.told |= other.told
        self.prints += other.prints
        self.size += other.size
        self.entry |= other.entry
        self.pieces += other.pieces
        if len(self.pieces) > _MOST_PIECES:
            # The larger half stays as it is, so that no slice is packed again more than a few times.
            self.pieces.sort(key=len, reverse=True)
            half = _MOST_PIECES // 2
            self.pieces[half:] = [pack(unpack(self.pieces[half:]))]

    def digest(self, key: bytes) -> str:
        """A keyed digest of what decides the result: the study's files and masks, and what the user's tables
        say."""
        prints = self.prints % (1 << 8 * _PRINT_BYTES)
        of_masks = ((list(self.mask_prints), self.masks.studies),) if self.mask_prints else ()
        entry = (sorted(self.entry.items()),) if self.entry else ()
        told = repr((self.files, prints, sorted(self.listed), sorted(self.told), *of_masks, *entry))
        return hashlib.blake2b(told.encode(), key=_short(key), digest_size=_PRINT_BYTES).hexdigest()


@dataclass(slots=True)
class Index:
    """All that was found in a source, by StudyInstanceUID, and the files outside any study, counted."""

    studies: dict[str, Study] = field(default_factory=dict)
    strays: Counter[RefusedFile] = field(default_factory=Counter)
    closed: int = 0
    """Folders that could not be listed: rows of the ledger, and no files."""
    files: int = 0
    named: set[str] = field(default_factory=set)
    """Studies in the user's further columns that files are of."""
    unused: int = 0
    """Studies in the user's further columns that no file is of."""
    claims: dict[Path, set[Claim]] = field(default_factory=dict)
    """The user's masks with the studies that they are called after."""
    unknown_masks: int = 0
    """Masks that are called after no study."""

    def add(self, part: "Index") -> None:
        """Take in what was found in more files."""
        self.strays += part.strays
        self.closed += part.closed
        self.named |= part.named
        for path, claims in part.claims.items():
            self.claims.setdefault(path, set()).update(claims)
        for uid, study in part.studies.items():
            if uid in self.studies:
                self.studies[uid].add(study)
            else:
                self.studies[uid] = study

    def add_obstacle(self, obstacle: Obstacle, pseudonyms: Pseudonyms) -> None:
        """Count what cannot be read as a file."""
        self.strays[stray_of(pseudonyms, obstacle.name.lower(), "unreadable", obstacle.value)] += 1
        self.closed += obstacle is Obstacle.CLOSED

    def finished(self, reading: Reading) -> "Index":
        """The same when every file was seen: what is missing is counted, and each study has its masks."""
        self.unused = len(reading.fields.keys() - self.named)
        self.unknown_masks = len(reading.masks.files - self.claims.keys())
        of_studies = sum(study.files for study in self.studies.values())
        self.files = of_studies + self.strays.total() - self.closed
        key = _short(reading.pseudonyms.key)
        for uid, masks in masks_by_study(self.claims).items():
            study = self.studies[uid]
            study.masks = masks
            study.mask_prints = tuple(
                _fingerprint(DiskFile(path).stamp, path.name, key) for path in masks.files
            )
        return self


def index_part(reading: Reading, files: Iterable[Content]) -> Index:
    """The studies of some files; each file is looked at before the next is asked for."""
    index = Index()
    slices: dict[str, list[Slice]] = {}
    stamps: dict[Path, str] = {}
    sizes: dict[Path, int] = {}
    for file in files:
        for item in scan_files((file,), reading.pseudonyms):
            if not isinstance(item, Slice):
                index.strays[item] += 1
                continue
            slices.setdefault(item.study, []).append(item)
            if item.path not in stamps:  # once for a file of many frames
                stamps[item.path], sizes[item.path] = file.stamp, _size(file)
    for uid, members in slices.items():
        paths = {slice_.path for slice_ in members}  # fewer than slices, if a file holds many frames
        study = named_study(index, uid, paths, reading)
        study.pieces = [pack(members)]
        of_study = {path: stamps[path] for path in paths}
        study.prints = prints_of(of_study, reading.place, reading.pseudonyms.key)
        study.size = sum(sizes[path] for path in paths)
        index.studies[uid] = study
    return index


def _size(file: Content) -> int:
    try:
        return file.size
    except OSError:
        return 0  # deleted since it was read


def prints_of(stamps: Mapping[Path, str], place: Path, key: bytes) -> int:
    """The sum of the fingerprints of files, as ``Study.prints`` has it, from the stamp of each."""
    start, short = len(str(place)), _short(key)
    return sum(_fingerprint(stamp, str(path)[start:], short) for path, stamp in stamps.items())


def named_study(index: Index, uid: str, paths: Iterable[Path], reading: Reading) -> Study:
    """A study with what the user's tables say of it, by its UID and the folders above its files.

    What of tables and masks it uses is noted in the index.
    """
    paths = tuple(paths)
    below = [path.relative_to(reading.place) for path in paths]
    names = {uid}.union(*(path.parts for path in below)) if reading.table or reading.fields else set()
    index.named |= names & reading.fields.keys()
    if reading.masks.by_name:
        for path, claim in claims_of(reading.masks, uid, (uid, reading.pseudonyms.of("e", uid)), below):
            index.claims.setdefault(path, set()).add(claim)
    listed = frozenset(reading.table[name] for name in names & reading.table.keys())
    return Study(len(paths), listed, told=statements_of(reading.fields, names))


def fingerprint(key: bytes, *told: str) -> int:
    """A keyed fingerprint of what a source says of a study, in place of those of its files."""
    return _fingerprint("\0".join(told), "", _short(key))


def _fingerprint(stamp: str, name: str, key: bytes) -> int:
    """A keyed fingerprint of a file's stamp and its path below the source."""
    raw = f"{stamp}\0{name}".encode("utf-8", "surrogateescape")
    return int.from_bytes(hashlib.blake2b(raw, key=key, digest_size=_PRINT_BYTES).digest(), "little")


def _short(key: bytes) -> bytes:
    """The key at a length that the hash takes."""
    return hashlib.sha256(key).digest()


def stray_of(pseudonyms: Pseudonyms, name: str, rule: str, seen: str) -> RefusedFile:
    """The refusal of what is no file: a folder, an archive; ``name`` tells its kind apart, never its path."""
    return RefusedFile(pseudonyms.of("f", name), rule, seen)
