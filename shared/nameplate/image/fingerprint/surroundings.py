"""Table and head holder: what is not air around the back of the head."""

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Numbers, Slices
from nameplate.image.fingerprint.visible import Heads, coarser, hidden, some_heads

MEASURES = (
    Measure(
        "table_share",
        "surroundings",
        "",
        "Share of the directions behind the head in which there is a table",
        "Of the directions from the brain's centroid to the back, in steps of 5 degrees, the share in which "
        "the band from 3 mm (or 1.5 pixels) to 20 mm off the skin holds as much as 0.3 mm of water.",
        version=2,
    ),
    Measure(
        "table_water_mm",
        "surroundings",
        "mm",
        "Thickness of the table, as that of water",
        "Integral of (HU - HU of air) / 1000 across that band, median of the directions in which there is a "
        "table; air is the 10th percentile of the directions' median HU. Blur does not change an integral.",
    ),
    Measure(
        "table_gap_mm",
        "surroundings",
        "mm",
        "Distance from the skin to the table",
        "Distance from the skin of the middle of what that integral adds up, 10th percentile of those "
        "directions.",
        version=2,
    ),
)

BAND_MM = (3.0, 20.0)
"""Distance from the skin: nearer is the blur of the skin, and what is farther is outside of small fields."""
STEP_DEGREES = 5.0
STEPS = round(180 / STEP_DEGREES)
SEEN_SHARE = 0.9
"""A direction counts if so much of its band is inside the field."""
LEAST_DIRECTIONS = 0.3
"""With a smaller share of the directions nothing is said."""
LEAST_WATER_MM = 0.3
"""Less is an ear's edge, a tube or noise, and no table."""
LEAST_SHARE = 0.02
"""A table in fewer directions is none."""


def surroundings(slices: Slices) -> Numbers:
    """Share of the directions, water (mm) and distance (mm) of table and head holder; Missing without air."""
    slices = coarser(slices)
    if reason := hidden(slices):
        return _all(reason)
    some = some_heads(slices)
    if some is None:
        return _all(Missing("the mask is empty"))
    nearest = max(BAND_MM[0], 1.5 * max(slices.pixel_mm))
    parts = [_band(some, k, slices.pixel_mm, nearest) for k in range(len(some.hu))]
    way, away, hu = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    ways = STEPS * len(some.hu)
    whole = np.bincount(way, minlength=ways)
    seen = np.isfinite(hu)
    way, away, hu = way[seen], away[seen], hu[seen]
    counts = np.bincount(way, minlength=ways)
    clear = (counts > 0) & (counts >= SEEN_SHARE * whole)
    if np.count_nonzero(clear) < LEAST_DIRECTIONS * ways:
        return _all(Missing("too little is shown behind the head"))
    order = np.lexsort((hu, way))
    starts = np.cumsum(counts) - counts
    medians = hu[order][(starts + counts // 2)[clear]]
    excess = hu - float(np.percentile(medians, 10))
    sums = np.bincount(way, excess, minlength=ways)
    water = np.divide(sums, counts, out=np.zeros(ways), where=clear) * (BAND_MM[1] - nearest) / 1000
    table = clear & (water >= LEAST_WATER_MM)
    share = float(np.count_nonzero(table) / np.count_nonzero(clear))
    if share < LEAST_SHARE:
        none = Missing("no table is seen")
        return {"table_share": share, "table_water_mm": none, "table_gap_mm": none}
    middles = np.bincount(way, excess * away, minlength=ways)[table] / sums[table]
    return {
        "table_share": share,
        "table_water_mm": float(np.median(water[table])),
        "table_gap_mm": float(np.percentile(middles, 10)),
    }


def _band(
    some: Heads, k: int, pixel_mm: tuple[float, float], nearest: float
) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]:
    """Pixels behind the head in one slice: number of the direction, mm off the skin, HU (NaN if unseen)."""
    from scipy import ndimage

    row, column = (float(at.mean()) for at in np.nonzero(some.brain[k]))
    # A little of the front half, so that the distances at the sides are right.
    rows = min(some.heads.shape[1], int(row + BAND_MM[1] / pixel_mm[0]) + 1)
    away = ndimage.distance_transform_edt(~some.heads[k, :rows], sampling=pixel_mm)
    inside = (away > nearest) & (away <= BAND_MM[1])
    down, across = np.nonzero(inside)
    angles = np.degrees(np.arctan2((row - down) * pixel_mm[0], (across - column) * pixel_mm[1]))
    behind = (angles >= 0) & (angles < 180)
    down, across = down[behind], across[behind]
    way = (angles[behind] // STEP_DEGREES).astype(np.intp) + k * STEPS
    hu = np.where(some.fields.seen[k, down, across], some.hu[k, down, across], np.nan).astype(np.float64)
    return way, away[down, across], hu


def _all(reason: Missing) -> Numbers:
    return {measure.name: reason for measure in MEASURES}
