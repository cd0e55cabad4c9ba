"""Size of the brain, from its mask alone: a difference here is one of the patients or of the mask."""

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices

MEASURES = (
    Measure(
        "brain_ml",
        "head",
        "mL",
        "Volume of the intracranial mask",
        "Voxels of the mask times the volume of one; only where the slices are neighbours.",
    ),
    Measure(
        "brain_length_mm",
        "head",
        "mm",
        "Length of the mask",
        "Largest extent of the mask in any slice from back to front, of lines at least 10 mm long.",
    ),
    Measure(
        "brain_width_mm",
        "head",
        "mm",
        "Width of the mask",
        "Largest extent of the mask in any slice from left to right, of lines at least 10 mm long.",
    ),
    Measure(
        "brain_height_mm",
        "head",
        "mm",
        "Height of the mask",
        "Slices with at least 1 cm2 of the mask times their distance; only where they are neighbours.",
    ),
)

LINE_MM = 10.0
"""A line of the mask shorter than this is a corner or a stray pixel, not the brain's end."""
SLICE_MM2 = 100.0
"""A slice with less of the mask than this does not count for the height."""
NO_MASK = Missing("the mask is empty")


def head_shape(slices: Slices) -> Numbers:
    """Volume (mL), length, width and height (mm) of the mask; Missing where there is none."""
    if not slices.brain.any():
        return {measure.name: NO_MASK for measure in MEASURES}
    j_mm, i_mm = slices.pixel_mm
    volume: Number = Missing("the slices are not neighbours")
    height: Number = volume
    per_slice_mm2 = slices.brain.sum(axis=(1, 2)) * (j_mm * i_mm)
    if slices.adjacent:
        volume = float(per_slice_mm2.sum()) * slices.slice_mm / 1000.0
        high = np.flatnonzero(per_slice_mm2 >= SLICE_MM2)
        if len(high):
            height = float(high[-1] - high[0] + 1) * slices.slice_mm
        else:
            height = Missing("no slice has 1 cm2 of the mask")
    return {
        "brain_ml": volume,
        "brain_length_mm": _extent(slices.brain.sum(axis=2) * i_mm, j_mm),
        "brain_width_mm": _extent(slices.brain.sum(axis=1) * j_mm, i_mm),
        "brain_height_mm": height,
    }


def _extent(lines_mm: NDArray[np.float64], step_mm: float) -> Number:
    """The largest distance from a slice's first to its last line that is long enough.

    ``lines_mm`` is the length of the mask on every line: (slices, lines).
    """
    long = lines_mm >= LINE_MM
    some = long.any(axis=1)
    if not some.any():
        return Missing("no line of the mask is 10 mm long")
    first = long.argmax(axis=1)
    last = long.shape[1] - 1 - long[:, ::-1].argmax(axis=1)
    return float((last - first + 1)[some].max()) * step_mm
