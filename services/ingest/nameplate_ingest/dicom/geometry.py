"""Where the pixels of an image are in the patient."""

import math
from dataclasses import dataclass
from functools import lru_cache

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.values import numbers, short
from nameplate_ingest.refusal import Refused

LARGEST, SMALLEST = 2048, 32
"""Rows and columns of a slice; anything outside is refused before memory is allocated."""
_ROUNDED = 2e-3
"""Direction cosines that differ by less are the same, written with few digits."""


@dataclass(frozen=True, slots=True)
class SliceGeometry:
    """Where the pixels of a slice are in the patient (DICOM axes: left, posterior, head)."""

    rows: int
    columns: int
    position: tuple[float, float, float]
    """Centre of the first pixel in mm."""
    orientation: tuple[float, float, float, float, float, float]
    """Direction in which columns count up, then the direction in which rows count up."""
    spacing: tuple[float, float]
    """Distance between rows, then between columns, in mm."""


def geometry_of(raw: dict[int, bytes], little: bool) -> SliceGeometry:
    """The geometry in the raw elements of one image; raises Refused where it is missing or impossible."""
    rows, columns = short(raw.get(tags.ROWS), little) or 0, short(raw.get(tags.COLUMNS), little) or 0
    if not (SMALLEST <= rows <= LARGEST and SMALLEST <= columns <= LARGEST):
        raise Refused("size", f"{rows} x {columns} pixels")
    position = numbers(raw.get(tags.POSITION), 3)
    orientation = numbers(raw.get(tags.ORIENTATION), 6)
    spacing = numbers(raw.get(tags.SPACING), 2)
    if position is None or max(map(abs, position)) > 1e5:
        raise Refused("geometry", "position missing or invalid")
    if orientation is None:
        raise Refused("geometry", "orientation missing or invalid")
    along, down = orientation[:3], orientation[3:]
    lengths = math.hypot(*along), math.hypot(*down)
    skew = sum(a * b for a, b in zip(along, down, strict=True))
    if max(abs(length - 1) for length in lengths) > 0.01 or abs(skew) > 0.01:
        raise Refused("geometry", "orientation is not two perpendicular unit vectors")
    if spacing is None or not all(0.05 <= step <= 10 for step in spacing):
        raise Refused("geometry", "pixel spacing missing or invalid")
    a, b, c, d, e, f = orientation
    x, y, z = position
    return SliceGeometry(rows, columns, (x, y, z), _orientation((a, b, c, d, e, f)), _spacing(*spacing))


_Six = tuple[float, float, float, float, float, float]


@lru_cache(maxsize=4096)
def _orientation(values: _Six) -> _Six:
    """One object for equal values, of which a million slices have few."""
    return values


@lru_cache(maxsize=4096)
def _spacing(rows: float, columns: float) -> tuple[float, float]:
    return rows, columns


def parallel(a: SliceGeometry, b: SliceGeometry) -> bool:
    """Whether two images lie the same way, but for what rounding leaves."""
    return max(abs(x - y) for x, y in zip(a.orientation, b.orientation, strict=True)) < _ROUNDED
