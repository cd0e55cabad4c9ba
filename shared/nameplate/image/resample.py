"""Resampling in mm: in-plane linear with anti-aliasing, and along the slices to one distance.

Every result is a weighted sum taken in a fixed order, element by element, so that the same input
gives the same bytes on every machine and with any number of threads.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """A linear map along one axis: output ``o`` is the sum over t of weight[t, o] * input[index[t, o]].

    Where the sum of the weights is below one, the rest is outside the input (and counts as zero).
    """

    index: NDArray[np.intp]
    weight: NDArray[np.float32]
    identity: bool
    """The output is the input, value by value."""


def pixel_taps(
    source_size: int, source_start: float, source_pitch: float, size: int, start: float, pitch: float
) -> Taps:
    """The map from pixels at ``source_start + i * source_pitch`` mm to those at ``start + o * pitch`` mm.

    Shrinking averages over the overlap of the output pixel with the input pixels (an exact half is
    the mean of two), enlarging interpolates linearly; at equal pitch both are the same. Starts are
    centres of the first pixels. Pixels outside the input count as zero.

    >>> pixel_taps(4, 0.0, 1.0, 2, 0.5, 2.0).weight.tolist()
    [[0.5, 0.5], [0.5, 0.5]]
    """
    if source_size == size and abs(start - source_start) + abs(pitch - source_pitch) * size < 1e-6 * pitch:
        return Taps(np.arange(size)[None], np.ones((1, size), np.float32), identity=True)
    ratio = max(pitch / source_pitch, 1.0)
    centre = (start + pitch * np.arange(size) - source_start) / source_pitch
    first = np.floor(centre - (ratio + 1) / 2).astype(np.intp) + 1
    index = first + np.arange(int(np.ceil(ratio + 1)))[:, None]
    # Overlap of two boxes, one input pixel wide and one output pixel wide: a trapezoid.
    weight = np.clip((ratio + 1) / 2 - np.abs(index - centre), 0.0, 1.0) / ratio
    weight[(index < 0) | (index >= source_size)] = 0.0
    weight[weight < 1e-7] = 0.0
    used = weight.any(axis=1)
    used[0] |= not used.any()
    return Taps(np.clip(index[used], 0, source_size - 1), weight[used].astype(np.float32), identity=False)


def resample_plane(image: NDArray[np.float32], down: Taps, across: Taps) -> NDArray[np.float32]:
    """An image of axes (row, column) through the maps of its rows and of its columns."""
    return _along_columns(_along_rows(image, down), across)


def _along_rows(image: NDArray[np.float32], taps: Taps) -> NDArray[np.float32]:
    if taps.identity:
        return image
    total: NDArray[np.float32] = np.take(image, taps.index[0], axis=0)
    total *= taps.weight[0, :, None]
    for index, weight in zip(taps.index[1:], taps.weight[1:], strict=True):
        part = np.take(image, index, axis=0)
        part *= weight[:, None]
        total += part
    return total


def _along_columns(image: NDArray[np.float32], taps: Taps) -> NDArray[np.float32]:
    if taps.identity:
        return image
    total: NDArray[np.float32] = np.take(image, taps.index[0], axis=1)
    total *= taps.weight[0]
    for index, weight in zip(taps.index[1:], taps.weight[1:], strict=True):
        part = np.take(image, index, axis=1)
        part *= weight
        total += part
    return total


def uniform_places(along_mm: ArrayLike, slice_mm: float, *, tolerance: float = 0.01) -> NDArray[np.float64]:
    """Positions of evenly spaced slices, for source slices at ascending ``along_mm`` (at least two).

    Slices that are evenly ``slice_mm`` apart (within ``tolerance`` of it) stay where they are.
    Otherwise the places are ``slice_mm`` apart, as many as fit into what the source covers (half a
    gap beyond its first and last slice), and centred in it.

    >>> uniform_places([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 5.0).tolist()
    [2.0, 7.0]
    >>> uniform_places([0.0, 5.0, 10.0], 5.0).tolist()
    [0.0, 5.0, 10.0]
    """
    along = np.asarray(along_mm, dtype=np.float64)
    gap = (along[-1] - along[0]) / (len(along) - 1)
    even: NDArray[np.float64] = along[0] + gap * np.arange(len(along))
    if abs(gap - slice_mm) <= tolerance * slice_mm and np.abs(along - even).max() <= tolerance * slice_mm:
        return even
    low = along[0] - (along[1] - along[0]) / 2
    high = along[-1] + (along[-1] - along[-2]) / 2
    count = max(1, int(np.floor((high - low) / slice_mm + 1e-6)))
    places: NDArray[np.float64] = (low + high - (count - 1) * slice_mm) / 2 + slice_mm * np.arange(count)
    return places


def slice_weights(
    along_mm: ArrayLike, thickness_mm: ArrayLike, places_mm: ArrayLike, slice_mm: float
) -> NDArray[np.float64]:
    """Weights (place, source slice) that resample slices at ascending ``along_mm`` to ``places_mm``.

    The source is the piecewise linear line through its slices, averaged over a box so wide that the
    result is about ``slice_mm`` thick: thin slices are averaged, not picked; slices that are already
    that thick or that far apart are interpolated linearly. Uneven gaps keep their geometry exactly
    (a ramp stays a ramp). Each row adds up to one.

    >>> slice_weights([0.0, 7.0], [7.0, 7.0], [1.75], 5.0).tolist()
    [[0.75, 0.25]]
    """
    along = np.asarray(along_mm, dtype=np.float64)
    thickness = np.asarray(thickness_mm, dtype=np.float64)
    places = np.asarray(places_mm, dtype=np.float64)
    if len(along) == 1:
        return np.ones((len(places), 1))
    interval = np.clip(np.searchsorted(along, places, side="right") - 1, 0, len(along) - 2)
    blur = np.maximum(np.diff(along)[interval], np.maximum(thickness[interval], thickness[interval + 1]))
    # Variances of boxes add: this is what the source's own width lacks to slice_mm.
    width = np.sqrt(np.maximum(slice_mm**2 - blur**2, 0.0))
    width[width < 0.05 * slice_mm] = 0.0
    weights = np.empty((len(places), len(along)))
    for row, (place, box) in enumerate(zip(places, width, strict=True)):
        if box:
            inside = _hat_areas(along, place + box / 2) - _hat_areas(along, place - box / 2)
            weights[row] = inside / box
        else:
            weights[row] = _hats(along, place)
    weights[np.abs(weights) < 1e-6] = 0.0
    scaled: NDArray[np.float64] = weights / weights.sum(axis=1, keepdims=True)
    return scaled


def _hats(along: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """Linear interpolation at one place, constant beyond the ends."""
    weights = np.zeros(len(along))
    at = int(np.clip(np.searchsorted(along, place, side="right") - 1, 0, len(along) - 2))
    share = float(np.clip((place - along[at]) / (along[at + 1] - along[at]), 0.0, 1.0))
    share = round(share, 6)
    weights[at], weights[at + 1] = 1.0 - share, share
    return weights


def _hat_areas(along: NDArray[np.float64], place: float) -> NDArray[np.float64]:
    """Area of each slice's interpolation hat below ``place``, hats constant beyond the ends.

    Areas of the first slice count from its own position; only differences are meaningful.
    """
    areas = np.zeros(len(along))
    gaps = np.diff(along)
    done = np.clip(place - along[:-1], 0.0, gaps)
    rising = done * done / (2 * gaps)
    areas[1:] += rising
    areas[:-1] += done - rising
    areas[0] += min(0.0, place - along[0])
    areas[-1] += max(0.0, place - along[-1])
    return areas
