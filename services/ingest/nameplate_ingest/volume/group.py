"""The images of a study as groups that could each be one volume: passes apart, blocks of a head together."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nameplate_ingest.dicom.geometry import SliceGeometry, parallel
from nameplate_ingest.dicom.slice import Slice
from nameplate_ingest.fields.person import contradict
from nameplate_ingest.volume.copies import (
    Copies,
    copies_of,
    sort_key,
    without_copies,
    without_equal_neighbours,
)
from nameplate_ingest.volume.passes import by_number, chained, heights_of, runs_of, stray_gaps
from nameplate_ingest.volume.series import Stack, duplicated, stack_slices

_FRAGMENT = 12
"""Series UIDs with fewer images than this may be pieces of one series."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Images that belong to one volume, or that were each refused for the same reason."""

    slices: tuple[Slice, ...]
    """In stack order if there is a stack."""
    part: int
    """Number among the groups of its series UID, from 0."""
    refusal: tuple[str, str] | None
    """Why each of these slices was refused by itself, if they were."""
    stack: Stack | None
    left_out: tuple[Copies, ...] = ()
    """Images that were left out when two groups were joined."""


def group_slices(slices: Iterable[Slice]) -> tuple[list[Group], list[Copies]]:
    """The groups of one study, in an order that does not depend on names of files and folders."""
    kept, copies = without_copies(slices)
    groups: list[Group] = []
    parts: Counter[str] = Counter()

    def add(members: Sequence[Slice], refusal: tuple[str, str] | None, stack: Stack | None) -> None:
        uid = members[0].series
        groups.append(Group(tuple(members), parts[uid], refusal, stack))
        parts[uid] += 1

    for series in _series(kept):
        for members in _alike(series):
            if members[0].refusal:
                add(members, members[0].refusal, None)
                continue
            unique, repeated = without_equal_neighbours(members)
            copies += repeated
            for volume in _told_apart(unique):
                single, junctions = _without_junctions(volume)
                copies += junctions
                stack = stack_slices(_grids(single))
                add([single[index] for index in stack.order], None, stack)
    return groups, copies


def joined(first: Group, second: Group) -> Group | None:
    """Two groups as one volume, if they are the base and the vertex of one head in two series."""
    a, b = first.slices[0], second.slices[0]
    if first.stack is None or second.stack is None or not a.frame_of_reference:
        return None
    if a.frame_of_reference != b.frame_of_reference or not _same_image(a, b):
        return None
    lower, upper = sorted((first, second), key=lambda group: heights_of(group.slices).min())
    low, high = heights_of(lower.slices), heights_of(upper.slices)
    thick = max(slice_.thickness or 0.0 for slice_ in (*lower.slices, *upper.slices))
    step = high.min() - low.max()
    if not -thick - 0.05 <= step <= 1.5 * thick or len(chained([lower.slices, upper.slices])) > 1:
        return None
    single, junctions = _without_junctions([*lower.slices, *upper.slices])
    stack = stack_slices(_grids(single))
    left_out = (*first.left_out, *second.left_out, *junctions)
    return Group(tuple(single[index] for index in stack.order), first.part, None, stack, left_out)


def thickness_of(group: Group) -> list[float]:
    """Thickness of each slice in mm; if the header lacks it, the median gap of the stack."""
    assert group.stack is not None
    gaps = group.stack.gaps
    usual = float(np.median(gaps)) if len(gaps) else 0.0
    return [slice_.thickness or usual for slice_ in group.slices]


def _series(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Images by series UID; fragments that agree in everything but the UID are one series."""
    by_uid: dict[str, list[Slice]] = defaultdict(list)
    for slice_ in slices:
        by_uid[slice_.series].append(slice_)
    whole: list[list[Slice]] = []
    fragments: dict[object, list[str]] = defaultdict(list)
    for uid in sorted(by_uid):
        members = by_uid[uid]
        if len(members) < _FRAGMENT and not any(slice_.refusal for slice_ in members):
            first = members[0]
            fragments[first.series_number, first.says, first.device.kernel, first.person].append(uid)
        else:
            whole.append(members)
    for uids in fragments.values():
        whole.append(sorted((one for uid in uids for one in by_uid[uid]), key=sort_key))
    return sorted(whole, key=lambda members: min(slice_.series for slice_ in members))


def _alike(slices: Sequence[Slice]) -> list[list[Slice]]:
    """Split a series by what two images of one volume always share."""
    frames = {slice_.frame_of_reference for slice_ in slices}
    # An anonymiser may have given each image a frame of its own; then it tells nothing.
    framed = len(frames) < max(3, len(slices))
    groups: list[list[Slice]] = []
    # Only what agrees in all that can be looked up is compared: a study may have thousands of groups.
    candidates: dict[object, list[list[Slice]]] = defaultdict(list)
    for slice_ in slices:
        alike = candidates[_lookup(slice_, framed)]
        for members in alike:
            if slice_.refusal or _same_image(members[0], slice_):
                members.append(slice_)
                break
        else:
            groups.append([slice_])
            alike.append(groups[-1])
    return groups


def _lookup(slice_: Slice, framed: bool) -> object:
    """What is exactly equal in all images of one kind."""
    if slice_.refusal or slice_.grid is None:
        return slice_.refusal
    frame = slice_.frame_of_reference if framed else ""
    told = slice_.series_number, slice_.says.series, slice_.temporal_position, frame
    return slice_.grid.rows, slice_.grid.columns, slice_.device.kernel, slice_.says.units, told


def _same_image(a: Slice, b: Slice) -> bool:
    """Same person, kernel, units and size, orientation and spacing of the pixels."""
    if a.grid is None or b.grid is None or contradict(a.person, b.person) or a.says.units != b.says.units:
        return False
    fits = max(abs(x - y) for x, y in zip(a.grid.spacing, b.grid.spacing, strict=True)) < 1e-3
    size = (a.grid.rows, a.grid.columns) == (b.grid.rows, b.grid.columns)
    return parallel(a.grid, b.grid) and fits and size and a.device.kernel == b.device.kernel


_TELLERS: tuple[Callable[[Slice], object], ...] = (
    lambda slice_: slice_.series,
    lambda slice_: slice_.says.image_type,
    lambda slice_: slice_.says.kvp or 0.0,
    lambda slice_: slice_.thickness or 0.0,
    lambda slice_: slice_.time,
    lambda slice_: slice_.frame_of_reference,
)
"""What may tell apart images of one acquisition that cannot be one stack."""


def _told_apart(slices: list[Slice]) -> list[list[Slice]]:
    """The passes over the head that share a series: each becomes a volume of its own.

    Blocks of slices that follow each other are one pass, whatever their acquisition numbers; blocks that
    overlap by more than the slice at their junction are two. Where that leaves two images at one place,
    or gaps that alternate, one more tag is tried.
    """
    apart: list[list[Slice]] = []
    for volume in chained(runs_of(slices)):
        if not _mixed(volume):
            apart.append(volume)
            continue
        apart += _by_a_tag(volume)
    return apart


def _by_a_tag(slices: list[Slice]) -> list[list[Slice]]:
    for teller in _TELLERS:
        parts: dict[object, list[Slice]] = defaultdict(list)
        for slice_ in slices:
            parts[teller(slice_)].append(slice_)
        if len(parts) > 1:
            volumes = chained([parts[key] for key in sorted(parts, key=repr)])
            if not any(map(_mixed, volumes)):
                return volumes
    volumes = chained(by_number(slices))
    return volumes if len(volumes) > 1 and not any(map(_mixed, volumes)) else [slices]


def _mixed(slices: list[Slice]) -> bool:
    """Whether the images cannot be one stack: two at one place, or gaps of two passes."""
    single, _ = _without_junctions(slices)
    stack = stack_slices(_grids(single))
    return bool(duplicated(stack)) or stray_gaps(stack.along, _thickness(single, stack)) > 0


def _thickness(slices: Sequence[Slice], stack: Stack) -> list[float]:
    return [slices[index].thickness or 0.0 for index in stack.order]


def _without_junctions(slices: Sequence[Slice]) -> tuple[list[Slice], list[Copies]]:
    """Of two slices at one place that end one block and begin the next, keep the thinner one."""
    stack = stack_slices(_grids(slices))
    pairs = duplicated(stack)
    blocks = {_block(slice_) for slice_ in slices}
    if not pairs or len(pairs) >= len(blocks):
        return list(slices), []
    dropped: set[int] = set()
    for pair in pairs:
        first, second = (slices[stack.order[place]] for place in pair)
        if _block(first) == _block(second):
            return list(slices), []
        thinner_first = (first.thickness or 0.0) <= (second.thickness or 0.0)
        dropped.add(stack.order[pair[1 if thinner_first else 0]])
    copies = [
        copies_of([slices[index]], "junction-slice", "the neighbouring block has this place too")
        for index in sorted(dropped)
    ]
    return [slice_ for index, slice_ in enumerate(slices) if index not in dropped], copies


def _block(slice_: Slice) -> tuple[str, str, float]:
    return slice_.series, slice_.acquisition, slice_.thickness or 0.0


def _grids(slices: Sequence[Slice]) -> list[SliceGeometry]:
    return [slice_.grid for slice_ in slices if slice_.grid is not None]
