"""From a head CT to the intracranial mask, read from top to bottom."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import cv2
import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate.image.box import box_around
from nameplate.image.enclosure import enclosure
from nameplate.image.volume import Volume
from nameplate_skullstrip.canal import without_canal
from nameplate_skullstrip.coarse_grid import coarse_grid, refined, shares
from nameplate_skullstrip.distance import depth, grown, signed_depth
from nameplate_skullstrip.edge import densest_near, edge_zone, half_way
from nameplate_skullstrip.flags import NO_BRAIN, REFUSING, bare_surface, findings
from nameplate_skullstrip.opening import opened
from nameplate_skullstrip.region import (
    disc,
    filled,
    filled_slices,
    islands,
    largest,
    touching_slices,
)
from nameplate_skullstrip.smoothing import smooth_slices, smooth_volume

CELL_MM = 3.7
"""Size of a cell of the coarse grid."""
DENSE_HU = 1200
"""The densest bone of a skull; what is above is tooth or metal. Half way to it decides where the edge is."""
FAR_MM = 8.0
"""Distances from the coarse mask beyond this are not told apart."""
_SPACING_MM = (0.05, 1000.0)
"""No scanner has voxel sizes outside this range; they are clamped, and the head will be refused."""
_IDENTITY = np.array([[0.0, 1.0], [1.0, 1.0], [2.0, 1.0]])


@dataclass(frozen=True)
class Stripped:
    """The intracranial mask of one head, and findings about it.

    ``mask`` is uint8 (0 or 1) on the grid of the image. ``flags`` are findings of
    ``nameplate_skullstrip.flags``; the head is ``usable`` unless one of them refuses it.
    """

    mask: Volume
    volume_ml: float
    flags: tuple[str, ...]
    usable: bool


def skullstrip(volume: Volume, settings: SkullstripSettings = SkullstripSettings()) -> Stripped:  # noqa: B008
    """Find the intracranial space: brain, CSF, ventricles and bleeds, without bone, orbits and scalp.

    ``volume`` has HU on any grid whose axes are near the patient's; slices are those of the axis nearest
    to head-foot. Any 3-D volume gets an answer: a flag refuses what is not a head. One thread, no
    randomness, and a mirrored volume gets the mirrored mask.
    """
    if not np.isfinite(volume.affine).all():
        nothing = np.zeros(volume.array.shape, np.uint8)
        return Stripped(volume.with_array(nothing), 0.0, (NO_BRAIN,), False)
    order = _canonical_order(volume)
    spacing = np.clip(np.nan_to_num(volume.spacing_mm)[np.argsort(order[:, 0])], *_SPACING_MM)
    hu_IJK = nib.orientations.apply_orientation(volume.array, order)
    hu_KIJ = np.ascontiguousarray(np.transpose(hu_IJK, (2, 0, 1)))
    with _one_thread():
        mask_KIJ, flags = strip_slices(hu_KIJ, (spacing[2], spacing[0], spacing[1]), settings)
    back = nib.orientations.ornt_transform(_IDENTITY, order)
    mask = nib.orientations.apply_orientation(np.transpose(mask_KIJ, (1, 2, 0)), back)
    ml = float(np.count_nonzero(mask_KIJ)) * volume.voxel_ml
    usable = not REFUSING.intersection(flags)
    return Stripped(volume.with_array(np.ascontiguousarray(mask)), ml, flags, usable)


def strip_slices(
    values_KIJ: NDArray[Any], spacing_mm: tuple[float, float, float], settings: SkullstripSettings
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The method itself, on axial slices from foot to head; ``spacing_mm`` along k, i and j.

    Returns the mask (uint8) and the flags.
    """
    # 0. Clip to what matters.
    if values_KIJ.size == 0:
        return np.zeros(values_KIJ.shape, np.uint8), (NO_BRAIN,)
    hu = clipped(values_KIJ)

    # 1. Tissue and bone, on slices smoothed against noise.
    smooth = smooth_slices(hu, 0.8, spacing_mm[1:])
    low = settings.tissue_low_hu
    grid = coarse_grid(hu.shape, spacing_mm, CELL_MM)
    cells = grid.spacing_mm

    # 2. Their shares on the coarse grid: averaging HU would turn bone next to air into brain.
    tissue = shares((smooth >= low) & (smooth <= 105), grid) > 0.55
    bone = shares(smooth > 180, grid) > 0.25

    # 3. What bone encloses.
    closed = smooth_volume(np.rint(255.0 * enclosure(bone)), 8.0, cells) >= 0.64 * 255.0
    tissue &= closed

    # From here on only the box around what is left; with 4 cells of margin it cannot reach the border.
    box = box_around(tissue, (4, 4, 4))
    tissue, closed, bone = tissue[box], closed[box], bone[box]

    # 4. Calcifications, clips and gas belong to the inside; then measure the size of the head.
    tissue |= islands(tissue, 2.0 / grid.cell_ml)
    size = float(np.clip(depth(tissue, cells, 58.0).max(initial=0.0) / 50.0, 0.45, 1.15))

    # 5. and 6. Remove orbits, nose, scalp and spinal canal.
    brain = opened(tissue, cells, size)
    brain = without_canal(brain, grid.cell_cm2, size)
    if not brain.any():
        return np.zeros(hu.shape, np.uint8), (NO_BRAIN,)

    # 7. Close sulci and cisterns; then return to the image's voxels as a distance.
    swollen = grown(brain, cells, 5.0 * size)
    brain = filled(brain | ((depth(swollen, cells, 5.0 * size + 1.0) > 5.0 * size) & closed))
    surface: NDArray[np.float32] = np.full(grid.shape, -FAR_MM, np.float32)
    surface[box] = signed_depth(brain, cells, FAR_MM)
    near = refined(surface, hu.shape)

    # 8. The edge, voxel by voxel.
    frame = box_around(near > -FAR_MM, (0, 0, 0))
    near, smooth = near[frame], smooth[frame]
    peak = densest_near(smooth, spacing_mm)
    inside = edge_zone(near, peak, spacing_mm, reach_mm(spacing_mm[0], size))
    inside &= (smooth >= low) & (smooth <= half_way(peak))
    core = near > 0.0
    # The vault may rise one slice above the coarse mask; at the base, such a rest is orbit or nose.
    core[1:] |= core[:-1].copy()
    mask: NDArray[np.uint8] = np.zeros(hu.shape, np.uint8)
    mask[frame] = polished(inside, core, spacing_mm)
    bare_cm2 = bare_surface(brain, bone, cells)
    return mask, findings(mask, smooth[mask[frame] > 0], spacing_mm, size, bare_cm2, settings)


def reach_mm(slice_mm: float, size: float) -> float:
    """How far the edge may be outside the coarse mask: farther in thick slices and in small, round heads."""
    return 2.25 + 0.25 * max(0.0, slice_mm - 4.0) + 2.0 * max(0.0, 1.0 - size)


def clipped(values: NDArray[Any]) -> NDArray[np.int16]:
    """Whole HU within -1000..1200 from any number type; NaN counts as air."""
    hu: NDArray[np.int16]
    if values.dtype == np.int16:
        hu = np.clip(values, np.int16(-1000), np.int16(DENSE_HU))
        return hu
    numbers = np.nan_to_num(values.astype(np.float64), nan=-1000.0)
    hu = np.rint(np.clip(numbers, -1000.0, DENSE_HU)).astype(np.int16)
    return hu


def polished(
    inside_KIJ: NDArray[np.bool_], core_KIJ: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> NDArray[np.uint8]:
    """Open by 2.5 mm within the slices, drop what misses the core, close, fill, keep the largest region."""
    around = disc(2.5, spacing_mm[1:])
    mask: NDArray[np.uint8] = np.empty(inside_KIJ.shape, np.uint8)
    for k, plane in enumerate(inside_KIJ.view(np.uint8)):
        mask[k] = cv2.morphologyEx(plane, cv2.MORPH_OPEN, around)
    mask = touching_slices(mask, core_KIJ)
    for k, plane in enumerate(mask):
        mask[k] = cv2.morphologyEx(plane, cv2.MORPH_CLOSE, around)
    return largest(filled_slices(mask) > 0).astype(np.uint8)


def _canonical_order(volume: Volume) -> NDArray[np.float64]:
    """How to reorder the array to left-right, back-front, foot-head; unchanged if the affine does not say."""
    order: NDArray[np.float64] = nib.orientations.io_orientation(volume.affine)
    return order if np.isfinite(order).all() else _IDENTITY


@contextmanager
def _one_thread() -> Iterator[None]:
    """Limit OpenCV to one thread, and restore its setting."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
