"""The reconstructed field: its size, its shape, how much air it holds, and what is stored outside it."""

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices
from nameplate.image.fingerprint.visible import (
    Fields,
    coarser,
    fields_of,
    hidden,
    middle_slices,
    some_heads,
)

MEASURES = (
    Measure(
        "field_mm",
        "field",
        "mm",
        "Side of the reconstructed field",
        "Longer side of the box around everything that is no padding, median over slices; the side of the "
        "image where that box is no square or a window has cut off the air.",
    ),
    Measure(
        "air_share",
        "field",
        "",
        "Share of the field outside the head",
        "Of the reconstructed field in the slices with the most brain, what is outside the skin, a table "
        "included: so that it says nothing about the table.",
    ),
    Measure(
        "circle_share",
        "field",
        "",
        "Share of the square outside a circle",
        "Pixels of the field's box that hold the padding and are outside the circle in it; 0 in a square "
        "field, 0.215 in a full circle.",
    ),
    Measure(
        "head_off_mm",
        "field",
        "mm",
        "Distance of the head from the middle of the field",
        "From the middle of the field to the centroid of the brain, mean of the slices with the most brain.",
    ),
    Measure(
        "padding_hu",
        "padding",
        "HU",
        "Value stored outside the field",
        "The one value of all corners of all slices; only where the field is a circle. A converted image "
        "has its lowest HU there, whatever the scanner stored.",
    ),
)

SQUARE_SHARE = 0.03
"""The box around a field has sides that differ by no more than this share, and 2 pixels."""
MOST_SLICES, SLICES = 12, 6
"""So many slices from all over the head are asked for the field, and about so many for a circle: it is the
same in all."""
NO_BRAIN = Missing("the mask is empty")


def field(slices: Slices) -> Numbers:
    """Size, air, circle, centre and padding of the field; ``MEASURES`` has units and formulas."""
    coarse = coarser(slices)
    reason = hidden(coarse)
    few = slice(None, None, -(-len(coarse.hu) // MOST_SLICES) or 1)
    fields = fields_of(coarse.hu[few])
    square = reason is None and _square(fields, coarse.pixel_mm)
    if not square:
        fields = _whole(fields)
    circle = reason or _circle_share(fields, square)
    padding: Number
    if isinstance(circle, Missing):
        padding = circle
    elif circle == 0 or fields.padding is None:
        padding = Missing("nothing is padded: the field is a square")
    else:
        padding = fields.padding
    return {
        "field_mm": _side_mm(fields, coarse.pixel_mm),
        "air_share": reason or _air_share(coarse, square),
        "circle_share": circle,
        "head_off_mm": _head_off_mm(coarse.brain[few], coarse.pixel_mm, fields),
        "padding_hu": padding,
    }


def _whole(fields: Fields) -> Fields:
    """The same with a box around all of every slice."""
    count, rows, columns = fields.seen.shape
    return Fields(fields.padding, fields.seen, np.tile([0, rows, 0, columns], (count, 1)))


def _side_mm(fields: Fields, pixel_mm: tuple[float, float]) -> float:
    tall = (fields.boxes[:, 1] - fields.boxes[:, 0]) * pixel_mm[0]
    wide = (fields.boxes[:, 3] - fields.boxes[:, 2]) * pixel_mm[1]
    return float(np.median(np.maximum(tall, wide)))


def _square(fields: Fields, pixel_mm: tuple[float, float]) -> bool:
    """Whether what is seen is a field, and not only a head before a constant background."""
    tall = float(np.median(fields.boxes[:, 1] - fields.boxes[:, 0])) * pixel_mm[0]
    wide = float(np.median(fields.boxes[:, 3] - fields.boxes[:, 2])) * pixel_mm[1]
    longest = max(tall, wide)
    return longest > 0 and abs(tall - wide) <= max(SQUARE_SHARE * longest, 2.0 * max(pixel_mm))


def _away(fields: Fields, k: int) -> tuple[NDArray[np.float64], float]:
    """Distance of the pixels in the box of slice k from its middle, in its sides; and a pixel's size."""
    top, end, left, right = fields.boxes[k]
    tall, wide = max(int(end - top), 1), max(int(right - left), 1)
    rows = (np.arange(end - top) + 0.5) / tall - 0.5
    columns = (np.arange(right - left) + 0.5) / wide - 0.5
    return np.hypot(rows[:, None], columns[None, :]), 1.0 / max(tall, wide)


def _circle_share(fields: Fields, square: bool) -> Number:
    if fields.padding is None:
        return 0.0
    if not square:
        return Missing("the air is as constant as any padding")
    shares, ring_shares, outside_shares = [], [], []
    for k in range(0, len(fields.boxes), max(1, len(fields.boxes) // SLICES)):
        top, end, left, right = fields.boxes[k]
        padded = ~fields.seen[k, top:end, left:right]
        away, pixel = _away(fields, k)
        outside, ring = away > 0.5 + pixel, (away > 0.44) & (away < 0.5 - pixel)
        if not ring.any() or not outside.any():
            continue
        shares.append(float((padded & (away > 0.5 - pixel)).mean()))
        outside_shares.append(float(padded[outside].mean()))
        ring_shares.append(float(padded[ring].mean()))
    if not shares:
        return Missing("no slice shows a field")
    if np.median(outside_shares) < 0.9:
        return 0.0
    if np.median(ring_shares) > 0.5:
        return Missing("the air is as constant as any padding")
    return float(np.median(shares))


def _air_share(slices: Slices, square: bool) -> Number:
    some = some_heads(slices)
    if some is None:
        return NO_BRAIN
    fields = some.fields if square else _whole(some.fields)
    shares = []
    for k, head in enumerate(some.heads):
        top, end, left, right = fields.boxes[k]
        seen = fields.seen[k, top:end, left:right]
        if seen.any():
            shares.append(1.0 - float(np.count_nonzero(head[top:end, left:right] & seen)) / seen.sum())
    return float(np.mean(shares)) if shares else Missing("no slice shows a field")


def _head_off_mm(brain: NDArray[np.bool_], pixel_mm: tuple[float, float], fields: Fields) -> Number:
    chosen = middle_slices(brain)
    if not len(chosen):
        return NO_BRAIN
    j_mm, i_mm = pixel_mm
    offs = []
    for k in chosen:
        j, i = np.nonzero(brain[k])
        top, end, left, right = fields.boxes[k]
        offs.append(((j.mean() + 0.5 - (top + end) / 2) * j_mm, (i.mean() + 0.5 - (left + right) / 2) * i_mm))
    return float(np.hypot(*np.mean(offs, axis=0)))
