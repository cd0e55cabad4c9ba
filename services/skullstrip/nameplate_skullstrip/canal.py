"""The spinal canal: where the mask ends below the skull."""

import numpy as np
from numpy.typing import NDArray

HEAD_CM2 = 20.0
"""A slice with more than this (times the squared head size) cuts the brain."""
CANAL_CM2 = 8.0
"""A slice with at most this, below the brain, cuts the canal; the foramen magnum is larger, and inside."""


def without_canal(mask_KIJ: NDArray[np.bool_], cell_cm2: float, size: float) -> NDArray[np.bool_]:
    """The mask without the slices of the spinal canal; slices run from foot to head."""
    areas = mask_KIJ.sum(axis=(1, 2)) * cell_cm2
    brain = np.flatnonzero(areas > HEAD_CM2 * size**2)
    if len(brain) == 0:
        return mask_KIJ
    canal = np.flatnonzero(areas[: brain[0]] <= CANAL_CM2 * size**2)
    kept = mask_KIJ.copy()
    if len(canal):
        kept[: canal[-1] + 1] = False
    return kept
