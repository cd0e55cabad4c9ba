"""The slices of a study as groups that could each be one volume, and duplicate files."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nameplate_ingest.pixels import raw_pixels
from nameplate_ingest.refusal import Refused
from nameplate_ingest.select import Facts
from nameplate_ingest.series import Stack, axial_angle, duplicated, field_growth, stack_slices, widest_hole
from nameplate_ingest.slice import Slice, SliceGeometry


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Slices of one series UID, one orientation, one image size and one pixel spacing."""

    slices: tuple[Slice, ...]
    """In stack order if there is a stack."""
    part: int
    """Number among the groups of its series UID, from 0."""
    refusal: tuple[str, str] | None
    """Why each of these slices was refused by itself, if they were."""
    stack: Stack | None


@dataclass(frozen=True, slots=True)
class Copies:
    """Files that repeat an image of the study."""

    instance: str
    rule: str
    files: int


def group_slices(slices: Iterable[Slice]) -> tuple[list[Group], list[Copies]]:
    """The groups of one study, in an order that does not depend on names of files and folders."""
    kept, copies = _without_copies(slices)
    by_series: dict[str, list[Slice]] = defaultdict(list)
    for slice_ in kept:
        by_series[slice_.series].append(slice_)
    groups: list[Group] = []
    for uid in sorted(by_series):
        part = 0
        for members in _alike(by_series[uid]):
            if members[0].refusal:
                groups.append(Group(tuple(members), part, members[0].refusal, None))
                part += 1
                continue
            unique, repeated = _without_equal_neighbours(members)
            copies += repeated
            for apart in _told_apart(unique):
                stack = stack_slices(_grids(apart))
                ordered = tuple(apart[index] for index in stack.order)
                groups.append(Group(ordered, part, None, stack))
                part += 1
    return groups, copies


def facts_of(group: Group) -> Facts:
    """What the selection rules look at."""
    stack = group.stack
    first = group.slices[0]
    assert stack is not None
    assert first.grid is not None
    thickness = thickness_of(group)
    return Facts(
        uid=f"{first.series} {group.part:06d}",
        description=first.description,
        kernel=commonest([slice_.tags.kernel for slice_ in group.slices]) or "",
        contrast=any(slice_.contrast for slice_ in group.slices),
        slices=len(group.slices),
        thickness_mm=_commonest_thickness(thickness),
        thickest_mm=max(thickness),
        coverage_mm=stack.extent_mm,
        axial_degrees=axial_angle(stack),
        widest_gap_mm=float(stack.gaps.max(initial=0.0)),
        growth=field_growth(stack, first.grid),
        duplicates=len(duplicated(stack)),
        hole=widest_hole(stack, [slice_.thickness for slice_ in group.slices]),
    )


def thickness_of(group: Group) -> list[float]:
    """Thickness of each slice in mm; if the header lacks it, the median gap of the stack."""
    assert group.stack is not None
    gaps = group.stack.gaps
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    return [slice_.thickness or usual for slice_ in group.slices]


def _commonest_thickness(thickness: Sequence[float]) -> float:
    counts = Counter(round(value, 3) for value in thickness)
    return max(counts, key=lambda value: (counts[value], value))


def commonest(values: Iterable[str]) -> str | None:
    """The commonest non-empty value (of equally common ones the smallest); None without any."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _grids(slices: Sequence[Slice]) -> list[SliceGeometry]:
    return [slice_.grid for slice_ in slices if slice_.grid is not None]


def _sort_key(slice_: Slice) -> tuple[str, str, tuple[float, ...], str, str]:
    position = slice_.grid.position if slice_.grid else ()
    rule = slice_.refusal[0] if slice_.refusal else ""
    return slice_.series, slice_.instance, position, rule, slice_.acquisition


def _fingerprint(slice_: Slice) -> bytes:
    """Digest of what defines the image: its pixels and its position."""
    digest = hashlib.sha256(repr((slice_.grid, slice_.refusal, slice_.series)).encode())
    if slice_.storage is not None:
        scale = slice_.storage.slope, slice_.storage.intercept, slice_.storage.signed
        digest.update(repr(scale).encode())
        try:
            digest.update(raw_pixels(slice_))
        except Refused as refused:
            digest.update(repr((refused.rule, refused.seen)).encode())
    return digest.digest()


def _without_copies(slices: Iterable[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Sort, and drop files that repeat an SOP instance with the same image."""
    ordered = sorted(slices, key=_sort_key)
    counts = Counter(slice_.instance for slice_ in ordered)
    kept: list[tuple[Slice, bytes]] = []
    seen: dict[tuple[str, bytes], int] = {}
    for slice_ in ordered:
        if slice_.instance and counts[slice_.instance] > 1:
            key = slice_.instance, _fingerprint(slice_)
            if key in seen:
                seen[key] += 1
                continue
            seen[key] = 0
            kept.append((slice_, key[1]))
        else:
            kept.append((slice_, b""))
    # Different images under one instance UID are ordered by their content.
    kept.sort(key=lambda pair: (_sort_key(pair[0]), pair[1]))
    copies = [Copies(instance, "duplicate-file", extra) for (instance, _), extra in seen.items() if extra]
    return [slice_ for slice_, _ in kept], copies


def _alike(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Split one series UID by the slices' refusal, kernel, image size, orientation and spacing."""
    groups: list[list[Slice]] = []
    for slice_ in slices:
        for members in groups:
            if _same_kind(members[0], slice_):
                members.append(slice_)
                break
        else:
            groups.append([slice_])
    return groups


def _same_kind(a: Slice, b: Slice) -> bool:
    if a.refusal or b.refusal or a.grid is None or b.grid is None:
        return a.refusal == b.refusal
    near = max(abs(x - y) for x, y in zip(a.grid.orientation, b.grid.orientation, strict=True)) < 2e-3
    fits = max(abs(x - y) for x, y in zip(a.grid.spacing, b.grid.spacing, strict=True)) < 1e-3
    size = (a.grid.rows, a.grid.columns) == (b.grid.rows, b.grid.columns)
    return near and fits and size and a.tags.kernel == b.tags.kernel


def _without_equal_neighbours(slices: list[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Drop slices with the position and the image of another one, but another instance UID."""
    stack = stack_slices(_grids(slices))
    pairs = duplicated(stack)
    if not pairs:
        return slices, []
    dropped: set[int] = set()
    prints = {place: _fingerprint(slices[stack.order[place]]) for pair in pairs for place in pair}
    for first, second in pairs:
        if prints[first] == prints[second]:
            dropped.add(stack.order[second])
    copies = [Copies(slices[index].instance, "duplicate-slice", 1) for index in sorted(dropped)]
    return [slice_ for index, slice_ in enumerate(slices) if index not in dropped], copies


_TELLERS: tuple[Callable[[Slice], object], ...] = (
    lambda slice_: slice_.number,
    lambda slice_: slice_.description,
    lambda slice_: slice_.acquisition,
    lambda slice_: slice_.thickness or 0.0,
)


def _told_apart(slices: list[Slice]) -> list[list[Slice]]:
    """Overlapping series that share one UID, told apart by one more tag if that is enough."""
    if not duplicated(stack_slices(_grids(slices))):
        return [slices]
    for teller in _TELLERS:
        parts: dict[object, list[Slice]] = defaultdict(list)
        for slice_ in slices:
            parts[teller(slice_)].append(slice_)
        whole = all(not duplicated(stack_slices(_grids(part))) for part in parts.values())
        if len(parts) > 1 and whole:
            return [parts[key] for key in sorted(parts, key=repr)]
    return [slices]
