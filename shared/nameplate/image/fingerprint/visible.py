"""What a slice shows: the reconstructed field, the air in it, and where the head is; several measures ask."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.slices import Missing, Slices, extremes, once, without_holes

Mask = NDArray[np.bool_]

AIR_HU = -700.0
"""Darker is air; a foam is air, too."""
SKIN_HU = -500.0
"""Half way from air to soft tissue."""
CUT_HU = -200.0
"""Where nothing is darker, a window has cut off air and fat."""
MIDDLE_SHARE = 0.6
"""Slices count as the middle of the head if they have this share of the largest slice's brain."""
COARSE_MM = 1.1
"""Pixels up to this size show the shape of the head well enough."""
EDGE_SHARE = 0.05
"""A line of pixels belongs to the field if this share of it is seen: less is noise or an edge's blur."""


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """The reconstructed field of each slice: all it has that is no padding."""

    padding: float | None
    """The value that fills all corners of all slices; None where they differ, so that all is seen."""
    seen: Mask
    """(k, j, i): not padding."""
    boxes: NDArray[np.intp]
    """(slices, 4): first row, row after the last, first column, column after the last, of what is seen."""


def middle_slices(brain: Mask) -> NDArray[np.intp]:
    """The slices in which the brain is large, at its level whatever the scan covers; none without a brain."""
    sizes = brain.sum(axis=(1, 2))
    return np.flatnonzero(sizes >= max(MIDDLE_SHARE * float(sizes.max(initial=0)), 1.0))


def some_middle_slices(brain: Mask, most: int = 4) -> NDArray[np.intp]:
    """At most ``most`` of the middle slices, evenly picked: a table or a field is the same in all."""
    chosen = middle_slices(brain)
    return chosen[:: -(-len(chosen) // most)] if len(chosen) else chosen


@once
def coarser(slices: Slices) -> Slices:
    """Every second pixel or fewer, so that pixels are about ``COARSE_MM``: the head's shape needs no more."""
    down, across = (max(1, int(COARSE_MM / size)) for size in slices.pixel_mm)
    if down == across == 1:
        return slices
    return Slices(
        hu=np.ascontiguousarray(slices.hu[:, ::down, ::across]),
        brain=np.ascontiguousarray(slices.brain[:, ::down, ::across]),
        pixel_mm=(slices.pixel_mm[0] * down, slices.pixel_mm[1] * across),
        slice_mm=slices.slice_mm,
        adjacent=slices.adjacent,
        thickness_mm=slices.thickness_mm,
    )


@once
def hidden(slices: Slices) -> Missing | None:
    """Why nothing outside of the head can be measured, if so."""
    lowest = extremes(slices)[0]
    if not np.isfinite(lowest):
        return Missing("no voxel has a value")
    if _even(slices.hu[:, ::8, ::8], slices.brain[:, ::8, ::8]) and _even(slices.hu, slices.brain):
        return Missing("only the brain is shown")
    if lowest > CUT_HU:
        return Missing("a window has cut off the air")
    return None


def _even(hu: NDArray[np.float32], brain: Mask) -> bool:
    outside = ~brain
    if not outside.any():
        return True
    return not bool(np.any(outside & (hu != hu.flat[outside.argmax()])))


def fields_of(hu: NDArray[np.float32]) -> Fields:
    """The fields of slices (k, j, i). What is not known (NaN) is not seen.

    A straightened tilted series has its fields at different places of one larger square.
    """
    count = len(hu)
    corners = hu[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    first = float(corners.flat[0]) if corners.size else np.nan
    padding = first if np.isfinite(first) and bool(np.all(corners == first)) else None
    seen = np.isfinite(hu) if padding is None else np.isfinite(hu) & (hu != padding)
    boxes = np.empty((count, 4), np.intp)
    for k in range(count):
        boxes[k, :2] = _reach(seen[k].mean(axis=1))
        boxes[k, 2:] = _reach(seen[k].mean(axis=0))
    return Fields(padding, seen, boxes)


def _reach(shares: NDArray[np.float64]) -> tuple[int, int]:
    lines = np.flatnonzero(shares > EDGE_SHARE)
    return (int(lines[0]), int(lines[-1]) + 1) if len(lines) else (0, 0)


def heads_of(hu: NDArray[np.float32], brain: Mask, pixel_mm: tuple[float, float]) -> Mask:
    """The head in each slice: what is denser than air and hangs together with the brain, holes filled.

    What touches the skin by less than about 4 mm (a holder, a tube) is cut off. Axes (k, j, i).
    """
    from scipy import ndimage  # imported here: a command that only reads records does not need it

    dense = hu > SKIN_HU
    down, across = (max(1, round(2.0 / size)) for size in pixel_mm)
    rows, columns = np.ogrid[-down : down + 1, -across : across + 1]
    disc = np.hypot(rows / down, columns / across) <= 1.1
    ours = np.zeros_like(brain)
    for k in np.flatnonzero(brain.any(axis=(1, 2))):
        solid = ndimage.binary_opening(dense[k], disc) | brain[k]
        labels, _ = ndimage.label(solid)
        ours[k] = labels == np.bincount(labels[brain[k]]).argmax()
    return without_holes(ours)


@dataclass(frozen=True, slots=True, eq=False)
class Heads:
    """Some slices through the middle of the head; arrays have axes (k, j, i)."""

    hu: NDArray[np.float32]
    brain: Mask
    fields: Fields
    heads: Mask


@once
def some_heads(slices: Slices) -> Heads | None:
    """The fields and heads of ``some_middle_slices``; None where there is no brain."""
    chosen = some_middle_slices(slices.brain)
    if not len(chosen):
        return None
    hu, brain = slices.hu[chosen], slices.brain[chosen]
    return Heads(hu, brain, fields_of(hu), heads_of(hu, brain, slices.pixel_mm))
