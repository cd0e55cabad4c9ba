"""Files that repeat an image of their study: whole copies, broken ones, and slices sent again."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.refusal import Refused
from nameplate_ingest.volume.series import duplicated, stack_slices

_BROKEN = (
    *("truncated-header", "truncated-pixels", "compressed-pixels", "unreadable", "no-pixels"),
    *("size", "geometry", "bits", "rescale"),
)
"""Rules that refuse a damaged file, of which a whole copy may be there."""


@dataclass(frozen=True, slots=True)
class Copies:
    """Files that are not used because another image of the study stands for them."""

    instance: str
    """Their SOP instance UID; all frames of a file share one."""
    rule: str
    seen: str
    paths: frozenset[Path]

    @property
    def files(self) -> int:
        """How many files they are."""
        return len(self.paths)


def copies_of(slices: Sequence[Slice], rule: str, seen: str) -> Copies:
    """Images with one instance UID as copies that ``rule`` refuses."""
    return Copies(
        slices[0].instance.partition("#")[0], rule, seen, frozenset(slice_.path for slice_ in slices)
    )


def without_copies(slices: Iterable[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Sort, and of files with one SOP instance UID keep the whole ones that differ.

    A file that is cut off is dropped where a whole one is there. Copies are equal in geometry and HU, not
    in bytes: the same image may be there compressed and plain.
    """
    ordered = sorted(slices, key=sort_key)
    counts = Counter(slice_.instance for slice_ in ordered)
    kept: list[tuple[Slice, bytes]] = []
    repeated: dict[str, list[Slice]] = defaultdict(list)
    for slice_ in ordered:
        if slice_.instance and counts[slice_.instance] > 1:
            repeated[slice_.instance].append(slice_)
        else:
            kept.append((slice_, b""))
    # File by file: of a deflated file, or one in fragments, the last read one is kept unpacked.
    several = sorted((one for group in repeated.values() for one in group), key=lambda one: str(one.path))
    prints = {id(slice_): _digest(slice_) for slice_ in several}
    copies: list[Copies] = []
    for candidates in repeated.values():
        whole: dict[bytes, Slice] = {}
        broken: dict[bytes, Slice] = {}
        damaged: list[Slice] = []
        same: list[Slice] = []
        for slice_ in candidates:
            bad, digest = prints[id(slice_)]
            first = (broken if bad else whole).setdefault(digest, slice_)
            if bad:
                damaged.append(slice_)
            elif first is not slice_:
                same.append(slice_)
        used = whole or broken
        kept += [(slice_, digest) for digest, slice_ in used.items()]
        if whole and damaged:
            copies.append(copies_of(damaged, "broken-copy", "a whole copy is there"))
        elif damaged:
            same = [slice_ for slice_ in damaged if not any(slice_ is one for one in broken.values())]
        if same:
            copies.append(copies_of(same, "duplicate-file", "the same image is there already"))
    # Different images under one instance UID are ordered by their content.
    kept.sort(key=lambda pair: (sort_key(pair[0]), pair[1]))
    return [slice_ for slice_, _ in kept], copies


def without_equal_neighbours(slices: list[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Drop slices with the position and the image of another one, but another instance UID."""
    stack = stack_slices([slice_.grid for slice_ in slices if slice_.grid is not None])
    pairs = duplicated(stack)
    if not pairs:
        return slices, []
    dropped: set[int] = set()
    prints = {place: _digest(slices[stack.order[place]])[1] for pair in pairs for place in pair}
    for first, second in pairs:
        if prints[first] == prints[second]:
            dropped.add(stack.order[second])
    copies = [
        copies_of([slices[index]], "duplicate-slice", "the same image is there already")
        for index in sorted(dropped)
    ]
    return [slice_ for index, slice_ in enumerate(slices) if index not in dropped], copies


def sort_key(slice_: Slice) -> tuple[str, str, tuple[float, ...], str, str, int]:
    """An order of images that does not depend on names of files and folders."""
    position = slice_.grid.position if slice_.grid else ()
    rule = slice_.refusal[0] if slice_.refusal else ""
    frame = slice_.storage.frame if slice_.storage else 0
    return slice_.series, slice_.instance, position, rule, slice_.acquisition, frame


def _digest(slice_: Slice) -> tuple[bool, bytes]:
    """Whether the file is damaged, and a digest of what defines the image: its HU and its position."""
    digest = hashlib.sha256(repr((slice_.grid, slice_.refusal, slice_.series)).encode())
    damaged = slice_.refusal is not None and slice_.refusal[0] in _BROKEN
    if slice_.storage is not None:
        try:
            digest.update(hounsfield(slice_).tobytes())
        except Refused as refused:
            digest.update(repr((refused.rule, refused.seen)).encode())
            damaged = refused.rule in _BROKEN
    return damaged, digest.digest()
