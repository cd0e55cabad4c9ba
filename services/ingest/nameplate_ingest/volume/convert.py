"""A series as one volume: straightened, evenly spaced, square, in canonical axis order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.affine import affine_from_axes, canonical_axes, reorder_affine
from nameplate.image.resample import Taps, pixel_taps, resample_plane, slice_weights, uniform_places
from nameplate.image.volume import Volume
from nameplate_ingest.volume.series import Stack

Plane = Callable[[int], NDArray[np.float32]]
"""HU of slice n of the stack, axes (row, column)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The output's square in the plane of the slices, in mm from the first pixel of the first slice."""

    pitch: float
    """Pixel size."""
    across: float
    """Centre of the first column."""
    down: float
    """Centre of the first row."""


def frame_of(
    drift: NDArray[np.float64], rows: int, columns: int, spacing: tuple[float, float], matrix: int
) -> Frame:
    """The smallest square that contains every slice after straightening; nothing is cut off.

    ``drift`` is (slices, 2): across, down; ``spacing`` is between rows, then columns, in mm.
    """
    low = drift.min(axis=0)
    high = drift.max(axis=0)
    row_mm, column_mm = spacing
    wide = high[0] - low[0] + columns * column_mm
    tall = high[1] - low[1] + rows * row_mm
    side = max(wide, tall)
    pitch = side / matrix
    across = low[0] - column_mm / 2 - (side - wide) / 2 + pitch / 2
    down = low[1] - row_mm / 2 - (side - tall) / 2 + pitch / 2
    return Frame(float(pitch), float(across), float(down))


def convert(
    stack: Stack,
    thickness: Sequence[float],
    rows: int,
    columns: int,
    spacing: tuple[float, float],
    plane: Plane,
    settings: IngestSettings,
) -> Volume:
    """The series as int16 HU, settings.matrix square, settings.slice_mm apart, canonical order.

    ``thickness`` is per slice in stack order, mm. A tilted stack is straightened within its own planes:
    each slice moves to where its pixels really are relative to the others. So k is the slices' normal,
    and straightening mixes no slices. Slices are decoded one at a time.
    """
    frame = frame_of(stack.drift, rows, columns, spacing, settings.matrix)
    places = uniform_places(stack.along, settings.slice_mm)
    weights = _weights(stack.along, thickness, places, settings.slice_mm)
    planes = _resampled(stack, frame, rows, columns, spacing, plane, weights, settings)
    origin = stack.origin + np.array([frame.across, frame.down, places[0]]) @ stack.axes
    step = float(places[1] - places[0]) if len(places) > 1 else settings.slice_mm
    affine = affine_from_axes(stack.axes, (frame.pitch, frame.pitch, step), origin)
    array = planes.transpose(2, 1, 0)  # (k, row, column) to (column, row, k)
    order, reverse = canonical_axes(affine)
    turned = array.transpose(order)[tuple(slice(None, None, -1 if flip else 1) for flip in reverse)]
    columns_rows_slices = (array.shape[0], array.shape[1], array.shape[2])
    return Volume(turned, reorder_affine(affine, columns_rows_slices, order, reverse))


def _weights(
    along: NDArray[np.float64], thickness: Sequence[float], places: NDArray[np.float64], slice_mm: float
) -> NDArray[np.float64]:
    """Shares (place, slice); slices that are already in place are taken as they are."""
    if len(places) == len(along) and np.abs(places - along).max() <= 0.02 * slice_mm:
        return np.eye(len(places))
    return slice_weights(along, thickness, places, slice_mm)


def _resampled(
    stack: Stack,
    frame: Frame,
    rows: int,
    columns: int,
    spacing: tuple[float, float],
    plane: Plane,
    weights: NDArray[np.float64],
    settings: IngestSettings,
) -> NDArray[np.int16]:
    """Output slices (k, row, column) as rounded HU."""
    matrix, floor = settings.matrix, np.float32(settings.floor_hu)
    total = np.zeros((len(weights), matrix, matrix), dtype=np.float32)
    taps: dict[tuple[int, float], Taps] = {}

    def map_of(axis: int, shift: float, size: int, start: float, pitch: float) -> Taps:
        if (axis, shift) not in taps:
            taps[axis, shift] = pixel_taps(size, shift, pitch, matrix, start, frame.pitch)
        return taps[axis, shift]

    for number in range(weights.shape[1]):
        hu = plane(number)
        # Counted from the floor, so that the outside of a slice is the floor, not 0 HU.
        np.subtract(hu, floor, out=hu)
        np.maximum(hu, 0.0, out=hu)
        shift_x, shift_y = stack.drift[number]
        across = map_of(0, float(shift_x), columns, frame.across, spacing[1])
        down = map_of(1, float(shift_y), rows, frame.down, spacing[0])
        small = resample_plane(hu, down, across)
        for k in np.flatnonzero(weights[:, number]):
            weight = np.float32(weights[k, number])
            total[k] += small if weight == 1 else weight * small
    total += floor
    np.rint(total, out=total)
    np.clip(total, settings.floor_hu, 32767, out=total)
    return total.astype(np.int16)
