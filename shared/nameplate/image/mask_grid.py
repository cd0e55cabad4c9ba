"""A mask on the grid of an image that it was not drawn on: both say where they are in mm."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from nameplate.image.box import box_around
from nameplate.image.volume import Volume

_DIGITS = 6
"""Indices are rounded to so many digits, so that a tie of two voxels is broken alike on every machine."""
_OFFSETS = (-0.2501, 0.2501)
"""Along each axis, in voxels of the image: the points of a voxel that are looked up. A hair beyond a quarter,
so that none is right between two voxels of a mask that is two or four times as fine, which would move it."""


def mask_onto(mask: Volume, image: Volume) -> NDArray[np.uint8]:
    """The mask on the image's grid: 0 and 1, of the image's shape (i, j, k).

    A voxel is inside where at least four of its eight points are: those a quarter of a voxel off its centre
    along each axis, each looked up in the mask's nearest voxel. On the image's own grid that is the mask
    itself; looked up at its centre alone, a mask of half the spacing would be moved by half a voxel. What the
    mask's grid does not hold is outside. Raises ValueError for an affine that cannot be inverted.
    """
    inside = mask.array != 0
    whole = np.zeros(image.array.shape, dtype=np.uint8)
    if not inside.any():
        return whole
    drawn = box_around(inside, (0, 0, 0))
    to_mask = between(image, mask)
    box = _reach(drawn, between(mask, image), image.array.shape)
    if any(part.start >= part.stop for part in box):
        return whole
    votes = np.zeros([part.stop - part.start for part in box], dtype=np.uint8)
    for offset in product(_OFFSETS, repeat=3):
        axes = [np.arange(part.start, part.stop) + by for part, by in zip(box, offset, strict=True)]
        votes += _looked_up(inside, to_mask, axes)
    whole[box] = votes >= len(_OFFSETS) ** 3 / 2
    return whole


def share_in_grid(points: NDArray[np.bool_], of: Volume, other: Volume) -> float:
    """Which share of the marked voxels of one volume is in the grid of another one, to within a voxel.

    ``points`` is of the shape of ``of``; 1 if it marks nothing. Raises ValueError as ``mask_onto``.
    """
    if not points.any():
        return 1.0
    box = box_around(points, (0, 0, 0))
    matrix = between(of, other)
    i, j, k = (np.arange(part.start, part.stop, dtype=np.float64) for part in box)
    held = 0
    for n in range(len(k)):  # slice by slice: a mask may have hundreds, and indices are large numbers
        inside = points[box][:, :, n : n + 1]
        for row, size, index in zip(
            matrix, other.array.shape, _indices(matrix, (i, j, k[n : n + 1])), strict=False
        ):
            slack = 0.5 + float(np.abs(row[:3]).sum())
            inside = inside & (index > -slack) & (index < size - 1 + slack)
        held += int(np.count_nonzero(inside))
    return held / int(np.count_nonzero(points))


def between(first: Volume, second: Volume) -> NDArray[np.float64]:
    """The 4 x 4 matrix from indices of the first volume to those of the second one.

    Raises ValueError for a second affine that is not finite or has no inverse.
    """
    if not np.isfinite(second.affine).all() or abs(np.linalg.det(second.affine[:3, :3])) < 1e-9:
        raise ValueError("an affine without an inverse")
    matrix: NDArray[np.float64] = np.linalg.inv(second.affine) @ first.affine
    return matrix


def _reach(
    drawn: tuple[slice, ...], matrix: NDArray[np.float64], shape: tuple[int, ...]
) -> tuple[slice, slice, slice]:
    """The box of image voxels that may touch the box of mask voxels, from its corners."""
    corners = np.array(list(product(*((part.start - 1, part.stop) for part in drawn)))) @ matrix[:3, :3].T
    corners += matrix[:3, 3]
    low = np.clip(np.floor(corners.min(axis=0)).astype(int) - 1, 0, shape)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2, 0, shape)
    i, j, k = (slice(int(start), int(stop)) for start, stop in zip(low, high, strict=True))
    return i, j, k


def _indices(
    matrix: NDArray[np.float64], axes: Sequence[NDArray[np.float64]]
) -> Iterator[NDArray[np.float64]]:
    """Indices in the other volume along each of its axes, element by element: no library's matrix product,
    whose last bits depend on the machine."""
    i, j, k = axes
    for a, b, c, d in matrix[:3]:
        yield np.round(a * i[:, None, None] + b * j[None, :, None] + c * k[None, None, :] + d, _DIGITS)


def _looked_up(
    inside: NDArray[np.bool_], matrix: NDArray[np.float64], axes: Sequence[NDArray[np.float64]]
) -> NDArray[np.bool_]:
    """Whether the nearest voxel of each point is inside; False beyond the grid."""
    places, held = [], np.ones([len(axis) for axis in axes], dtype=bool)
    for size, index in zip(inside.shape, _indices(matrix, axes), strict=True):
        nearest = np.floor(index + 0.5).astype(np.intp)
        held &= (nearest >= 0) & (nearest < size)
        places.append(np.clip(nearest, 0, size - 1))
    found: NDArray[np.bool_] = inside[tuple(places)] & held
    return found
