"""Cupping: how much HU rise from the middle of the brain towards the skull."""

import numpy as np

from nameplate.image.fingerprint.brain_cells import BrainCells, brain_cells
from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices
from nameplate.image.fingerprint.tissue import NO_TISSUE, NO_WHITE, tissue, tissue_of, white_hu
from nameplate.image.fingerprint.visible import MIDDLE_SHARE

MEASURES = (
    Measure(
        "cupping_hu",
        "cupping",
        "HU",
        "Rise of HU towards the skull",
        "Least-squares slope of the HU of even white matter on exp(-depth / 14 mm), from 20 mm inside the "
        "mask inwards: nearer, no white matter is free of cortex. Two tissues do not enter, so their "
        "contrast does not pass for cupping.",
    ),
)

DECAY_MM = 14.0
OUTERMOST_MM = 20.0
"""Nearer to the mask's edge the cortex's folds are in every cell."""
WHITE_HU = 2.0
"""Farther from white matter a cell holds another tissue."""
FLAT_SHARE = 0.5
"""Of the cells there, this share that changes least from cell to cell is taken for white matter."""
LEAST_CELLS = 100


def cupping(slices: Slices) -> Numbers:
    """HU at the skull above those in the middle of the brain, from white matter alone."""
    cells = brain_cells(slices)
    return {"cupping_hu": NO_TISSUE if cells is None else cupping_hu(cells)}


def tissue_and_cupping(slices: Slices) -> Numbers:
    """What ``tissue`` and ``cupping`` say, in less time than both."""
    cells = brain_cells(slices)
    if cells is None:
        return tissue(slices) | {"cupping_hu": NO_TISSUE}
    return tissue_of(cells) | {"cupping_hu": cupping_hu(cells)}


def cupping_hu(cells: BrainCells) -> Number:
    """HU at the skull above those in the middle, from the brain on cells; Missing with a reason."""
    smooth = cells.smoothed(max(3.0, 0.8 * max(cells.cell_mm)))
    odd = cells.odd(smooth)
    white = white_hu(cells, smooth, odd)
    if white is None:
        return NO_WHITE
    areas = cells.weight.sum(axis=(1, 2))
    chosen = cells.brain & ~odd & (cells.depth >= OUTERMOST_MM)
    chosen[areas < MIDDLE_SHARE * areas.max()] = False
    slope = cells.slope(smooth)
    if not chosen.any():
        return NO_WHITE
    chosen &= slope <= np.quantile(slope[chosen], FLAT_SHARE)
    chosen &= np.abs(smooth - white) < WHITE_HU
    rise = np.exp(-cells.depth[chosen].astype(np.float64) / DECAY_MM)
    hu = smooth[chosen].astype(np.float64)
    if len(hu) < LEAST_CELLS or np.ptp(rise) < 0.1:
        return Missing("too little white matter at different depths")
    rise -= rise.mean()
    return float(rise @ (hu - hu.mean()) / (rise @ rise))
