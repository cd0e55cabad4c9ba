"""Enclosure: how much of the view from a voxel is blocked by bone."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_LOST = 32
"""State of a ray that left through the first or last slice: beyond it nothing was scanned."""


def enclosure(bone_KIJ: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Share of the 26 rays from each voxel that meet bone, without those that leave through an end slice.

    The rays go along the axes and diagonals of the grid. The eight rays within the slice always count.
    """
    total = np.zeros(bone_KIJ.shape, np.uint16)
    for upward in (True, False):
        stack = bone_KIJ if upward else bone_KIJ[::-1]
        view = total if upward else total[::-1]
        nine = [(di, dj) for di in (-1, 0, 1) for dj in (-1, 0, 1)]
        _cast(stack, nine, _LOST, view)

        # Rays within the slice: sweep the planes along i, then (for the two straight rays) along j.
        rows = np.ascontiguousarray(bone_KIJ.transpose(1, 0, 2))
        rows = rows if upward else rows[::-1]
        along_i = total.transpose(1, 0, 2)
        _cast(rows, [(0, -1), (0, 0), (0, 1)], 0, along_i if upward else along_i[::-1])
        columns = np.ascontiguousarray(bone_KIJ.transpose(2, 0, 1))
        columns = columns if upward else columns[::-1]
        along_j = total.transpose(2, 0, 1)
        _cast(columns, [(0, 0)], 0, along_j if upward else along_j[::-1])
    met = (total % _LOST).astype(np.float64)
    return met / (26 - total // _LOST)


def _cast(
    bone: NDArray[np.bool_], shifts: list[tuple[int, int]], start: int, total: NDArray[np.uint16]
) -> None:
    """Sweep planes along the first axis and add each voxel's rays towards the planes already swept.

    ``start`` is the state of a ray that leaves through the first plane; one that leaves through a side
    has 0, one that met bone 1. ``shifts`` are the sideways steps of the rays from plane to plane.
    """
    _, rows, columns = bone.shape
    seen: NDArray[Any] = np.zeros((len(shifts), rows + 2, columns + 2), np.uint8)
    seen[:, :, :] = start
    ray = np.empty((len(shifts), rows, columns), np.uint8)
    for plane, sums in zip(bone, total, strict=True):
        for number, (di, dj) in enumerate(shifts):
            ray[number] = seen[number, 1 + di : 1 + di + rows, 1 + dj : 1 + dj + columns]
        sums += ray.sum(axis=0, dtype=np.uint16)
        seen[:] = 0
        inner = seen[:, 1:-1, 1:-1]
        inner[:] = ray
        np.copyto(inner, np.uint8(1), where=plane)
