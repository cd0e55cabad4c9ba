"""Gaussian smoothing with whole-number weights, so that a mirrored image gives a mirrored result.

Sums of whole numbers are exact in floating point, in any order; with real weights the order of
summation would decide voxels that are at a threshold.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

_WIDEST = 64
"""Most samples on one side of a kernel; only absurd voxel sizes would need more."""


def whole_kernel(sigma: float, scale: int) -> NDArray[np.float64]:
    """Gaussian weights as whole numbers, the middle one ``scale``; ``sigma`` in samples.

    >>> whole_kernel(0.5, 64).tolist()
    [9.0, 64.0, 9.0]
    """
    reach = min(int(np.ceil(3.0 * sigma)), _WIDEST)
    offsets = np.arange(-reach, reach + 1)
    kernel: NDArray[np.float64] = np.rint(scale * np.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2))
    kept: NDArray[np.float64] = kernel[kernel > 0]
    return kept


def smooth_slices(
    values_KIJ: NDArray[Any], sigma_mm: float, pixel_mm: tuple[float, float]
) -> NDArray[np.float32]:
    """Smooth each slice; ``values_KIJ`` are whole numbers within +-1300, ``pixel_mm`` along i and j."""
    across, along = whole_kernel(sigma_mm / pixel_mm[1], 16), whole_kernel(sigma_mm / pixel_mm[0], 16)
    smooth = np.empty(values_KIJ.shape, np.float32)
    factor = 1.0 / float(across.sum() * along.sum())
    for k, plane in enumerate(values_KIJ):
        sums = cv2.sepFilter2D(plane, cv2.CV_32F, across, along, borderType=cv2.BORDER_REPLICATE)
        smooth[k] = sums.reshape(plane.shape)
    smooth *= np.float32(factor)
    return smooth


def smooth_volume(
    values_KIJ: NDArray[Any], sigma_mm: float, spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Smooth along all three axes; ``values_KIJ`` are whole numbers, ``spacing_mm`` along k, i and j."""
    kernels = [whole_kernel(sigma_mm / spacing, 64) for spacing in spacing_mm]
    smooth = np.empty(values_KIJ.shape, np.float64)
    for k, plane in enumerate(values_KIJ.astype(np.float64)):
        smooth[k] = _filtered(plane, kernels[2], kernels[1])
    for i in range(values_KIJ.shape[1]):
        smooth[:, i] = _filtered(np.ascontiguousarray(smooth[:, i]), np.ones(1), kernels[0])
    smooth /= float(np.prod([kernel.sum() for kernel in kernels]))
    return smooth


def _filtered(
    plane: NDArray[np.float64], across: NDArray[np.float64], along: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Weighted sums within a plane: ``across`` its columns, ``along`` its rows."""
    sums: NDArray[np.float64] = cv2.sepFilter2D(
        plane, cv2.CV_64F, across, along, borderType=cv2.BORDER_REPLICATE
    ).reshape(plane.shape)
    return sums
