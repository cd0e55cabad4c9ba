"""Where brain ends and bone begins, in voxels with a share of both."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from nameplate_skullstrip.distance import Spacing
from nameplate_skullstrip.region import disc

BRAIN_HU = 35.0
"""HU of the brain's share of a voxel at the edge."""
CERTAIN_HU = 150.0
"""Anything up to this is inside, however faint the bone nearby (bleeds, faint calcification)."""
BONE_HU = 300.0
"""A voxel has bone beside it if one this dense is near; thin plates reach it, even in thick slices."""
PEAK_MM = 3.0
"""How far to search for bone: half as wide as an edge that slopes by 45 degrees through a 5 mm slice."""
BLUR_MM = 1.5
"""How far within the slice the edge lies outside the coarse mask, which stops where bone begins to show."""
BARE_MM = 0.5
"""Where bone is missing, the edge lies this far inside the coarse mask, which then bulges into the scalp."""


def densest_near(hu_KIJ: NDArray[Any], spacing_mm: Spacing) -> NDArray[np.float32]:
    """The highest HU in a box of about 3 mm to each side of a voxel; in thick slices, one slice each way."""
    reach = [min(max(1, round(PEAK_MM / spacing)), 50) for spacing in spacing_mm]
    box = np.ones((2 * reach[1] + 1, 2 * reach[2] + 1), np.uint8)
    flat = np.empty(hu_KIJ.shape, np.float32)
    for k, plane in enumerate(hu_KIJ):
        flat[k] = cv2.dilate(plane.astype(np.float32, copy=False), box).reshape(plane.shape)
    peak = flat.copy()
    for step in range(1, min(reach[0], len(flat) - 1) + 1):
        np.maximum(peak[:-step], flat[step:], out=peak[:-step])
        np.maximum(peak[step:], flat[:-step], out=peak[step:])
    for end in (0, -1):
        # Beyond the first and last slice nothing was scanned: search farther within them instead.
        np.maximum(peak[end], cv2.dilate(flat[end], box).reshape(peak[end].shape), out=peak[end])
    return peak


def half_way(peak_KIJ: NDArray[np.float32]) -> NDArray[np.float32]:
    """HU below which a voxel is more brain than bone: halfway from brain to ``peak_KIJ``, the bone beside it.

    A fixed threshold would count every voxel with a tenth of bone as bone, and lose up to half a slice
    of brain wherever the skull slopes.
    """
    limit: NDArray[np.float32] = peak_KIJ + np.float32(BRAIN_HU)
    limit *= np.float32(0.5)
    np.maximum(limit, np.float32(CERTAIN_HU), out=limit)
    return limit


def edge_zone(
    near_KIJ: NDArray[np.float32], peak_KIJ: NDArray[np.float32], spacing_mm: Spacing, reach_mm: float
) -> NDArray[np.bool_]:
    """The coarse mask and all voxels around it that may still be inside; slices from foot to head.

    ``near_KIJ`` is the signed distance to the coarse mask in mm, positive inside. The zone ends
    ``reach_mm`` outside it in every direction, 1.5 mm (at least a pixel) farther within the slice, where
    the coarse mask lost the blurred edge of the bone, and one slice higher, because of the vault. It goes no
    farther across the base, where orbits and sinuses lie below the brain. Where bone is missing, nothing but
    the coarse mask says where the brain ends.
    """
    zone = (near_KIJ > -reach_mm).view(np.uint8)
    zone[1:] |= (near_KIJ[:-1] > 0.0).view(np.uint8)
    around = disc(max(BLUR_MM, *spacing_mm[1:]), spacing_mm[1:])
    for k, plane in enumerate(zone):
        zone[k] = cv2.dilate(plane, around).reshape(plane.shape)
    held = (near_KIJ > BARE_MM) | (peak_KIJ > BONE_HU)
    return zone.view(np.bool_) & held
