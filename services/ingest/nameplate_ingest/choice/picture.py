"""The picture as a witness: whether a volume shows one whole head without a contrast agent.

finding        meaning
no-head        bone encloses no brain
phantom        a hollow skull, or one that holds something else
several-heads  more than one skull with a brain
no-bone        hardly any bone
no-air         hardly any air around, or air that does not read near -1000 HU
brain-hu       what the skull holds does not read like brain
head-cut       the head reaches the border of the picture
brain-cut      the brain goes on beyond the first or the last slice
body           lungs, shoulders or a long neck
enhanced       vessels, sinuses or the lining of the skull are bright

Each refuses, or leaves a doubt, or is a note. Bounds are wide: a head with a bleed, lime, metal, a bone
flap or none, of a child, noisy or tilted, is a head.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nameplate.image.volume import Volume
from nameplate_ingest.choice.enhancement import Enhancement, enhancement
from nameplate_ingest.choice.quick_strip import (
    Cells,
    Mask,
    QuickStrip,
    grown,
    on_voxels,
    planes_of,
    quick_strip,
    shrunk,
)

Weight = Literal["refuses", "doubtful", "note"]

LEAST_BRAIN_ML = (150.0, 250.0)
"""Less refuses; less leaves a doubt."""
LEAST_BONE_ML = 30.0
BRAIN_HU = (8.0, 65.0)
"""Median beyond these refuses: water, plastic, another scale."""
LIKELY_BRAIN_HU = (14.0, 56.0)
AIR_HU = (-850.0, -930.0)
"""Median of the air: above the first refuses, above the second leaves a doubt."""
LEAST_AIR = (0.05, 0.10)
"""Share of the round field that is air."""
MOST_WIDTH_MM = (250.0, 220.0)
"""Of soft parts, from left to right: no head is as wide."""
MOST_NECK_MM = (120.0, 90.0)
COARSE_MM = (4.5, 2.5)
"""In large pixels skin looks like lung, and bone like a vessel: above the first size they are not looked for,
above the second they leave no doubts."""
MOST_LUNG_ML = (200.0, 100.0)
CUT_MM = ((50.0, 38.0), (40.0, 25.0))
"""Contact with the border within a slice, and the height of such slices: both refuse; both leave a doubt."""
MISSING_MM = (20.0, 4.0)
"""Of the brain beyond an end slice: refuses; a note."""
_PROFILE = (0.10, 0.34, 0.50, 0.65, 0.80, 0.92, 1.0), (0.0, 5.0, 12.0, 18.0, 25.0, 32.0, 40.0)
"""Of a tilted adult head: area of a slice over the largest one's, and its height above the foramen magnum."""
_FLAT_PROFILE = (0.10, 0.25, 0.40, 0.60, 0.80, 1.0), (0.0, 20.0, 35.0, 45.0, 55.0, 65.0)
"""The same for a head that is not tilted, whose posterior fossa comes first."""
_ADULT_CM2 = 170.0
_VAULT_MM = 65.0
"""From the largest slice of an adult brain to its top."""
SINUS_MM = (38.0, 23.0)
"""Height of a bright sinus: above the first refuses, above the second leaves a doubt."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with the picture; ``seen`` has numbers and words of this code alone."""

    name: str
    seen: str
    weight: Weight

    @property
    def refuses(self) -> bool:
        """Whether it is certain that this is no whole plain head."""
        return self.weight == "refuses"

    @property
    def doubtful(self) -> bool:
        """Whether a person should look."""
        return self.weight == "doubtful"


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """What a look at the picture found."""

    findings: tuple[Finding, ...]
    """Those that refuse first, then doubts, then notes."""
    brain: Mask
    """Cells that hold brain, axes (i, j, k) as in the volume, a few millimetres each: ``cells``."""
    brain_ml: float
    brain_hu: float
    """Median; 0 without a brain."""
    cells: Cells
    enhancement: Enhancement

    def mask(self) -> NDArray[np.bool_]:
        """The brain on the voxels of the volume, axes (i, j, k)."""
        return self.cells.on_voxels(self.brain.transpose(2, 1, 0)).transpose(2, 1, 0)


def look(volume: Volume) -> Look:
    """Look at a volume of int16 HU in canonical axis order; any volume gets an answer.

    The same for any number of threads; left and right exchanged give the mirrored mask and equal findings.
    """
    spacing = tuple(float(size) for size in np.nan_to_num(volume.spacing_mm, nan=1.0, posinf=100.0)[::-1])
    spacing_KJI = (spacing[0], spacing[1], spacing[2])
    hu = planes_of(volume.array)
    strip = quick_strip(hu, spacing_KJI)
    median = _median_inside(hu, strip)
    signs = enhancement(hu, strip.cells, strip.brain, strip.cells.voxel_mm)
    believed = _believed(max(spacing_KJI[1:]))
    found = [*_field(hu, strip), *_content(strip, median), *_extent(strip)]
    found += (one for one in (*_lung(strip), *_signs(signs)) if one.weight in believed)
    found.sort(key=lambda finding: ("refuses", "doubtful", "note").index(finding.weight))
    return Look(tuple(found), strip.brain.transpose(2, 1, 0), strip.brain_ml, median, strip.cells, signs)


def _median_inside(hu: NDArray[np.int16], strip: QuickStrip) -> float:
    """Median HU of the brain without its outermost cells, if anything is left of it then."""
    inner = shrunk(strip.brain)
    inner = inner if inner.any() else strip.brain
    chosen = np.flatnonzero(inner.any(axis=(1, 2)))
    if not len(chosen):
        return 0.0
    edges = strip.cells.edges[0]
    first, last = int(chosen[0]), int(chosen[-1]) + 1
    part = on_voxels(inner[first:last], (edges[first : last + 1], *strip.cells.edges[1:]))
    return float(np.median(hu[edges[first] : edges[last]][part]))


def _above(value: float, limits: tuple[float, float]) -> Weight | None:
    """Refuses above the first limit, leaves a doubt above the second."""
    return "refuses" if value > limits[0] else "doubtful" if value > limits[1] else None


def _field(hu: NDArray[np.int16], strip: QuickStrip) -> Iterator[Finding]:
    """Air around and bone somewhere."""
    cells = strip.cells
    bone_ml = float(cells.bone.sum(dtype=np.float64)) * cells.ml
    if bone_ml < LEAST_BONE_ML:
        yield Finding("no-bone", f"{bone_ml:.0f} mL of bone", "refuses")
    inside = _from_middle(cells) < 0.95
    air = float(np.round(cells.air[:, inside].mean(), 6)) if inside.any() and cells.air.size else 0.0
    weight = _above(-air, (-LEAST_AIR[0], -LEAST_AIR[1]))
    if weight:
        yield Finding("no-air", f"{100 * air:.0f} % of the field is air", weight)
        return
    thin = hu[:: max(1, len(hu) // 3)]
    low = thin[thin < -300]
    level = float(np.median(low)) if low.size else 0.0
    if weight := _above(level, AIR_HU):
        yield Finding("no-air", f"air reads {level:.0f} HU", weight)


def _content(strip: QuickStrip, median: float) -> Iterator[Finding]:
    """One skull, with a brain in it."""
    ml, hollow = strip.brain_ml, float(np.count_nonzero(strip.hollow)) * strip.cells.ml
    if ml < LEAST_BRAIN_ML[0]:
        name, what = (
            ("phantom", "a hollow of") if hollow > 500.0 and ml < 0.2 * hollow else ("no-head", "bone around")
        )
        yield Finding(name, f"{what} {hollow:.0f} mL with {ml:.0f} mL of brain", "refuses")
        return
    if ml < LEAST_BRAIN_ML[1]:
        yield Finding("no-head", f"only {ml:.0f} mL of brain", "doubtful")
    if strip.others_ml > max(350.0, 0.35 * ml):
        yield Finding("several-heads", f"brains of {ml:.0f} and {strip.others_ml:.0f} mL", "refuses")
    if not BRAIN_HU[0] <= median <= BRAIN_HU[1]:
        yield Finding("brain-hu", f"median {median:.0f} HU", "refuses")
    elif not LIKELY_BRAIN_HU[0] <= median <= LIKELY_BRAIN_HU[1]:
        yield Finding("brain-hu", f"median {median:.0f} HU", "doubtful")


def _extent(strip: QuickStrip) -> Iterator[Finding]:
    """Neither cut nor more than a head."""
    cells = strip.cells
    up, down, across = cells.spacing_mm
    # From left to right, only what is some centimetres deep: not ears, not the table.
    columns = cells.soft.sum(axis=1) * down >= 60.0
    widths = np.sort(columns.sum(axis=1) * across)[::-1]
    second = float(widths[min(1, len(widths) - 1)]) if len(widths) else 0.0
    if weight := _above(second, MOST_WIDTH_MM):
        yield Finding("body", f"soft parts {second:.0f} mm wide", weight)
    areas = strip.brain.sum(axis=(1, 2)) * (down * across / 100.0)
    if strip.brain_ml < LEAST_BRAIN_ML[0]:
        return
    slices = np.flatnonzero(areas >= 0.15 * areas.max())
    filled = (cells.soft + cells.bone).sum(axis=(1, 2)) * (down * across / 100.0) >= 25.0
    neck = float(np.count_nonzero(filled[: slices[0]])) * up
    if weight := _above(neck, MOST_NECK_MM):
        yield Finding("body", f"{neck:.0f} mm of neck and more below the brain", weight)
    yield from _cut(strip, areas)


def _believed(pixel_mm: float) -> tuple[Weight, ...]:
    """Which findings about lung and vessels count in pixels of this size."""
    if pixel_mm > COARSE_MM[0]:
        return ()
    return ("refuses",) if pixel_mm > COARSE_MM[1] else ("refuses", "doubtful", "note")


def _lung(strip: QuickStrip) -> Iterator[Finding]:
    """Lung among something soft."""
    lung = float(np.count_nonzero(_within(strip.cells.lung > 0.7, strip.cells.soft > 0.5))) * strip.cells.ml
    if weight := _above(lung, MOST_LUNG_ML):
        yield Finding("body", f"{lung:.0f} mL of lung", weight)


def _within(thin: Mask, soft: Mask) -> Mask:
    """Cells with something soft on all four sides within their slice."""
    result = thin
    for axis in (1, 2):
        for step in (slice(None), slice(None, None, -1)):
            view = np.flip(soft, axis) if step.step else soft
            met = np.maximum.accumulate(view, axis=axis)
            result = result & (np.flip(met, axis) if step.step else met)
    return result


def _cut(strip: QuickStrip, areas_cm2: NDArray[np.float64]) -> Iterator[Finding]:
    """The head beyond the field, the brain beyond the end slices."""
    cells = strip.cells
    # Where bone is cut off, the rest of the brain is less enclosed, but no bone keeps it from the border.
    tissue = (cells.tissue > 0.5) & (cells.bone <= 0.25)
    reached = strip.brain
    for _ in range(max(1, round(30.0 / max(cells.spacing_mm[1:])))):
        reached = reached | (grown(reached) & tissue)
    touch = reached & _border(cells)
    contact = touch.sum(axis=(1, 2)) * float(np.sqrt(cells.spacing_mm[1] * cells.spacing_mm[2]))
    for (wide, high), weight in zip(CUT_MM, ("refuses", "doubtful"), strict=True):
        height = float(np.count_nonzero(contact >= wide)) * cells.spacing_mm[0]
        if height >= high:
            seen = f"{contact.max():.0f} mm of the inside at the border of the field, {height:.0f} mm high"
            yield Finding("head-cut", seen, "refuses" if weight == "refuses" else "doubtful")
            break
    largest = float(areas_cm2.max())
    size = float(np.sqrt(largest / _ADULT_CM2))
    first, last = float(areas_cm2[0]) / largest, float(areas_cm2[-1]) / largest
    top = _VAULT_MM * size * (1.0 - np.sqrt(1.0 - last))
    base = float(np.interp(first, *_PROFILE)) * size
    most = float(np.interp(first, *_FLAT_PROFILE)) * size
    for place, missing, perhaps in (("above", top, top), ("below", base, most)):
        if missing > MISSING_MM[1]:
            weight_: Weight = (
                "refuses" if missing > MISSING_MM[0] else "doubtful" if perhaps > 30.0 else "note"
            )
            yield Finding("brain-cut", f"some {missing:.0f} mm of the brain {place} the slices", weight_)


def _from_middle(cells: Cells) -> NDArray[np.float64]:
    """Distance of each cell's middle from that of the slice, in halves of its shorter side; axes (j, i)."""
    offsets = []
    half = min(cells.edges[axis][-1] * cells.voxel_mm[axis] for axis in (1, 2)) / 2.0
    for axis in (1, 2):
        edge = cells.edges[axis]
        offsets.append((edge[1:] + edge[:-1] - edge[-1]) / 2.0 * cells.voxel_mm[axis] / max(half, 1e-6))
    distance: NDArray[np.float64] = np.hypot(offsets[0][:, None], offsets[1])
    return distance


def _border(cells: Cells) -> Mask:
    """Cells at the border of the square field, and of the circle in it where nothing is outside; (j, i)."""
    place = _from_middle(cells)
    border = np.zeros(place.shape, bool)
    border[[0, -1]] = border[:, [0, -1]] = True
    corners = place > 1.05
    if corners.any() and float(cells.air[:, corners].mean()) > 0.999:
        cell = max(cells.spacing_mm[1:]) / max(1e-6, place.shape[0] * cells.spacing_mm[1] / 2.0)
        border |= (place > 1.0 - 1.5 * cell) & (place <= 1.0)
    return border


def _signs(signs: Enhancement) -> Iterator[Finding]:
    """A contrast agent."""
    many = signs.spots >= 12 and signs.spots_places >= 8 and signs.spots_mm >= 40.0
    most = signs.spots >= 10 and signs.spots_places >= 13 and signs.spots_mm >= 60.0
    weight = _above(signs.sinus_mm, SINUS_MM)
    if most or many:
        # Lime can be in many places, but is not in the sinus too.
        seen = f"{signs.spots} bright spots in {signs.spots_places} of 27 parts of the brain"
        yield Finding("enhanced", seen, "refuses" if most or weight else "doubtful")
    if weight:
        yield Finding("enhanced", f"a bright sinus over {signs.sinus_mm:.0f} mm", weight)
    lines = signs.long_spots >= 2 and signs.spots >= 10 and signs.spots_mm >= 80.0
    if signs.long_spots >= 3 or lines or signs.longest_mm > 90.0:  # catheters are shorter
        seen = f"{signs.long_spots} long bright lines in the brain, up to {signs.longest_mm:.0f} mm"
        yield Finding("enhanced", seen, "doubtful")
    if signs.rim_mm > 37.0:
        yield Finding("enhanced", f"a bright lining of the skull over {signs.rim_mm:.0f} mm", "doubtful")
