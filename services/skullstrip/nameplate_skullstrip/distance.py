"""Distances in millimetres on a coarse grid: exact up to a cap, and the same on a mirrored grid."""

import numpy as np
from numpy.typing import NDArray

from nameplate.image.envelope import lower_envelope

Spacing = tuple[float, float, float]


def depth(mask: NDArray[np.bool_], spacing_mm: Spacing, cap_mm: float) -> NDArray[np.float32]:
    """Distance of each voxel of ``mask`` to the nearest voxel outside it, between centres, in mm.

    Voxels outside the mask are 0; nothing is larger than ``cap_mm``. The mask is assumed to continue
    beyond the borders of the array.
    """
    squared = np.where(mask, np.float32(cap_mm**2), np.float32(0.0))
    for axis, spacing in enumerate(spacing_mm):
        squared = lower_envelope(squared, axis, spacing, cap_mm)
    return np.sqrt(squared)


def grown(mask: NDArray[np.bool_], spacing_mm: Spacing, by_mm: float) -> NDArray[np.bool_]:
    """The mask plus all voxels whose centre is within ``by_mm`` of one of its own."""
    # The cap is above the threshold: at the cap itself, far away and just near enough look the same.
    near: NDArray[np.bool_] = depth(~mask, spacing_mm, by_mm + 0.01) <= by_mm
    return near


def signed_depth(mask: NDArray[np.bool_], spacing_mm: Spacing, cap_mm: float) -> NDArray[np.float32]:
    """Distance to the mask's surface in mm, positive inside, within +-``cap_mm``.

    The surface is halfway between the centres of neighbouring voxels inside and outside the mask.
    """
    half = np.float32(min(spacing_mm[1], spacing_mm[2]) / 2.0)
    inside = depth(mask, spacing_mm, cap_mm)
    outside = depth(~mask, spacing_mm, cap_mm)
    signed: NDArray[np.float32] = np.where(mask, inside - half, half - outside).astype(np.float32)
    return signed
