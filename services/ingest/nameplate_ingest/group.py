"""The slices of a study as groups that could each be one volume, and files that are there twice."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nameplate_ingest.pixels import raw_pixels
from nameplate_ingest.refusal import Refused
from nameplate_ingest.select import Facts
from nameplate_ingest.series import (
    Stack,
    axial_angle,
    duplicated,
    field_growth,
    stack_slices,
    widest_hole,
)
from nameplate_ingest.slice import Grid, Slice


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Slices of one series UID, one orientation, one image size and one pixel spacing."""

    slices: tuple[Slice, ...]
    """In stack order where there is a stack."""
    part: int
    """Number among the groups of its series UID, from 0."""
    refusal: tuple[str, str] | None
    """What refused each of these slices alone."""
    stack: Stack | None


@dataclass(frozen=True, slots=True)
class Copies:
    """Files that repeat an image of the study."""

    instance: str
    rule: str
    files: int


def group_slices(slices: Iterable[Slice]) -> tuple[list[Group], list[Copies]]:
    """The groups of one study, in an order that names of files and folders do not touch."""
    kept, copies = _without_copies(slices)
    by_series: dict[str, list[Slice]] = defaultdict(list)
    for one in kept:
        by_series[one.series].append(one)
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
    """What the rules of selection look at."""
    stack = group.stack
    first = group.slices[0]
    assert stack is not None
    assert first.grid is not None
    thickness = thickness_of(group)
    return Facts(
        uid=f"{first.series} {group.part:06d}",
        description=first.description,
        kernel=commonest([one.tags.kernel for one in group.slices]) or "",
        contrast=any(one.contrast for one in group.slices),
        slices=len(group.slices),
        thickness_mm=_commonest_thickness(thickness),
        thickest_mm=max(thickness),
        coverage_mm=stack.extent_mm,
        axial_degrees=axial_angle(stack),
        widest_gap_mm=float(stack.gaps.max(initial=0.0)),
        growth=field_growth(stack, first.grid),
        duplicates=len(duplicated(stack)),
        hole=widest_hole(stack, [one.thickness for one in group.slices]),
    )


def thickness_of(group: Group) -> list[float]:
    """Thickness of each slice in mm; where the header lacks it, the median gap of the stack."""
    assert group.stack is not None
    gaps = group.stack.gaps
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    return [one.thickness or usual for one in group.slices]


def _commonest_thickness(thickness: Sequence[float]) -> float:
    counts = Counter(round(value, 3) for value in thickness)
    return max(counts, key=lambda value: (counts[value], value))


def commonest(values: Iterable[str]) -> str | None:
    """The commonest non-empty value, the smaller of equals; None without any."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _grids(slices: Sequence[Slice]) -> list[Grid]:
    return [one.grid for one in slices if one.grid is not None]


def _sort_key(one: Slice) -> tuple[str, str, tuple[float, ...], str, str]:
    position = one.grid.position if one.grid else ()
    return one.series, one.instance, position, one.refusal[0] if one.refusal else "", one.acquisition


def _fingerprint(one: Slice) -> bytes:
    """Digest of what makes the image: its pixels and its place."""
    digest = hashlib.sha256(repr((one.grid, one.refusal, one.series)).encode())
    if one.storage is not None:
        scale = one.storage.slope, one.storage.intercept, one.storage.signed
        digest.update(repr(scale).encode())
        try:
            digest.update(raw_pixels(one))
        except Refused as refused:
            digest.update(repr((refused.rule, refused.seen)).encode())
    return digest.digest()


def _without_copies(slices: Iterable[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Sort, and drop files whose SOP instance is there already with the same image."""
    ordered = sorted(slices, key=_sort_key)
    counts = Counter(one.instance for one in ordered)
    kept: list[tuple[Slice, bytes]] = []
    seen: dict[tuple[str, bytes], int] = {}
    for one in ordered:
        if one.instance and counts[one.instance] > 1:
            key = one.instance, _fingerprint(one)
            if key in seen:
                seen[key] += 1
                continue
            seen[key] = 0
            kept.append((one, key[1]))
        else:
            kept.append((one, b""))
    # Different images under one instance UID are ordered by their content.
    kept.sort(key=lambda pair: (_sort_key(pair[0]), pair[1]))
    copies = [Copies(instance, "duplicate-file", extra) for (instance, _), extra in seen.items() if extra]
    return [one for one, _ in kept], copies


def _alike(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Split one series UID by what refused the slice, kernel, image size, orientation and spacing."""
    groups: list[list[Slice]] = []
    for one in slices:
        for members in groups:
            if _same_kind(members[0], one):
                members.append(one)
                break
        else:
            groups.append([one])
    return groups


def _same_kind(a: Slice, b: Slice) -> bool:
    if a.refusal or b.refusal or a.grid is None or b.grid is None:
        return a.refusal == b.refusal
    near = max(abs(x - y) for x, y in zip(a.grid.orientation, b.grid.orientation, strict=True)) < 2e-3
    fits = max(abs(x - y) for x, y in zip(a.grid.spacing, b.grid.spacing, strict=True)) < 1e-3
    size = (a.grid.rows, a.grid.columns) == (b.grid.rows, b.grid.columns)
    return near and fits and size and a.tags.kernel == b.tags.kernel


def _without_equal_neighbours(slices: list[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Drop slices that lie where another lies and hold the same image under another instance UID."""
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
    return [one for index, one in enumerate(slices) if index not in dropped], copies


_TELLERS: tuple[Callable[[Slice], object], ...] = (
    lambda one: one.number,
    lambda one: one.description,
    lambda one: one.acquisition,
    lambda one: one.thickness or 0.0,
)


def _told_apart(slices: list[Slice]) -> list[list[Slice]]:
    """Series that share one UID and lie over each other, told apart by one more tag if that is enough."""
    if not duplicated(stack_slices(_grids(slices))):
        return [slices]
    for teller in _TELLERS:
        parts: dict[object, list[Slice]] = defaultdict(list)
        for one in slices:
            parts[teller(one)].append(one)
        whole = all(not duplicated(stack_slices(_grids(part))) for part in parts.values())
        if len(parts) > 1 and whole:
            return [parts[key] for key in sorted(parts, key=repr)]
    return [slices]
