"""Distances in millimetres on a coarse grid: exact, up to a cap, and alike for a mirrored grid."""

import numpy as np
from numpy.typing import NDArray

Spacing = tuple[float, float, float]


def depth(mask: NDArray[np.bool_], spacing_mm: Spacing, cap_mm: float) -> NDArray[np.float32]:
    """Distance of each voxel of ``mask`` to the nearest voxel outside it, between centres, in mm.

    Voxels outside the mask are 0; nothing is larger than ``cap_mm``. The mask is taken to go on beyond
    the borders of the array. The lower envelope is searched axis by axis over the few samples that the
    cap allows, which on coarse grids beats a general transform.
    """
    squared = np.where(mask, np.float32(cap_mm**2), np.float32(0.0))
    for axis, spacing in enumerate(spacing_mm):
        lines = np.moveaxis(squared, axis, 0)
        lowest = lines.copy()
        for offset in range(1, min(int(cap_mm / spacing), len(lines) - 1) + 1):
            candidate = lines + np.float32((offset * spacing) ** 2)
            np.minimum(lowest[:-offset], candidate[offset:], out=lowest[:-offset])
            np.minimum(lowest[offset:], candidate[:-offset], out=lowest[offset:])
        squared = np.moveaxis(lowest, 0, axis)
    return np.sqrt(squared)


def grown(mask: NDArray[np.bool_], spacing_mm: Spacing, by_mm: float) -> NDArray[np.bool_]:
    """The mask with all voxels whose centre lies within ``by_mm`` of one of its own."""
    # The cap lies above the threshold: at the cap itself 'far away' and 'just there' look the same.
    near: NDArray[np.bool_] = depth(~mask, spacing_mm, by_mm + 0.01) <= by_mm
    return near


def signed_depth(mask: NDArray[np.bool_], spacing_mm: Spacing, cap_mm: float) -> NDArray[np.float32]:
    """Distance to the mask's surface in mm, positive inside, within +-``cap_mm``.

    The surface lies halfway between the centres of neighbouring voxels in and out of the mask.
    """
    half = np.float32(min(spacing_mm[1], spacing_mm[2]) / 2.0)
    inside = depth(mask, spacing_mm, cap_mm)
    outside = depth(~mask, spacing_mm, cap_mm)
    signed: NDArray[np.float32] = np.where(mask, inside - half, half - outside).astype(np.float32)
    return signed
