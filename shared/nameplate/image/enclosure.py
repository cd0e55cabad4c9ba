"""Enclosure: how much of the view from a voxel is blocked by bone."""

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_LEFT = 32
"""Mark of a ray that left by an end slice, more than the rays of a voxel: beyond it nothing was scanned."""


def enclosure(bone: Mask) -> NDArray[np.float64]:
    """Share of the 26 rays from each voxel that meet bone, without those that leave by an end slice.

    Slices are along the first axis. The rays go along the axes and diagonals of the grid; the eight within
    the slice always count.
    """
    total = np.zeros(bone.shape, np.uint16)
    nine = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    # Sweeps along each axis; every ray of the 26 belongs to one of them.
    for axis, shifts in ((0, nine), (1, [(0, -1), (0, 0), (0, 1)]), (2, [(0, 0)])):
        planes, sums = np.moveaxis(bone, axis, 0), np.moveaxis(total, axis, 0)
        for step in (1, -1):
            _sweep(planes[::step], sums[::step], shifts, 0 if axis else _LEFT)
    met = (total % _LEFT).astype(np.float64)
    return met / (26 - total // _LEFT)


def _sweep(bone: Mask, total: NDArray[np.uint16], shifts: list[tuple[int, int]], beyond: int) -> None:
    """Add the rays of each voxel towards the planes before its own, plane by plane.

    A ray counts 1 if it met bone, 0 if it left by a side, and ``beyond`` if it left before the first plane.
    ``shifts`` are the sideways steps of the rays from plane to plane.
    """
    _, rows, columns = bone.shape
    seen: NDArray[np.uint8] = np.full((len(shifts), rows + 2, columns + 2), beyond, np.uint8)
    ray = np.empty((len(shifts), rows, columns), np.uint8)
    for plane, sums in zip(bone, total, strict=True):
        for number, (a, b) in enumerate(shifts):
            ray[number] = seen[number, 1 + a : 1 + a + rows, 1 + b : 1 + b + columns]
        sums += ray.sum(axis=0, dtype=np.uint16)
        seen[:] = 0
        inner = seen[:, 1:-1, 1:-1]
        inner[:] = ray
        np.copyto(inner, np.uint8(1), where=plane)
