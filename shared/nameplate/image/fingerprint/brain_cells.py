"""The brain on cells of about 2 mm in each slice: less noise, the same size whatever the pixels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.box import box_around
from nameplate.image.fingerprint.slices import Slices, most_brain, without_holes

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

CELL_MM = 2.0
"""Smaller pixels are averaged to about this; larger ones stay."""
TISSUE_HU = (-60.0, 140.0)
"""Voxels beyond are bone, air, metal or calcified."""
MOST_SLICES, MOST_MM = 20, 100.0
"""So many neighbouring slices or mm of the head, the larger of the two: those with the most brain."""
SLAB_MM = 5.0
"""Thinner neighbouring slices are averaged to about this."""
DEEP_MM = 15.0
"""Farther than this from the mask's edge there are no blurred bone, no cortical rim and little cupping."""
FLAT_SHARE = 0.25
"""Of the deep brain, this share that changes least from cell to cell is taken for one tissue."""
BRIGHT_HU = 60.0
"""Bleeds and calcifications, even after smoothing."""


@dataclass(frozen=True, slots=True, eq=False)
class BrainCells:
    """All arrays have axes (k, j, i); a cell without a voxel of tissue holds 0 HU and has weight 0."""

    hu: Floats
    """Mean of the cell's voxels of tissue."""
    weight: Floats
    """Share of the cell that is tissue within the mask."""
    brain: Mask
    """More than half of the cell is."""
    depth: Floats
    """Distance in mm from the edge of the brain within the slice, whatever the holes; 0 outside."""
    cell_mm: tuple[float, float]
    """Size of a cell along j and i."""

    def smoothed(self, sigma_mm: float) -> Floats:
        """HU averaged with a Gaussian within each slice, over tissue in the mask alone."""
        from scipy.ndimage import gaussian_filter

        sigma = (0.0, sigma_mm / self.cell_mm[0], sigma_mm / self.cell_mm[1])
        weight = gaussian_filter(self.weight, sigma, truncate=2.5, mode="constant")
        total = gaussian_filter(self.weight * self.hu, sigma, truncate=2.5, mode="constant")
        return np.asarray(total / np.maximum(weight, np.float32(0.3)), dtype=np.float32)

    def odd(self, smooth: Floats) -> Mask:
        """Bleeds and calcifications in smoothed HU, and what is next to them."""
        from scipy.ndimage import binary_dilation

        bright = self.brain & (smooth > BRIGHT_HU)
        if not bright.any():
            return bright
        return np.asarray(binary_dilation(bright, np.ones((1, 3, 3), bool), iterations=2), dtype=bool)

    def slope(self, smooth: Floats) -> Floats:
        """How much smoothed HU change from cell to cell, in HU per mm."""
        from scipy.ndimage import sobel

        j_mm, i_mm = self.cell_mm
        return np.asarray(np.hypot(sobel(smooth, 1) / (8 * j_mm), sobel(smooth, 2) / (8 * i_mm)))


def distance_mm(mask: Mask, cell_mm: tuple[float, float]) -> Floats:
    """Distance within the slice from each cell of a mask to the nearest one outside it, in mm."""
    from scipy.ndimage import distance_transform_edt

    result = np.zeros(mask.shape, np.float32)
    if not mask.any():
        return result
    box = box_around(mask, (0, 0, 0))
    within = mask[box]
    framed = np.zeros((len(within), within.shape[1] + 2, within.shape[2] + 2), bool)
    framed[:, 1:-1, 1:-1] = within
    # Slices that are far apart: no cell of another one is the nearest.
    nearest = distance_transform_edt(
        framed, sampling=(1e5, *cell_mm), return_distances=False, return_indices=True
    )[1:, :, 1:-1, 1:-1]
    j, i = np.ogrid[1 : framed.shape[1] - 1, 1 : framed.shape[2] - 1]
    result[box] = np.hypot(
        (nearest[0] - j) * np.float32(cell_mm[0]), (nearest[1] - i) * np.float32(cell_mm[1]), dtype=np.float32
    )
    return result


def brain_cells(slices: Slices) -> BrainCells | None:
    """The brain on cells, cut to the box around it; None without a voxel of tissue in the mask."""
    from scipy.ndimage import uniform_filter1d

    most = max(MOST_SLICES, int(MOST_MM / slices.slice_mm))
    run = most_brain(slices.brain, most) if slices.adjacent else slice(0, len(slices.brain))
    tissue, hu = slices.brain[run], slices.hu[run]
    if not tissue.any():
        return None
    box = box_around(tissue, (0, 0, 0))
    tissue, hu = tissue[box], hu[box]
    tissue = tissue & (hu > TISSUE_HU[0]) & (hu < TISSUE_HU[1])
    if not tissue.any():
        return None
    factors = [max(1, round(CELL_MM / size)) for size in slices.pixel_mm]
    weight = _blocks(tissue.astype(np.float32), factors)
    total = _blocks(np.where(tissue, hu, np.float32(0)), factors)
    if slices.adjacent and slices.slice_mm < 0.8 * SLAB_MM:
        size = max(1, round(SLAB_MM / slices.slice_mm))
        weight = uniform_filter1d(weight, size, axis=0, mode="nearest")
        total = uniform_filter1d(total, size, axis=0, mode="nearest")
    cell_mm = (slices.pixel_mm[0] * factors[0], slices.pixel_mm[1] * factors[1])
    brain = weight > 0.5
    return BrainCells(
        hu=np.asarray(total / np.maximum(weight, np.float32(1e-3)), dtype=np.float32),
        weight=weight,
        brain=brain,
        # A calcification or unknown voxels are a hole, and no edge.
        depth=distance_mm(without_holes(brain), cell_mm),
        cell_mm=cell_mm,
    )


def _blocks(array: Floats, factors: list[int]) -> Floats:
    """Means of blocks of rows and columns; what is left over at the end counts as empty."""
    down, across = factors
    rows, columns = -array.shape[1] % down, -array.shape[2] % across
    if rows or columns:
        array = np.pad(array, ((0, 0), (0, rows), (0, columns)))
    flat = array[:, ::down].copy()
    for row in range(1, down):
        flat += array[:, row::down]
    blocks = flat[:, :, ::across].copy()
    for column in range(1, across):
        blocks += flat[:, :, column::across]
    return np.asarray(blocks / np.float32(down * across), dtype=np.float32)


def commonest_hu(values: Floats) -> float | None:
    """The commonest of smoothed values between 15 and 45 HU; of two tissues the darker one.

    The histogram is smoothed with 1 HU. A second peak 3 to 14 HU below the highest, and at least a
    third as high, is white matter below grey. None without a peak.
    """
    from scipy.ndimage import gaussian_filter1d

    step = 0.25
    counts, edges = np.histogram(values, np.arange(5.0, 55.0 + step / 2, step))
    density = gaussian_filter1d(counts.astype(np.float64), 1.0 / step, mode="constant")
    centres = (edges[1:] + edges[:-1]) / 2
    inner = density[1:-1]
    rising = (inner >= density[:-2]) & (inner > density[2:]) & (inner > 0)
    peaks = np.flatnonzero(rising & (centres[1:-1] >= 15) & (centres[1:-1] <= 45)) + 1
    if not len(peaks):
        return None
    top = peaks[np.argmax(density[peaks])]
    below = centres[top] - centres[peaks]
    darker = peaks[(below > 3) & (below < 14) & (density[peaks] > density[top] / 3)]
    best = darker[np.argmax(density[darker])] if len(darker) else top
    left, middle, right = density[best - 1 : best + 2]
    return float(centres[best] + step * 0.5 * (left - right) / (left - 2 * middle + right))
