"""A volume's numbers as 16-bit words in a file of its own: what a DICOM file holds, and is read as."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.dicom.header import EXPLICIT
from nameplate_ingest.dicom.slice import Storage
from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.grids import Planes
from nameplate_ingest.voxels.stored import StoredVolume

_LEAST_SPAN = 255.0
"""Numbers that are no farther apart are scaled, or an 8-bit picture's."""
_HEAD = (-1024.0, 3071.0)
_WORDS = 65535
_FINEST = 1 / 16
"""HU: numbers that are not whole are rounded to this step, or to a larger one that holds them all."""
_CUT_LOW, _CUT_SURE = 600.0, 1500.0
"""HU at which numbers may end although bone goes on: below the first no bone is left to be found, above the
second there is hardly any more."""
_SPIKE = 1e-3
"""Share of all voxels at the highest number that a cut leaves."""
_BELOW_CUT = 100.0


@dataclass(frozen=True, slots=True)
class Range:
    """What the numbers of a volume are like, as its file scales them."""

    low: float
    high: float
    whole: bool
    at_high: int
    """Voxels with the highest number."""
    below_high: int
    """Voxels with a number at most ``_BELOW_CUT`` below it."""


def write_words(stored: StoredVolume, planes: Planes, path: Path) -> tuple[Storage, tuple[str, ...]]:
    """Write the slices one after the other, and say how they are stored; also flags for the exam.

    ``stored`` is not packed. Raises Refused for numbers that are not finite, scaled, cut below bone, or
    farther apart than 16 bits hold.
    """
    voxels = stored.voxels()
    scaled = _Scaled(stored, planes, voxels)
    seen = _range(scaled)
    flags = _checked(seen, stored)
    slope, intercept, signed = _scale(seen)
    with path.open("wb") as file:
        for number in range(len(planes.grids)):
            plane = scaled.plane(number)
            words = np.rint((plane - intercept) / slope)
            file.write(np.ascontiguousarray(words.astype("<i2" if signed else "<u2")).tobytes())
    storage = Storage(
        syntax=EXPLICIT,
        little=True,
        deflated=False,
        offset=0,
        length=path.stat().st_size,
        allocated=16,
        stored=16,
        high=15,
        signed=signed,
        slope=slope,
        intercept=intercept,
        frames=len(planes.grids),
    )
    return storage, flags


class _Scaled:
    """Slices with the file's own slope and intercept."""

    def __init__(self, stored: StoredVolume, planes: Planes, voxels: NDArray[Any]) -> None:
        self._stored, self._planes, self._voxels = stored, planes, voxels
        self.count = len(planes.grids)

    def plane(self, number: int) -> NDArray[np.float64]:
        """Axes (row, column)."""
        plane = self._planes.plane(self._voxels, number).astype(np.float64)
        if self._stored.slope != 1.0:
            plane *= self._stored.slope
        if self._stored.intercept != 0.0:
            plane += self._stored.intercept
        return plane


def _range(scaled: _Scaled) -> Range:
    low, high, whole = np.inf, -np.inf, True
    for number in range(scaled.count):
        plane = scaled.plane(number)
        least, greatest = float(plane.min()), float(plane.max())
        if not np.isfinite((least, greatest)).all():
            raise Refused("hounsfield", "numbers that are not finite")
        low, high = min(low, least), max(high, greatest)
        whole = whole and bool((np.rint(plane) == plane).all())
    at_high = below_high = 0
    for number in range(scaled.count):
        plane = scaled.plane(number)
        at_high += int(np.count_nonzero(plane == high))
        below_high += int(np.count_nonzero((plane < high) & (plane >= high - _BELOW_CUT)))
    return Range(low, high, whole, at_high, below_high)


def _checked(seen: Range, stored: StoredVolume) -> tuple[str, ...]:
    """Raise Refused for numbers that are no HU for certain; flags for what a person should know."""
    told = f"numbers from {_told(seen.low)} to {_told(seen.high)}"
    if seen.high - seen.low <= _LEAST_SPAN:
        raise Refused("hounsfield", f"{told}: scaled, no HU")
    if seen.high - seen.low > _WORDS or seen.low < -_WORDS or seen.high > _WORDS:
        raise Refused("hounsfield", f"{told}: more than 16 bits hold")
    voxels = stored.shape[0] * stored.shape[1] * stored.shape[2]
    # A cut heaps on its last number all that is above it; a single value that nothing is near is a material.
    cut = seen.at_high > _SPIKE * voxels and 0 < seen.below_high < 2 * seen.at_high
    if not cut or seen.high > _CUT_SURE:
        return ()
    if seen.high < _CUT_LOW:
        raise Refused("hounsfield", f"{told}: cut off below bone")
    return ("hu-cut-above",)


def _scale(seen: Range) -> tuple[float, float, bool]:
    """Slope and intercept that keep the numbers, and whether words are signed."""
    if seen.whole:
        if seen.low >= -32768 and seen.high <= 32767:
            return 1.0, 0.0, True
        if seen.low >= 0:
            return 1.0, 0.0, False
        return 1.0, float(np.floor(seen.low)), False
    low, high = float(np.floor(min(seen.low, _HEAD[0]))), max(seen.high, _HEAD[1])
    slope = _FINEST
    while (high - low) / slope > _WORDS:
        slope *= 2
    return slope, low, False


def _told(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1e6 else f"{value:.1e}"
