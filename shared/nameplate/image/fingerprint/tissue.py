"""HU of CSF, grey and white matter of one exam: its scanner's offset and contrast.

White matter is what is commonest in the deep brain. CSF and grey matter are taken from the middle of compact
regions, the ventricles and the deep nuclei: there, neither the neighbouring tissue nor the cortex with its
folds is in the voxel.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.brain_cells import (
    DEEP_MM,
    FLAT_SHARE,
    BrainCells,
    Floats,
    Mask,
    brain_cells,
    commonest_hu,
    distance_mm,
)
from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices, once

MEASURES = (
    Measure(
        "hu_csf",
        "tissue",
        "HU",
        "HU of CSF",
        "Regions darker than half way to white matter, at least 20 mm inside the mask, without their outer "
        "2 mm; the regions' means are taken as CSF plus an exponentially distributed part of brain (slices "
        "cut the ventricles' roofs) plus noise as strong as in white matter; posterior mean of CSF.",
    ),
    Measure(
        "hu_grey",
        "tissue",
        "HU",
        "HU of grey matter",
        "Regions brighter than half way from white matter, in the inner half of the largest slices; mean of "
        "the 4 cm2 farthest from the regions' edges: thalamus and lentiform nucleus.",
    ),
    Measure(
        "hu_white",
        "tissue",
        "HU",
        "HU of white matter",
        "Commonest HU, after smoothing with 3 mm within the slice, of the evenest quarter of the brain that "
        "is at least 15 mm inside the mask.",
    ),
)

CSF_DEPTH_MM = 20.0
"""CSF nearer to the edge of the mask is in sulci."""
CSF_RIM_MM, GREY_RIM_MM = 2.0, 2.5
"""Outer part of a region that is left out: there the neighbour is in the voxel."""
CSF_REGION_MM2 = 20.0
"""Smallest cross-section of a region's core."""
CORE_SHARE = 0.6
"""Of a ventricle's cross-section counts what is at least this share of its greatest distance inside."""
GREY_MM2 = 400.0
MARGIN_MM = 8.0
"""How far around the depths where a tissue is looked for its regions are followed."""
BIG_SHARE = 0.85
"""Slices with this share of the largest cross-section hold the deep nuclei, and no brain stem."""
LEAST_CSF_BELOW_HU, LEAST_GREY_ABOVE_HU = 8.0, 2.0
"""Nearer to white matter a region is an infarct, an oedema or noise."""
MOST_DOUBT_HU = 1.5
"""With a larger standard deviation of the estimate there is no number."""
_TAUS = np.array([0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
_TAU_HU = 0.7
NO_TISSUE = Missing("the mask holds no tissue")
NO_WHITE = Missing("no tissue is the commonest in the deep brain")


def tissue(slices: Slices) -> Numbers:
    """HU of CSF, grey and white matter; Missing with a reason for a tissue that is not found."""
    found = white_matter(slices)
    if isinstance(found, Missing):
        return dict.fromkeys(("hu_csf", "hu_grey", "hu_white"), found)
    cells, odd, white = found.cells, found.odd, found.hu
    noise = _noise_of_nine(cells, cells.brain & ~odd & (np.abs(found.wide - white) < 3.0))
    return {
        "hu_csf": _csf_hu(cells, found.narrow, white, noise),
        "hu_grey": _grey_hu(cells, found.narrow, white, odd),
        "hu_white": white,
    }


@dataclass(frozen=True, slots=True, eq=False)
class White:
    """White matter's HU, and the brain on cells that they were found in; arrays have axes (k, j, i)."""

    cells: BrainCells
    wide: Floats
    """HU smoothed with 3 mm."""
    narrow: Floats
    """HU smoothed with 2 mm."""
    odd: Mask
    """Bleeds and calcifications."""
    slope: Floats
    """Of ``wide``, HU per mm."""
    hu: float


@once
def white_matter(slices: Slices) -> White | Missing:
    """White matter in the brain, for all who need it; Missing with a reason."""
    cells = brain_cells(slices)
    if cells is None:
        return NO_TISSUE
    largest = max(cells.cell_mm)
    wide = cells.smoothed(max(3.0, 0.8 * largest))
    narrow = cells.smoothed(max(2.0, 0.5 * largest))
    odd, slope = cells.odd(narrow), cells.slope(wide)
    hu = _white_hu(cells, wide, slope, odd)
    return NO_WHITE if hu is None else White(cells, wide, narrow, odd, slope, hu)


def _white_hu(cells: BrainCells, smooth: Floats, slope: Floats, odd: Mask) -> float | None:
    """The commonest HU of the even deep brain without what is ``odd``; None where none is commonest."""
    deep = cells.brain & ~odd & (cells.depth >= DEEP_MM)
    if np.count_nonzero(deep) < 20:
        return None
    steepness = slope[deep]
    return commonest_hu(smooth[deep][steepness <= np.quantile(steepness, FLAT_SHARE)])


def _noise_of_nine(cells: BrainCells, white: Mask) -> float:
    """Spread in HU of the mean of 3 x 3 cells of white matter, without its slow changes."""
    from scipy.ndimage import binary_erosion, uniform_filter

    inner = binary_erosion(white & (cells.depth >= CSF_DEPTH_MM), np.ones((1, 3, 3), bool))
    if np.count_nonzero(inner) < 30:
        return 1.5
    near, far = uniform_filter(cells.hu, (0, 3, 3)), uniform_filter(cells.hu, (0, 7, 7))
    return max(float(np.std((near - far)[inner])), 0.05)


def _csf_hu(cells: BrainCells, smooth: Floats, white: float, noise: float) -> Number:
    nothing = Missing("no compact region of CSF is found")
    limit, found, doubt = white - 10.0, white, 0.0
    inside = cells.brain & (cells.depth >= CSF_DEPTH_MM)
    # What is farther out is of no concern: a region's border there is too far away to matter.
    near = cells.brain & (cells.depth >= CSF_DEPTH_MM - MARGIN_MM)
    near[~inside.any(axis=(1, 2))] = False
    for _ in range(3):
        away = distance_mm(near & (smooth < limit), cells.cell_mm)
        core = inside & (away >= max(CSF_RIM_MM, 1.01 * max(cells.cell_mm)))
        means, sizes = _regions(core, away, cells.hu)
        area = sizes * (cells.cell_mm[0] * cells.cell_mm[1])
        large = area >= CSF_REGION_MM2 - cells.cell_mm[0] * cells.cell_mm[1]
        if not large.any():
            return nothing
        weights = np.minimum(1.0, area[large] / 60.0)
        found, doubt = purest(means[large], noise * np.sqrt(9 / sizes[large]), weights)
        limit = (white + found) / 2
    if found > white - LEAST_CSF_BELOW_HU:
        return nothing
    if doubt > MOST_DOUBT_HU:
        return Missing("the regions of CSF are too few and small for their noise")
    return found


def _regions(core: Mask, away: Floats, hu: Floats) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean HU and cells of the innermost part of each connected region of each slice."""
    from scipy.ndimage import label

    labels, count = label(core, np.array([np.zeros((3, 3)), np.ones((3, 3)), np.zeros((3, 3))]))
    where = labels > 0
    numbers, distances = labels[where], away[where]
    deepest = np.zeros(count + 1)
    np.maximum.at(deepest, numbers, distances)
    inner = distances >= CORE_SHARE * deepest[numbers]
    sizes = np.bincount(numbers[inner], minlength=count + 1)[1:].astype(np.float64)
    sums = np.bincount(numbers[inner], hu[where][inner], minlength=count + 1)[1:]
    return sums / np.maximum(sizes, 1.0), sizes


def purest(
    means: NDArray[np.float64], spreads: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """HU of pure fluid and their standard deviation, from regions with some brain in them: (regions,) each.

    A region's mean is that HU plus an exponentially distributed part plus normal noise of its spread
    (an exponentially modified normal distribution). The posterior over a grid of the HU and of the
    exponential's mean, with a gamma prior on the latter: so noise does not make the fluid darker.
    """
    from scipy.special import log_ndtr

    hu = np.arange(float(means.min()) - 12.0, float(means.max()) + 2.0, 0.1)
    above = means - hu[:, None, None]
    tau = _TAUS[:, None]
    each = -np.log(tau) + spreads**2 / (2 * tau**2) - above / tau + log_ndtr(above / spreads - spreads / tau)
    likelihood = (each * weights).sum(axis=-1) + np.log(_TAUS) - _TAUS / _TAU_HU
    posterior = np.exp(likelihood - likelihood.max()).sum(axis=1)
    mean = float((posterior * hu).sum() / posterior.sum())
    return mean, float(np.sqrt((posterior * (hu - mean) ** 2).sum() / posterior.sum()))


def _grey_hu(cells: BrainCells, smooth: Floats, white: float, odd: Mask) -> Number:
    nothing = Missing("no compact region of grey matter is found")
    areas = cells.weight.sum(axis=(1, 2))
    half = 0.5 * cells.depth.max(axis=(1, 2))
    inside = cells.brain & (cells.depth >= half[:, None, None])
    inside[areas < BIG_SHARE * areas.max()] = False
    near = cells.brain & ~odd & (cells.depth >= half[:, None, None] - MARGIN_MM)
    near[~inside.any(axis=(1, 2))] = False
    count = max(6, round(GREY_MM2 / (cells.cell_mm[0] * cells.cell_mm[1])))
    limit, found = white + 4.0, white
    for _ in range(3):
        away = distance_mm(near & (smooth > limit), cells.cell_mm)
        core = inside & (away >= max(GREY_RIM_MM, 1.01 * max(cells.cell_mm)))
        values, distances = cells.hu[core], away[core]
        if len(values) < 8:
            return nothing
        if len(values) > count:
            values = values[distances >= np.partition(distances, -count)[-count] - 1e-5]
        found = float(values.mean(dtype=np.float64))
        limit = (white + found) / 2
    if found < white + LEAST_GREY_ABOVE_HU:
        return nothing
    return found
