"""Connected regions of a mask."""

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage


def disc(radius_mm: float, pixel_mm: tuple[float, float]) -> NDArray[np.uint8]:
    """Structuring element: all pixels within ``radius_mm``, at most 50 to each side."""
    reach = [min(int(radius_mm / pixel), 50) for pixel in pixel_mm]
    i, j = np.ogrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1]
    inside: NDArray[np.bool_] = np.hypot(i * pixel_mm[0], j * pixel_mm[1]) <= radius_mm
    return inside.astype(np.uint8)


def largest(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The largest face-connected region; empty for an empty mask.

    Regions of equal size are all kept: a choice between them would depend on the array's direction.
    """
    labels, count = ndimage.label(mask)
    if count <= 1:
        return mask.copy()
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    first, *others = np.flatnonzero(sizes == sizes.max())
    kept: NDArray[np.bool_] = labels == first
    for other in others:
        kept |= labels == other
    return kept


def touching(mask: NDArray[np.bool_], seed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The regions of ``mask`` that share a voxel with ``seed``."""
    labels, count = ndimage.label(mask)
    kept = np.zeros(count + 1, bool)
    kept[labels[seed]] = True
    kept[0] = False
    chosen: NDArray[np.bool_] = kept[labels]
    return chosen


def islands(mask: NDArray[np.bool_], most: float) -> NDArray[np.bool_]:
    """Holes of the mask with at most ``most`` voxels, not those that reach the border of the array."""
    labels, count = ndimage.label(~mask)
    small = np.bincount(labels.ravel(), minlength=count + 1) <= most
    small[0] = False
    for axis in (0, 1, 2):
        for end in (0, -1):
            small[np.take(labels, end, axis)] = False
    holes: NDArray[np.bool_] = small[labels]
    return holes


def filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The mask with its holes, closed in three dimensions, filled."""
    return mask | islands(mask, float(mask.size))


def touching_slices(mask_KIJ: NDArray[np.uint8], seed_KIJ: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """In each slice, the regions that share a pixel with ``seed_KIJ`` in that slice."""
    kept = np.zeros_like(mask_KIJ)
    for k, (plane, seed) in enumerate(zip(mask_KIJ, seed_KIJ, strict=True)):
        count, labels = cv2.connectedComponents(plane, connectivity=4)
        if count == 2:
            # Only one region, as in most slices: nothing to sort out.
            kept[k] = plane if (seed & (plane > 0)).any() else 0
            continue
        touched = np.zeros(count, np.uint8)
        touched[labels[seed]] = 1
        touched[0] = 0
        kept[k] = touched[labels]
    return kept


def filled_slices(mask_KIJ: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mask with its holes, closed within their slice, filled."""
    full = np.zeros_like(mask_KIJ)
    for k, plane in enumerate(mask_KIJ):
        outlines, _ = cv2.findContours(plane, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(full[k], outlines, -1, 1, thickness=cv2.FILLED)
    return full
