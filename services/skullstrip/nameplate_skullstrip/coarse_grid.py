"""The coarse grid of a few millimetres: shares of tissue and bone go to it, distances come back."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

_STEPS = 64
"""Weights of interpolation are whole 64ths, so that mirrored images interpolate alike."""


@dataclass(frozen=True)
class CoarseGrid:
    """How many cells the coarse grid has along k, i and j, and how far apart they are."""

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @property
    def cell_ml(self) -> float:
        """Volume of one cell in mL."""
        return float(np.prod(self.spacing_mm)) / 1000.0

    @property
    def cell_cm2(self) -> float:
        """Area of one cell within the slice in cm2."""
        return self.spacing_mm[1] * self.spacing_mm[2] / 100.0


def coarse_grid(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], cell_mm: float
) -> CoarseGrid:
    """The grid of about ``cell_mm`` that covers the same box as the image; axes k, i, j.

    In-plane it is never finer than the image, and it keeps the image's own pixels if they are nearly as
    large as a cell. Along k, thick slices are divided and thin ones are merged.
    """
    counts = []
    for axis, (count, spacing) in enumerate(zip(shape, spacing_mm, strict=True)):
        near = 0.6 * cell_mm <= spacing <= (1.4 if axis else 1.2) * cell_mm
        wanted = count if near else max(1, round(count * spacing / cell_mm))
        counts.append(min(wanted, count if axis else 4 * count))
    sizes = [spacing * count / cells for count, spacing, cells in zip(shape, spacing_mm, counts, strict=True)]
    return CoarseGrid((counts[0], counts[1], counts[2]), (sizes[0], sizes[1], sizes[2]))


def shares(mask_KIJ: NDArray[np.bool_], grid: CoarseGrid) -> NDArray[np.float32]:
    """Share of each cell of the grid that the mask covers, 0..1."""
    count, rows, columns = mask_KIJ.shape
    cells_k, cells_i, cells_j = grid.shape
    planes: NDArray[np.float32] = np.empty((count, cells_i, cells_j), np.float32)
    # In units of 1/rows and 1/columns of a pixel, a cell's sum is a whole number.
    whole = np.float32(rows * columns)
    for k, plane in enumerate(mask_KIJ):
        planes[k] = cv2.resize(plane.astype(np.float32), (cells_j, cells_i), interpolation=cv2.INTER_AREA)
    # Whole numbers are exact; then come binary fractions, which later sums also keep exact.
    planes = np.rint(np.rint(planes * whole) * (np.float32(65536.0) / whole)) / np.float32(65536.0)
    return _along_k(planes, cells_k)


def refined(values_KIJ: NDArray[np.float32], shape: tuple[int, int, int]) -> NDArray[np.float32]:
    """Values of the coarse grid at the image's voxels, by linear interpolation; all within +-32."""
    # 1/64 mm and weights in 64ths: three passes would need 29 bits, so values are rounded in between.
    for axis in (0, 1, 2):
        whole = np.rint(values_KIJ * np.float32(64.0)) / np.float32(64.0)
        values_KIJ = _linear(whole, shape[axis], axis)
    return values_KIJ


def _along_k(planes: NDArray[np.float32], cells: int) -> NDArray[np.float32]:
    """Resample a stack to another number of planes over the same length: means if fewer, else linear."""
    count = len(planes)
    if cells == count:
        return planes
    if cells > count:
        return _linear(planes, cells, 0)
    merged: NDArray[np.float32] = np.zeros((cells, *planes.shape[1:]), np.float32)
    for cell in range(cells):
        for k in range(cell * count // cells, -(-(cell + 1) * count // cells)):
            overlap = min((k + 1) * cells, (cell + 1) * count) - max(k * cells, cell * count)
            merged[cell] += np.float32(overlap) * planes[k]
    merged /= np.float32(count)
    rounded: NDArray[np.float32] = np.rint(merged * np.float32(65536.0)) / np.float32(65536.0)
    return rounded


def _linear(values: NDArray[np.float32], count: int, axis: int) -> NDArray[np.float32]:
    """Linear interpolation along one axis to ``count`` samples over the same length."""
    have = values.shape[axis]
    if have == count:
        return values
    position = np.clip((np.arange(count) + 0.5) * (have / count) - 0.5, 0.0, have - 1.0)
    low = np.minimum(position.astype(np.int64), max(have - 2, 0))
    high = np.minimum(low + 1, have - 1)
    weight = np.rint((position - low) * _STEPS).astype(np.float32) / np.float32(_STEPS)
    shape = [1, 1, 1]
    shape[axis] = count
    lower: NDArray[np.float32] = np.take(values, low, axis)
    upper: NDArray[np.float32] = np.take(values, high, axis)
    upper -= lower
    upper *= weight.reshape(shape)
    upper += lower
    return upper
