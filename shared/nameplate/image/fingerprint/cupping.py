"""Cupping: how much HU rise from the middle of the brain towards the skull."""

import numpy as np

from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices
from nameplate.image.fingerprint.tissue import NO_WHITE, White, white_matter
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
    found = white_matter(slices)
    return {"cupping_hu": found if isinstance(found, Missing) else _cupping_hu(found)}


def _cupping_hu(found: White) -> Number:
    """HU at the skull above those in the middle; Missing with a reason."""
    cells, smooth = found.cells, found.wide
    areas = cells.weight.sum(axis=(1, 2))
    chosen = cells.brain & ~found.odd & (cells.depth >= OUTERMOST_MM)
    chosen[areas < MIDDLE_SHARE * areas.max()] = False
    if not chosen.any():
        return NO_WHITE
    chosen &= found.slope <= np.quantile(found.slope[chosen], FLAT_SHARE)
    chosen &= np.abs(smooth - found.hu) < WHITE_HU
    rise = np.exp(-cells.depth[chosen].astype(np.float64) / DECAY_MM)
    hu = smooth[chosen].astype(np.float64)
    if len(hu) < LEAST_CELLS or np.ptp(rise) < 0.1:
        return Missing("too little white matter at different depths")
    rise -= rise.mean()
    return float(rise @ (hu - hu.mean()) / (rise @ rise))
