"""Square patches of brain without bone, air or clipped values, and their power at spatial frequencies.

A patch loses a quadratic surface (its share of cupping and of the head's shape) and is tapered by a Hann
window. Both take power away, most of it at low frequencies; what they take of white noise is known exactly
for every frequency, and every power here is divided by it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.image.box import box_around
from nameplate.image.fingerprint.slices import Slices, extremes, most_brain

Floats = NDArray[np.float64]

SIDE_MM = 25.0
"""Side of a patch: tells frequencies 0.06 cycles/mm apart, and finds room in white matter."""
STEP_MM = 7.0
"""Distance between neighbouring patches: they overlap, so that no quiet place is missed."""
MOST_SLICES = 20
"""Neighbouring slices that are looked at, those with the most brain: 10 cm of a usual head."""
_LEAST_PIXELS = 6
"""Of a patch's side. A quadratic surface has six coefficients."""
BRAIN_HU = (-10.0, 80.0)
"""What brain and CSF can be, with the noise of slices of 5 mm."""
SOFT_HU = (-60.0, 130.0)
"""What they can be with that of thin slices; beyond is bone, air or fat."""
_AT_A_TIME = 32
"""Patches that are looked at together."""
_MOST_ODD = 0.01
"""Share of a patch's pixels that may be beyond ``BRAIN_HU`` or at the least or greatest HU of all slices."""


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """Places of the patches, and their values; ``n`` patches of the shape (rows, columns)."""

    places: NDArray[np.intp]
    """(n, 3): slice, first row and first column, those within the box around the brain."""
    values: NDArray[np.float32]
    """(n, rows, columns), HU."""
    pixel_mm: tuple[float, float]


def patches_of(slices: Slices) -> Patches:
    """All patches whose pixels, and those around them, are brain, nearly all of them within ``BRAIN_HU``.

    The pixels around them count because the brain's outermost ones are half bone, or filled in where only
    the brain is shown.
    """
    shape = _shape(slices.pixel_mm)
    rows, columns = shape
    step_j, step_i = (max(1, round(STEP_MM / mm)) for mm in slices.pixel_mm)
    run = most_brain(slices.brain, MOST_SLICES)
    brain = slices.brain[run]
    _, down, across = box_around(brain, (0, 0, 0))
    hu, brain = slices.hu[run, down, across], brain[:, down, across]
    least, greatest = extremes(slices)
    with np.errstate(invalid="ignore"):
        soft = brain & _within(hu, SOFT_HU)
        # What holds the least or the greatest of all HU may be clipped.
        odd = soft & (~_within(hu, BRAIN_HU) | (hu == least) | (hu == greatest))
    whole = _box_sums(soft, rows + 2, columns + 2) == (rows + 2) * (columns + 2)
    if odd.any():
        whole &= _box_sums(odd, rows + 2, columns + 2) <= _MOST_ODD * rows * columns
    k, j, i = np.nonzero(whole[:, ::step_j, ::step_i])
    at = (k, j * step_j + 1, i * step_i + 1)
    places = np.stack([k + run.start, *at[1:]], axis=1)
    if not len(places):
        return Patches(places, np.empty((0, rows, columns), np.float32), slices.pixel_mm)
    windows = np.lib.stride_tricks.sliding_window_view(hu, shape, axis=(1, 2))
    return Patches(places, windows[at], slices.pixel_mm)


def _within(hu: NDArray[np.float32], bounds: tuple[float, float]) -> NDArray[np.bool_]:
    return (hu >= bounds[0]) & (hu <= bounds[1])


def _shape(pixel_mm: tuple[float, float]) -> tuple[int, int]:
    rows, columns = (max(_LEAST_PIXELS, round(SIDE_MM / mm)) for mm in pixel_mm)
    return rows, columns


def _box_sums(flags: NDArray[np.bool_], rows: int, columns: int) -> NDArray[np.uint16]:
    """How many of the rows x columns pixels from each one on are set: (slices, rows left, columns left)."""
    count, height, width = flags.shape
    if height < rows or width < columns:
        return np.zeros((count, 0, 0), np.uint16)
    # The running sums may overflow: their differences are right all the same.
    down = np.zeros((count, height + 1, width), np.uint16)
    np.cumsum(flags, axis=1, dtype=np.uint16, out=down[:, 1:])
    across = np.zeros((count, height + 1 - rows, width + 1), np.uint16)
    np.cumsum(down[:, rows:] - down[:, :-rows], axis=2, dtype=np.uint16, out=across[:, :, 1:])
    found: NDArray[np.uint16] = across[:, :, columns:] - across[:, :, :-columns]
    return found


def in_parts(which: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """These patches in order, few at a time: what is made of those stays in the processor's cache."""
    return np.array_split(which, -(-len(which) // _AT_A_TIME)) if len(which) else []


class Transform:
    """Fourier transform of patches of one shape, at the frequencies up to ``limit`` along each axis.

    The frequencies are those of a field of at least ``field_mm``, half of the plane; ``radius`` (cycles/mm),
    ``weight`` (1 or 2, for the half that is left out) and ``gain`` are flat over them. For white noise the
    mean of |value|^2 is ``gain`` times its variance: times the pixel's area and over the gain it is the
    power density, HU^2 mm^2.
    """

    def __init__(
        self, shape: tuple[int, int], pixel_mm: tuple[float, float], limit: float, field_mm: float = 0.0
    ) -> None:
        rows, columns = shape
        self._size = [max(n, int(np.ceil(field_mm / mm))) for n, mm in zip(shape, pixel_mm, strict=True)]
        j = _frequencies(self._size[0], pixel_mm[0], limit, both=True)
        i = _frequencies(self._size[1], pixel_mm[1], limit, both=False)
        self.radius: Floats = np.hypot(j[:, None], i[None, :]).ravel()
        once = (i == 0) | (np.abs(i * 2 * pixel_mm[1] - 1) < 1e-9)
        self.weight: Floats = np.broadcast_to(np.where(once, 1.0, 2.0), (len(j), len(i))).ravel()
        self._along = np.exp(-2j * np.pi * np.outer(j, np.arange(rows) * pixel_mm[0]))
        self._across = np.exp(-2j * np.pi * np.outer(np.arange(columns) * pixel_mm[1], i))
        self._surface = _surfaces(rows, columns)
        self._window = np.outer(_hann(rows), _hann(columns))
        self.pixel_mm2 = pixel_mm[0] * pixel_mm[1]
        window2 = float((self._window**2).sum())
        tapered = self._surface.reshape(-1, rows, columns) * self._window
        self.gain: Floats = window2 - (np.abs(self._raw(tapered)) ** 2).sum(axis=0)
        self.gain_of_all = window2 - float((tapered**2).sum())
        """Mean of ``gain`` over all frequencies of the grid, also those above ``limit``."""

    @property
    def frequencies(self) -> int:
        """Number of all frequencies of the whole plane, also those above the limit."""
        return self._size[0] * self._size[1]

    def tapered(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Patches (n, rows, columns) without their surface, through the window."""
        flat = values.reshape(len(values), -1)
        surface = self._surface.astype(np.float32)
        # Around the mean first: single precision then holds hundredths of a HU.
        flat = flat - flat.mean(axis=1, keepdims=True)
        left = flat - (flat @ surface.T) @ surface
        shaped: NDArray[np.float32] = left.reshape(values.shape) * self._window.astype(np.float32)
        return shaped

    def of(self, tapered: NDArray[np.float32]) -> NDArray[np.complex64]:
        """Values of tapered patches at the frequencies, not yet divided by the gain: (n, frequencies)."""
        return self._raw(tapered).astype(np.complex64, copy=False)

    def of_some(self, values: NDArray[np.float32], which: NDArray[np.bool_]) -> NDArray[np.complex64]:
        """The same of patches as they are, at the marked frequencies only; quick where these are few."""
        waves = np.einsum("fj,if->fji", *self._pairs(which)) * self._window
        waves = waves.reshape(len(waves), -1)
        waves = waves - (waves @ self._surface.T) @ self._surface
        parts = np.concatenate([waves.real, waves.imag]).astype(np.float32)
        found = values.reshape(len(values), -1) @ parts.T
        return np.asarray(found[:, : len(waves)] + 1j * found[:, len(waves) :], dtype=np.complex64)

    def _pairs(self, which: NDArray[np.bool_]) -> tuple[NDArray[Any], NDArray[Any]]:
        j, i = np.divmod(np.flatnonzero(which), self._across.shape[1])
        return self._along[j], self._across[:, i]

    def _raw(self, tapered: NDArray[Any]) -> NDArray[Any]:
        kind = np.complex64 if tapered.dtype == np.float32 else np.complex128
        count, rows, columns = tapered.shape
        # Patches are real: their product with real and imaginary parts is half the work.
        across = np.ascontiguousarray(self._across, dtype=kind).view(tapered.dtype)
        half = (np.ascontiguousarray(tapered).reshape(-1, columns) @ across).view(kind)
        values: NDArray[Any] = self._along.astype(kind) @ half.reshape(count, rows, -1)
        return values.reshape(count, -1)


class Spectra:
    """Fourier transforms of patches, each made when it is first asked for."""

    def __init__(self, patches: Patches, transform: Transform) -> None:
        self.patches, self.transform = patches, transform
        size = (len(patches.places), len(transform.radius))
        self.values = np.empty(size, np.complex64)
        """(patches, frequencies); of those that were made."""
        self.power = np.empty(size, np.float32)
        """Of each value, its squared magnitude."""
        self.energy = np.empty(size[0], np.float64)
        """Sum of the squared pixels of each patch, tapered."""
        self._made = np.zeros(size[0], bool)

    def make(self, which: NDArray[np.intp]) -> None:
        """Make the transforms of these patches."""
        missing = which[~self._made[which]]
        for new in in_parts(missing):
            tapered = self.transform.tapered(self.patches.values[new])
            values = self.transform.of(tapered)
            self.values[new] = values
            self.power[new] = values.real**2 + values.imag**2
            self.energy[new] = np.einsum("nij,nij->n", tapered, tapered)
        self._made[missing] = True


def _frequencies(size: int, pixel_mm: float, limit: float, *, both: bool) -> Floats:
    found = np.fft.fftfreq(size, pixel_mm) if both else np.fft.rfftfreq(size, pixel_mm)
    return np.asarray(found[np.abs(found) <= limit], dtype=np.float64)


def _hann(size: int) -> Floats:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(size) + 0.5) / size), dtype=np.float64)


def _surfaces(rows: int, columns: int) -> Floats:
    """An orthonormal basis of the quadratic surfaces over a patch: (6, pixels)."""
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    powers = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y]).reshape(6, -1)
    basis, _ = np.linalg.qr(powers.T)
    return np.ascontiguousarray(basis.T)
