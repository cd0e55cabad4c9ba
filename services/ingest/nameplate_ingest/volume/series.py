"""Geometry of a series: order of its slices, tilt, gaps, missing and duplicated slices (pure)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.affine import angle_degrees, slice_axes
from nameplate_ingest.dicom.geometry import SliceGeometry

SAME_MM = 0.05
"""Slices nearer than this along the normal are at the same place."""
_LEANING_MM = 0.5
"""Slices whose corners are less than this off a straight stack are straight."""


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Slices in order along their normal. Vectors and positions are DICOM's (LPS), in mm."""

    order: tuple[int, ...]
    """Position in the input of each slice, from the lowest along the normal to the highest."""
    axes: NDArray[np.float64]
    """(3, 3) rows: across (columns count up), down (rows count up), normal."""
    along: NDArray[np.float64]
    """(slices,) distance along the normal from the first slice."""
    drift: NDArray[np.float64]
    """(slices, 2) shift of each slice's first pixel from the first slice's: across, down."""
    origin: NDArray[np.float64]
    """(3,) first pixel of the first slice."""
    tilt_degrees: float
    """Angle between the normal and the direction of stacking; positive when the front of the slices
    leans towards the head."""

    @property
    def gaps(self) -> NDArray[np.float64]:
        """(slices - 1,) distances between neighbouring slices along the normal."""
        return np.diff(self.along)

    @property
    def extent_mm(self) -> float:
        """From the lowest slice to the highest."""
        return float(self.along[-1]) if len(self.along) else 0.0


def stack_slices(grids: Sequence[SliceGeometry]) -> Stack:
    """Sort slices of one orientation by their positions and measure the stack.

    File names and instance numbers play no part. The tilt comes from the positions, because the tag may
    be missing or have either sign. Ties keep the order of the input.
    """
    axes = slice_axes(grids[0].orientation)
    positions = np.array([grid.position for grid in grids], dtype=np.float64)
    height = positions @ axes[2]
    order = np.argsort(height, kind="stable")
    sorted_positions = positions[order]
    relative = sorted_positions - sorted_positions[0]
    along = relative @ axes[2]
    drift = relative @ axes[:2].T
    tilt = 0.0
    if along[-1] > SAME_MM:
        lean = _lean(along, drift)
        if math.hypot(*lean) > _LEANING_MM:
            degrees = math.degrees(math.atan2(math.hypot(*lean), float(along[-1])))
            tilt = math.copysign(degrees, _front_to_head(axes))
        elif np.abs(drift).max() <= _LEANING_MM:
            drift = np.zeros_like(drift)
    return Stack(
        order=tuple(int(index) for index in order),
        axes=axes,
        along=along,
        drift=drift,
        origin=sorted_positions[0],
        tilt_degrees=round(tilt, 3),
    )


def _lean(along: NDArray[np.float64], drift: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shift over the whole stack that a tilted gantry explains: across, down in mm.

    From the median step of neighbours, so that a field of view that was moved once is no tilt.
    """
    gaps = np.diff(along)
    apart = gaps >= SAME_MM
    steps = np.diff(drift, axis=0)[apart] / gaps[apart, None]
    return np.asarray(np.median(steps, axis=0) * along[-1])


def _front_to_head(axes: NDArray[np.float64]) -> float:
    """How far a slice's plane rises towards the front (LPS y is to the back)."""
    normal = axes[2] * (1.0 if axes[2, 2] >= 0 else -1.0)
    return float(normal[1])


def axial_angle(stack: Stack, steepest_tilt: float = 30.0) -> float:
    """Degrees between the slices and true axial ones, allowing for tilt.

    A tilted gantry still stacks its slices along the table. So this is the smaller of the angles that the
    normal and the stacking direction make with the head-foot axis, the latter only up to a tilt that
    gantries reach.
    """
    head = (0.0, 0.0, 1.0)
    angle = angle_degrees(stack.axes[2], head)
    if stack.extent_mm > SAME_MM and abs(stack.tilt_degrees) <= steepest_tilt:
        way = stack.along[-1] * stack.axes[2] + stack.drift[-1] @ stack.axes[:2]
        angle = min(angle, angle_degrees(way, head))
    return angle


def distinct_gaps(stack: Stack) -> tuple[float, ...]:
    """The distances between neighbouring slices to a tenth of a millimetre, each once, ascending."""
    return tuple(sorted({round(float(gap), 1) for gap in stack.gaps}))


def duplicated(stack: Stack) -> tuple[tuple[int, int], ...]:
    """Pairs of neighbours in the order that are at the same place."""
    return tuple((i, i + 1) for i, gap in enumerate(stack.gaps) if gap < SAME_MM)


def widest_hole(stack: Stack, thickness: Sequence[float | None]) -> tuple[float, float] | None:
    """The worst gap where a slice must be missing, and the gap expected there; None without any.

    ``thickness`` is in stack order. A gap is a hole if it is more than one and a half times both the
    series' median gap and the thickness of the slices at it (if unknown: the gaps beside it). So thin
    slices below and thick ones above are not a hole, nor is a series that skips evenly.
    """
    gaps = stack.gaps
    worst: tuple[float, float] | None = None
    if not len(gaps):
        return None
    usual = float(np.median(gaps))
    for i, gap in enumerate(gaps):
        lower, upper = thickness[i], thickness[i + 1]
        if lower and upper:
            expected = max(usual, lower, upper)
        else:
            expected = max([usual, *(float(gaps[j]) for j in (i - 1, i + 1) if 0 <= j < len(gaps))])
        if gap > 1.5 * expected and (worst is None or gap > worst[0]):
            worst = float(gap), expected
    return worst


def field_growth(stack: Stack, grid: SliceGeometry) -> float:
    """Side of the square that contains all slices straightened, over the longer side of one slice."""
    wide, tall = grid.columns * grid.spacing[1], grid.rows * grid.spacing[0]
    drift_across, drift_down = np.ptp(stack.drift, axis=0)
    return float(max(wide + drift_across, tall + drift_down) / max(wide, tall))
