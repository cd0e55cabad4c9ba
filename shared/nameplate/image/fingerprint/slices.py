"""What every measure of the fingerprint is taken from: axial slices, and where the brain is in them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from nameplate.image.volume import Volume

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class Slices:
    """Axial slices of one exam; all arrays have axes (k, j, i): foot to head, back to front, left to right.

    Raises ValueError when the arrays do not fit each other or a size is not positive.
    """

    hu: NDArray[np.float32]
    """HU; NaN where nothing is known."""
    brain: NDArray[np.bool_]
    """Intracranial mask; it may be rough, so measures look at the values too."""
    pixel_mm: tuple[float, float]
    """Size of a pixel along j and i."""
    slice_mm: float
    """Distance between neighbouring slices, where ``adjacent``."""
    adjacent: bool = True
    """Whether slice k + 1 is the next one of the series; else they are picked from all over it."""
    thickness_mm: float | None = None
    """Of a slice; None if it is as thick as slices are apart."""
    derived: dict[Callable[..., Any], Any] = field(default_factory=dict, init=False, repr=False)
    """What several measures need, kept by ``once``."""

    def __post_init__(self) -> None:
        if self.hu.ndim != 3 or self.hu.shape != self.brain.shape:
            raise ValueError(f"expected 3 axes and a mask alike, got {self.hu.shape} and {self.brain.shape}")
        sizes = (*self.pixel_mm, self.slice_mm, self.thick_mm)
        if min(sizes) <= 0:
            raise ValueError(f"sizes must be positive, got {sizes} mm")

    @property
    def thick_mm(self) -> float:
        """Thickness of a slice."""
        return self.slice_mm if self.thickness_mm is None else self.thickness_mm

    @classmethod
    def of_volume(cls, image: Volume, mask: Volume) -> "Slices":
        """All slices of a volume in canonical order, and its mask (anything but 0 is brain)."""
        i_mm, j_mm, k_mm = image.spacing_mm
        return cls(
            hu=np.ascontiguousarray(np.transpose(image.array, (2, 1, 0)), dtype=np.float32),
            brain=np.ascontiguousarray(np.transpose(mask.array != 0, (2, 1, 0))),
            pixel_mm=(j_mm, i_mm),
            slice_mm=k_mm,
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """Why a measure has no number: a few plain words, no text and no number of the exam."""

    reason: str


Number = float | Missing
"""A measured number in the unit of its measure, or why there is none."""
Numbers = dict[str, Number]
"""Numbers by the names of the measures."""


def once(function: Callable[[Slices], T]) -> Callable[[Slices], T]:
    """The function, which is computed once for the same slices however many measures ask."""

    def kept(slices: Slices) -> T:
        if function not in slices.derived:
            slices.derived[function] = function(slices)
        found: T = slices.derived[function]
        return found

    return kept


@once
def extremes(slices: Slices) -> tuple[float, float]:
    """The least and the greatest HU of all that is known; NaN where nothing is."""
    if not slices.hu.size:
        return float("nan"), float("nan")
    least, greatest = float(slices.hu.min()), float(slices.hu.max())
    if np.isnan(least):  # asked for only here, as leaving out what is not known takes ten times as long
        least = float(np.fmin.reduce(slices.hu, axis=None))
        greatest = float(np.fmax.reduce(slices.hu, axis=None))
    return least, greatest


def most_brain(brain: NDArray[np.bool_], most: int) -> slice:
    """The neighbouring slices, at most ``most``, that together hold the most brain."""
    held = np.concatenate([[0], np.cumsum(np.count_nonzero(brain, axis=(1, 2)))])
    count = min(most, len(brain))
    start = int(np.argmax(held[count:] - held[: len(held) - count]))
    return slice(start, start + count)


def without_holes(planes: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Masks (k, j, i) with the holes in each slice filled."""
    from scipy.ndimage import label  # imported here: a command that only reads records does not need it

    beside = np.zeros((3, 3, 3), bool)
    beside[1] = [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
    framed = np.ones((len(planes), planes.shape[1] + 2, planes.shape[2] + 2), bool)
    framed[:, 1:-1, 1:-1] = ~planes
    labels, _ = label(framed, beside)
    return np.asarray((labels != labels[:, :1, :1])[:, 1:-1, 1:-1], dtype=bool)
