"""Table and head holder: what is not air around the back of the head."""

import numpy as np

from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Numbers, Slices
from nameplate.image.fingerprint.visible import (
    AIR_HU,
    coarser,
    hidden,
    some_heads,
)

MEASURES = (
    Measure(
        "table_share",
        "surroundings",
        "",
        "Share of the band behind the head that is table",
        "Around the back half of the head, from 3 mm (or 1.5 pixels) to 25 mm off the skin, the "
        "share of what is seen that is denser than -700 HU.",
    ),
    Measure(
        "table_hu",
        "surroundings",
        "HU",
        "HU of the table",
        "Median of what is denser than -700 HU in that band.",
    ),
    Measure(
        "table_gap_mm",
        "surroundings",
        "mm",
        "Distance from the skin to the table",
        "5th percentile of the distance from the skin of what is denser than -700 HU in that band.",
    ),
)

BAND_MM = (3.0, 25.0)
"""Distance from the skin: nearer is the blur of the skin, and what is farther is outside of small fields."""
SEEN_SHARE = 0.3
"""With less of the band inside the field nothing is said of it."""
LEAST_SHARE = 0.002
"""Less than this share of the band is an ear's edge or a tube, and no table."""


def surroundings(slices: Slices) -> Numbers:
    """Share of the band, HU and distance (mm) of table and head holder; Missing where air cannot be seen."""
    from scipy import ndimage

    slices = coarser(slices)
    if reason := hidden(slices):
        return _all(reason)
    some = some_heads(slices)
    if some is None:
        return _all(Missing("the mask is empty"))
    hu, heads, seen = some.hu, some.heads, some.fields.seen
    nearest = max(BAND_MM[0], 1.5 * max(slices.pixel_mm))
    values, distances = [], []
    band, visible = 0, 0
    for k in range(len(hu)):
        middle = int(np.nonzero(some.brain[k])[0].mean())
        # A little of the front half, so that the distances at the sides are right.
        rows = min(heads.shape[1], middle + int(BAND_MM[1] / slices.pixel_mm[0]) + 1)
        away = ndimage.distance_transform_edt(~heads[k, :rows], sampling=slices.pixel_mm)
        inside = (away > nearest) & (away <= BAND_MM[1])
        inside[middle:] = False
        band += int(np.count_nonzero(inside))
        inside &= seen[k, :rows]
        visible += int(np.count_nonzero(inside))
        table = inside & (hu[k, :rows] > AIR_HU)
        values.append(hu[k, :rows][table])
        distances.append(away[table])
    if not band or visible < SEEN_SHARE * band:
        return _all(Missing("too little is shown behind the head"))
    found, gaps = np.concatenate(values), np.concatenate(distances)
    if len(found) < LEAST_SHARE * visible:
        none = Missing("no table is seen")
        return {"table_share": len(found) / visible, "table_hu": none, "table_gap_mm": none}
    return {
        "table_share": len(found) / visible,
        "table_hu": float(np.median(found)),
        "table_gap_mm": float(np.percentile(gaps, 5)),
    }


def _all(reason: Missing) -> Numbers:
    return {measure.name: reason for measure in MEASURES}
