"""Signs of a contrast agent in the picture: vessels deep in the brain, a bright sinus below the skull.

Without an agent, what is bright inside of a skull is blood (60 to 90 HU, and wide), lime (in a few places) or
metal (in a few slices). With one, vessels are narrow, bright and everywhere; when they have faded, the large
sinus below the back of the skull is still bright over most of its height. Arrays have axes (k, j, i).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.choice.quick_strip import Cells, Mask, box_of, flooded, grown, shrunk

SPOT_HU = 95.0
"""A vessel with an agent is brighter than this even in thick slices; clotted blood hardly ever is."""
SPOT_RISE_HU = 45.0
"""By how much a vessel is brighter than what is around it; inside of a bleed nothing is."""
_TISSUE_HU = 35.0
_SURE = 4.8
"""Times the noise: no more than one voxel of a brain is as bright by chance."""
_RIDGE_MM = 15.0
"""What is joined to the skull is bone down to this depth: ridges, and a thick inner table."""
_METAL_HU = 1500
LONG_MM = 35.0
BLUR_MM = 2.6
SKULL_HU = 400
SINUS_HU = (100, 400)
DEPTHS_MM = (3.0, 4.0, 5.0)
"""Below the skull: far enough in to be out of its blur, near enough to be in the sinus."""
_ANGLES = 120
_MOST_RAYS = 8
"""Rays that the sinus fills at most, 3 degrees apart: 32 mm at 80 mm from the middle."""
_BACK_RAYS = 14
"""Rays to either side of straight back among which the sinus is; heads are turned."""
_SHIFT_RAYS = 3.0
"""How far the sinus moves from slice to slice at most."""
_AROUND = 5
"""Rays beside the sinus that must not be bright."""


@dataclass(frozen=True, slots=True)
class Enhancement:
    """Measures that grow with an agent."""

    spots: int = 0
    """Narrow bright spots deep in the brain, those of neighbouring cells counted as one."""
    spots_mm: float = 0.0
    """Height of the slices in which there are some, added up."""
    spots_places: int = 0
    """Of 27 parts of the brain (thirds along each axis), those with some."""
    long_spots: int = 0
    """Of the spots, those that go on for more than ``LONG_MM``."""
    longest_mm: float = 0.0
    """Of the spots, the one that reaches furthest along an axis; 0 where metal throws streaks."""
    sinus_mm: float = 0.0
    """Height over which something bright and narrow lies below the back of the skull."""
    rim_mm: float = 0.0
    """Height of the slices in which something bright lies below most of the skull."""


def enhancement(
    hu_KJI: NDArray[np.int16], cells: Cells, brain: Mask, spacing_mm: tuple[float, float, float]
) -> Enhancement:
    """Measure the signs; ``brain`` is a mask of cells, ``spacing_mm`` is along k, j and i."""
    if not brain.any():
        return Enhancement()
    spots = deep_spots(hu_KJI, cells, brain, spacing_mm[1:])
    sinus, rim = below_skull(hu_KJI, cells, brain, spacing_mm[1:])
    groups = _groups(spots)
    lengths = [max((np.ptp(group, axis=0) + 1) * cells.spacing_mm) for group in groups]
    longest = float(max(lengths, default=0.0))
    if longest > LONG_MM and _metal(hu_KJI, cells, brain):
        longest = 0.0
    return Enhancement(
        spots=len(groups),
        spots_mm=float(np.count_nonzero(spots.any(axis=(1, 2)))) * cells.spacing_mm[0],
        spots_places=_thirds(spots, brain),
        long_spots=sum(bool(length > LONG_MM) for length in lengths),
        longest_mm=longest,
        sinus_mm=sinus * spacing_mm[0],
        rim_mm=rim * spacing_mm[0],
    )


def deep_spots(hu_KJI: NDArray[np.int16], cells: Cells, brain: Mask, pixel_mm: tuple[float, float]) -> Mask:
    """Cells deep in the brain, and not beside the skull, that hold a narrow bright spot."""
    around = box_of(brain, 3)
    solid = shrunk(grown(brain[around], corners=True), corners=True)
    bone = cells.bone[around] > 0.25
    # Bright vessels and lime are bone by their HU, but not joined to the bone outside, or only by an end.
    core = solid
    for _ in range(max(1, round(_RIDGE_MM / min(cells.spacing_mm)))):
        core = shrunk(core)
    skull = flooded(bone & ~core, bone & ~solid)
    deep = np.zeros(brain.shape, bool)
    deep[around] = shrunk(solid, corners=True) & ~grown(skull, corners=True)
    found = np.zeros(brain.shape, bool)
    if not deep.any():
        return found
    box = box_of(deep, 0)
    edges = [edge[part.start : part.stop + 1] for edge, part in zip(cells.edges, box, strict=True)]
    part = hu_KJI[tuple(slice(int(edge[0]), int(edge[-1])) for edge in edges)]
    edges = [edge - edge[0] for edge in edges]
    hu = np.clip(part, -200, 600)
    # Sums of whole numbers up to 2**24 are exact in any order: a mirrored picture gives the same spots.
    sums, count = _sums_around_voxels(hu.astype(np.float32), pixel_mm)
    noise = _noise(sums, count, pixel_mm) / count
    k, j, i = np.nonzero(sums > max(SPOT_HU, _TISSUE_HU + _SURE * noise) * count)
    cell = tuple(
        np.repeat(np.arange(len(edge) - 1), np.diff(edge))[at]
        for edge, at in zip(edges, (k, j, i), strict=True)
    )
    level = _means_around(np.minimum(hu, 150).astype(np.float32), edges)
    rises = sums[k, j, i] / count - level[cell] > max(SPOT_RISE_HU, _SURE * noise)
    found[box][tuple(index[rises] for index in cell)] = True
    return found & deep


def _sums_around_voxels(
    values: NDArray[np.float32], pixel_mm: tuple[float, float]
) -> tuple[NDArray[np.float32], int]:
    """Sums over squares of about ``BLUR_MM`` within the slices, and the pixels of a square."""
    count = 1
    for axis, pixel in ((1, pixel_mm[0]), (2, pixel_mm[1])):
        reach = min(_reach(pixel), values.shape[axis] - 1)
        near = np.moveaxis(values, axis, 0)
        total = near.copy()
        for step in range(1, reach + 1):
            total[step:] += near[:-step]
            total[:step] += near[:1]
            total[:-step] += near[step:]
            total[-step:] += near[-1:]
        values = np.moveaxis(total, 0, axis)
        count *= 2 * reach + 1
    return values, count


def _reach(pixel_mm: float) -> int:
    """Pixels to either side of the middle one in a square of about ``BLUR_MM``."""
    return min(max(round((BLUR_MM / pixel_mm - 1.0) / 2.0), 0), 15)


def _noise(sums: NDArray[np.float32], count: int, pixel_mm: tuple[float, float]) -> float:
    """Standard deviation of the noise in sums over squares, from squares of soft parts side by side."""
    step = 2 * _reach(pixel_mm[1]) + 1
    some = sums[:: max(1, len(sums) // 6)]
    soft = (some > -150 * count) & (some < 250 * count)
    both = soft[:, :, step:] & soft[:, :, :-step]
    apart = np.abs(some[:, :, step:] - some[:, :, :-step])[both]
    # The median of the magnitude of a difference of two is 0.954 standard deviations.
    return float(np.median(apart)) / 0.954 if apart.size else 0.0


def _means_around(values: NDArray[np.float32], edges: list[NDArray[np.intp]]) -> NDArray[np.float64]:
    """Mean of each cell and its eight neighbours within the slice."""
    sums = values
    counts = np.ones((1, 1, 1))
    for axis in (1, 2, 0):
        sums = np.add.reduceat(sums, edges[axis][:-1], axis=axis)
        shape = [1, 1, 1]
        shape[axis] = -1
        counts = counts * np.diff(edges[axis]).reshape(shape)
    wide = []
    for total in (sums.astype(np.float64), np.broadcast_to(counts, sums.shape)):
        for axis in (1, 2):
            near = np.moveaxis(total, axis, 0)
            more = near.copy()
            more[1:] += near[:-1]
            more[:-1] += near[1:]
            total = np.moveaxis(more, 0, axis)
        wide.append(total)
    means: NDArray[np.float64] = wide[0] / wide[1]
    return means


def _metal(hu_KJI: NDArray[np.int16], cells: Cells, brain: Mask) -> bool:
    """Whether a clip, a coil or an electrode lies in the brain."""
    return bool((hu_KJI[cells.on_voxels(shrunk(brain))] > _METAL_HU).any())


def _groups(spots: Mask) -> list[list[tuple[int, int, int]]]:
    """Neighbouring cells, corner to corner, together."""
    rest = {(int(k), int(j), int(i)) for k, j, i in np.argwhere(spots)}
    groups = []
    steps = [(a, b, c) for a in (-1, 0, 1) for b in (-1, 0, 1) for c in (-1, 0, 1)]
    while rest:
        group = [rest.pop()]
        for k, j, i in group:  # grows while it is walked through
            near = rest.intersection([(k + a, j + b, i + c) for a, b, c in steps])
            rest -= near
            group.extend(near)
        groups.append(group)
    return groups


def _thirds(spots: Mask, brain: Mask) -> int:
    """How many of the 27 parts of the box around the brain hold a spot."""
    parts = []
    for axis, axes in enumerate(((1, 2), (0, 2), (0, 1))):
        places = np.flatnonzero(brain.any(axis=axes))
        first, count = int(places[0]), int(places[-1]) + 1 - int(places[0])
        parts.append(np.clip((np.nonzero(spots)[axis] - first) * 3 // count, 0, 2))
    return len(set(zip(*(part.tolist() for part in parts), strict=True)))


def below_skull(
    hu_KJI: NDArray[np.int16], cells: Cells, brain: Mask, pixel_mm: tuple[float, float]
) -> tuple[int, int]:
    """Slices with something bright below the back of the skull, and those with it below most of the skull.

    Looked at are slices above the base in which the skull stands upright: where the next cell up holds nearly
    as much brain. For the first number, the bright places must lie above each other.
    """
    areas = brain.sum(axis=(1, 2))
    upright = (areas >= 0.3 * areas.max()) & (np.append(areas[1:], 0) >= 0.8 * areas)
    upright[: int((areas >= 0.85 * areas.max()).argmax())] = False
    rim = 0
    places: list[list[float]] = []
    for cell in np.flatnonzero(upright):
        for k in range(int(cells.edges[0][cell]), int(cells.edges[0][cell + 1])):
            bright, seen = _bright_rays(hu_KJI[k], cells, brain[cell], pixel_mm)
            places.append(_sinus_rays(bright))
            rim += bool(bright.sum() > 0.6 * max(int(seen.sum()), _ANGLES // 2))
    return _longest_chain(places), rim


def _longest_chain(places: list[list[float]]) -> int:
    """Slices in the longest chain of places that lie above each other, with gaps of one slice at most."""
    lengths: list[list[int]] = []
    for number, here in enumerate(places):
        lengths.append([])
        for place in here:
            below = [
                length
                for other in range(max(0, number - 2), number)
                for length, before in zip(lengths[other], places[other], strict=True)
                if abs(place - before) <= _SHIFT_RAYS
            ]
            lengths[-1].append(1 + max(below, default=0))
    return max((length for row in lengths for length in row), default=0)


def _bright_rays(
    plane: NDArray[np.int16], cells: Cells, brain_JI: Mask, pixel_mm: tuple[float, float]
) -> tuple[Mask, Mask]:
    """Of the rays from the middle of a slice, those that end below the skull in something bright, and those
    that find the skull; the middle one of them goes straight back."""
    inside = np.repeat(brain_JI, np.diff(cells.edges[1]), axis=0)
    inside = np.repeat(inside, np.diff(cells.edges[2]), axis=1)
    angle = (np.arange(_ANGLES // 2) + 0.5) * (2 * np.pi / _ANGLES)
    # The second half mirrors the first, so that a mirrored picture gives mirrored rays to the last bit.
    forward = np.concatenate([np.cos(angle), np.cos(angle)[::-1]])
    right = np.concatenate([np.sin(angle), -np.sin(angle)[::-1]])
    rows, columns = (np.flatnonzero(inside.any(axis=axis)) for axis in (1, 0))
    step = max(1.0, min(pixel_mm) / 2)
    reach = np.arange(0.0, 125.0, step)[:, None]
    j = np.rint((int(rows[0]) + int(rows[-1])) / 2 + reach * forward / pixel_mm[0]).astype(np.intp)
    middle = (int(columns[0]) + int(columns[-1])) / 2
    i = _rounded_from(middle, reach * right / pixel_mm[1])
    j, i = np.clip(j, 0, plane.shape[0] - 1), np.clip(i, 0, plane.shape[1] - 1)
    values, within = plane[j, i], inside[j, i]
    last = np.where(within.any(axis=0), len(reach) - 1 - within[::-1].argmax(axis=0), 0)
    hard = values > SKULL_HU
    hard[:-1] &= values[1:] > SKULL_HU
    # Lime and metal in the brain are no skull: it begins where the mask ends, give or take a sinus.
    hard &= reach >= np.maximum(reach[last, 0] - 8.0, 10.0)
    edge = hard.argmax(axis=0)
    seen = hard.any(axis=0)
    depths = np.array(DEPTHS_MM) + max(0.0, max(pixel_mm) - 1.5)
    back = np.maximum(edge - np.rint(depths / step).astype(np.intp)[:, None], 0)
    below = values[back, np.arange(_ANGLES)]
    bright = seen & (below.min(axis=0) > SINUS_HU[0]) & (below.max(axis=0) < SINUS_HU[1])
    return bright, seen


def _rounded_from(middle: float, offset: NDArray[np.float64]) -> NDArray[np.intp]:
    """Nearest pixels, halves away from the middle, so that both sides are treated alike."""
    whole = np.floor(np.abs(offset) + (0.5 if float(middle).is_integer() else 0.0))
    if not float(middle).is_integer():
        whole += 0.5
    places: NDArray[np.intp] = np.rint(middle + np.sign(offset) * whole).astype(np.intp)
    return places


def _sinus_rays(bright: Mask) -> list[float]:
    """Middles of groups of a few bright rays near the back that have none beside them."""
    rays = np.flatnonzero(bright)
    if not len(rays):
        return []
    groups = np.split(rays, np.flatnonzero(np.diff(rays) > _AROUND) + 1)
    middles = [(int(group[0]) + int(group[-1])) / 2 for group in groups if np.ptp(group) < _MOST_RAYS]
    back = (len(bright) - 1) / 2
    return [middle for middle in middles if abs(middle - back) <= _BACK_RAYS]
