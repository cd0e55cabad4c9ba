"""What the rules look at in a group of slices."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nameplate_ingest.dicom.geometry import parallel
from nameplate_ingest.dicom.statements import Statements
from nameplate_ingest.volume.group import Group, thickness_of
from nameplate_ingest.volume.passes import heights_of, stray_gaps
from nameplate_ingest.volume.series import axial_angle, duplicated, field_growth, widest_hole

_ONE_SCAN_SECONDS = 120.0
"""A head that is scanned anew because the patient moved takes longer."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rules look at in one group."""

    uid: str
    """Only breaks the last tie; it never appears in a verdict."""
    says: tuple[Statements, ...]
    """The different statements of the headers."""
    kernel: str
    slices: int
    thickness_mm: float
    """The commonest slice thickness (of equally common ones the largest)."""
    thickest_mm: float
    coverage_mm: float
    field_mm: float
    """The shorter side of a slice."""
    wide_mm: float
    """The longer side of a slice."""
    axial_degrees: float
    widest_gap_mm: float
    growth: float
    """Side of the square that contains the straightened stack, over the longer side of a slice."""
    duplicates: int
    """Slices at the position of another slice."""
    stray_gaps: int
    """Gaps that one pass does not leave."""
    hole: tuple[float, float] | None
    """Widest gap where a slice is missing, and the gap expected there, in mm."""
    passes: int = 1
    """Groups of the same series or scan that cover the same places, this one included."""
    energies: int = 1
    """Tube voltages of the same acquisition at the same places."""


def facts_of(group: Group, others: Sequence[Group] = ()) -> Facts:
    """The facts of a group of slices that has a stack; ``others`` are the study's groups."""
    stack, first = group.stack, group.slices[0]
    assert stack is not None
    assert first.grid is not None
    thickness = thickness_of(group)
    tall, wide = first.grid.rows * first.grid.spacing[0], first.grid.columns * first.grid.spacing[1]
    passes = [other for other in others if _another_pass(group, other) and _same_places(group, other)]
    energies = [other for other in others if _another_energy(group, other) and _same_places(group, other)]
    return Facts(
        uid=f"{first.series} {group.part:06d}",
        says=tuple(dict.fromkeys(slice_.says for slice_ in group.slices)),
        kernel=commonest(slice_.device.kernel for slice_ in group.slices) or "",
        slices=len(group.slices),
        thickness_mm=_commonest_thickness(thickness),
        thickest_mm=max(thickness),
        coverage_mm=stack.extent_mm,
        field_mm=min(tall, wide),
        wide_mm=max(tall, wide),
        axial_degrees=axial_angle(stack),
        widest_gap_mm=float(stack.gaps.max(initial=0.0)),
        growth=field_growth(stack, first.grid),
        duplicates=len(duplicated(stack)),
        stray_gaps=stray_gaps(stack.along, [slice_.thickness or 0.0 for slice_ in group.slices]),
        hole=widest_hole(stack, [slice_.thickness for slice_ in group.slices]),
        passes=1 + len(passes),
        energies=len({_kvp(one) for one in (group, *energies)} - {None}) or 1,
    )


def commonest(values: Iterable[str]) -> str | None:
    """The commonest non-empty value (of equally common ones the smallest); None without any."""
    counts = Counter(value for value in values if value)
    return min(counts, key=lambda value: (-counts[value], value)) if counts else None


def _commonest_thickness(thickness: Sequence[float]) -> float:
    counts = Counter(round(value, 3) for value in thickness)
    return max(counts, key=lambda value: (counts[value], value))


def _same_places(one: Group, other: Group) -> bool:
    """Whether the two stacks share at least half of the shorter one's extent, in one frame of reference."""
    if one.stack is None or other.stack is None:
        return False
    a, b = one.slices[0], other.slices[0]
    if a.frame_of_reference != b.frame_of_reference or a.grid is None or b.grid is None:
        return False
    if not parallel(a.grid, b.grid):
        return False
    heights = heights_of([*one.slices, *other.slices])
    own, theirs = heights[: len(one.slices)], heights[len(one.slices) :]
    shared = min(own.max(), theirs.max()) - max(own.min(), theirs.min())
    return bool(shared >= 0.5 * min(own.max() - own.min(), theirs.max() - theirs.min()) and shared > 0)


def _another_pass(one: Group, other: Group) -> bool:
    """Whether the groups are two passes of one series, or of one scan that has a series for each pass."""
    a, b = one.slices[0], other.slices[0]
    if one is other or (a.says.series, a.device.kernel, a.thickness) != (
        *(b.says.series, b.device.kernel, b.thickness),
    ):
        return False
    if a.series == b.series:
        return a.series_number == b.series_number
    apart = _seconds(a.time) - _seconds(b.time)
    told_apart = a.acquisition != b.acquisition or not a.acquisition
    return told_apart and 0.0 < abs(apart) <= _ONE_SCAN_SECONDS


def _seconds(time: str) -> float:
    """Seconds since midnight of HHMMSS and what may follow; not a number if it is no time."""
    digits = time[:6]
    if len(digits) < 6 or not (digits.isascii() and digits.isdigit()):
        return math.nan
    return 3600.0 * int(digits[:2]) + 60.0 * int(digits[2:4]) + int(digits[4:])


def _another_energy(one: Group, other: Group) -> bool:
    """Whether the groups are of one acquisition with several tube voltages."""
    a, b = one.slices[0], other.slices[0]
    if b.device.kvp is None or a.device.kvp == b.device.kvp or one is other:
        return False
    return a.acquisition == b.acquisition and a.time == b.time and a.device.kernel == b.device.kernel


def _kvp(group: Group) -> float | None:
    return group.slices[0].device.kvp
