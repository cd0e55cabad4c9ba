"""Where brain ends and bone begins, in voxels with a share of both."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nameplate_skullstrip.distance import Spacing

BRAIN_HU = 35.0
"""HU of the brain's share of a voxel at the edge."""
CERTAIN_HU = 150.0
"""Anything up to this is inside, however faint the bone nearby (bleeds, faint calcification)."""
PEAK_MM = 6.0
"""How far from a voxel to search for bone."""


def half_way(hu_KIJ: NDArray[Any], spacing_mm: Spacing) -> NDArray[np.float32]:
    """HU below which a voxel is more brain than bone: halfway from brain to the densest bone near it.

    A fixed threshold would count every voxel with a tenth of bone as bone, and lose up to half a slice
    of brain wherever the skull slopes. The search box is about 6 mm to each side; in thick slices, one
    slice up and down.
    """
    reach = [min(max(1, round(PEAK_MM / spacing)), 50) for spacing in spacing_mm]
    box = np.ones((2 * reach[1] + 1, 2 * reach[2] + 1), np.uint8)
    flat = np.empty(hu_KIJ.shape, np.float32)
    for k, plane in enumerate(hu_KIJ):
        flat[k] = cv2.dilate(plane.astype(np.float32), box).reshape(plane.shape)
    peak = flat.copy()
    for step in range(1, min(reach[0], len(flat) - 1) + 1):
        np.maximum(peak[:-step], flat[step:], out=peak[:-step])
        np.maximum(peak[step:], flat[:-step], out=peak[step:])
    limit: NDArray[np.float32] = np.maximum((peak + np.float32(BRAIN_HU)) / 2.0, np.float32(CERTAIN_HU))
    return limit
