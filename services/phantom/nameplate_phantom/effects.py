"""What a scanner does to the image: bias, table, sharpness and noise, one function each."""

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from nameplate_phantom.head import AIR_HU, Head
from nameplate_phantom.scanner import Bias, Noise, Sharpness, Table
from nameplate_phantom.shape import Floats
from nameplate_phantom.stack import Stack

TISSUE_HU = 33.0
"""Contrast is stretched around this value, between grey and white matter."""


def biased(head: Head, bias: Bias, fillings: int) -> Floats:
    """The head's HU as this scanner sees them: offset, contrast, cupping, streaks; still sharp.

    Cupping raises HU towards the skull, like beam hardening that is only corrected for water; the petrous
    bones darken what is between them; fillings cast streaks below the brain.
    """
    volume = head.hu.copy()
    flat = volume.ravel()
    hu = flat[head.inside]
    change = np.clip(hu - TISSUE_HU, -140, 140)
    change *= bias.contrast - 1
    change += bias.offset
    if bias.cupping:
        change += bias.cupping * np.exp(np.minimum(-head.dura, 0) * (1 / 14.0))
    points = head.points
    if bias.streaks:
        low = np.flatnonzero((points.z < -18) & (points.z > -66) & (points.y > -16) & (points.y < 42))
        x, y, z = points.x[low], points.y[low], points.z[low]
        band = np.exp(-(((y - 12) / 9) ** 2) - ((z + 42) / 9) ** 2) * np.clip((44 - np.abs(x)) / 12, 0, 1)
        change[low] -= bias.streaks * band * (0.7 + 0.6 * np.cos(y * 0.9 + 0.015 * x))
    if fillings:
        low = np.flatnonzero(points.z < -58)
        for tooth in range(fillings):
            angle = np.arctan2(points.y[low] + 72, points.x[low] - (-24.0 + 23.0 * tooth))
            ray = np.maximum(np.cos(angle * 9 + 1.7 * tooth) - 0.55, 0) - 0.17
            change[low] += 260 * ray * np.clip((-58 - points.z[low]) / 16, 0, 1)
    # Air cells and the air around the skin stay air.
    change *= np.clip((hu + 700) * (1 / 500), 0, 1)
    flat[head.inside] = hu + change
    return volume


def table_image(table: Table, stack: Stack, *, middle_x: float, back_y: float) -> Floats:
    """HU of table and head holder in every slice: (rows, columns), air elsewhere.

    ``middle_x`` and ``back_y`` (LPS mm) say where the head is; a leaning slice cuts the table the same
    way at every height.
    """
    pixel = stack.pixel_mm
    x = (stack.centre[0] + stack.offsets() - middle_x)[None, :]
    y = (stack.centre[1] + stack.offsets() * np.cos(np.radians(stack.tilt_degrees)))[:, None]
    back = back_y + table.gap_mm
    half = table.thickness_mm / 2

    def sheet(distance: NDArray[np.float64]) -> NDArray[np.float64]:
        full = min(table.thickness_mm, pixel)
        return np.clip(half + pixel / 2 - np.abs(distance), 0, full) / pixel

    radius = 104.0
    middle_y = back - radius
    away = np.hypot(x, y - middle_y)
    if table.shape == "wings":
        # Two curved side plates, open below.
        share = sheet(away - radius) * (np.abs(x) > 66) * (y > middle_y + 5)
        foam = np.zeros_like(share)
    elif table.shape == "cradle":
        # A closed trough with foam inside.
        share = sheet(away - radius) * (y > middle_y + 18)
        foam = (away < radius - half) * (y > back - 38) * (np.abs(x) > 30)
    else:
        share = sheet(y - back - 4) * (np.abs(x) < 95)
        share = np.maximum(share, sheet(y - back - 26) * (np.abs(x) < 110))
        foam = (y > back + 4) * (y < back + 26) * (np.abs(x) < 92)
    # The couch itself, only seen in wide fields.
    couch = sheet(np.hypot(x, (y - back - 45) * 3.0) - 190) * (y > back + 45)
    share = np.maximum(share, couch)
    hu = AIR_HU + foam * 45.0
    return np.asarray(hu + share * (table.hu - hu), dtype=np.float32)


def _radii(stack: Stack) -> Floats:
    rows = fft.fftfreq(stack.matrix, stack.pixel_mm)
    columns = fft.rfftfreq(stack.matrix, stack.pixel_mm)
    radii: Floats = np.hypot(rows[:, None], columns[None, :]).astype(np.float32)
    return radii


def transfer(sharpness: Sharpness, stack: Stack) -> Floats:
    """In-plane transfer function on the half plane of ``scipy.fft.rfft2``."""
    f = _radii(stack)
    fall = np.exp(-np.log(2.0) * (f / sharpness.half) ** sharpness.power)
    bump = np.exp(-(((f - sharpness.boost_at) / 0.07) ** 2)) * (1 - np.exp(-((f / 0.03) ** 2)))
    return np.asarray(fall * (1 + sharpness.boost * bump), dtype=np.float32)


def sharpen(slices: Floats, sharpness: Sharpness, stack: Stack) -> Floats:
    """Slices (slices, rows, columns) as the kernel shows them."""
    spectrum = fft.rfft2(slices)
    spectrum *= transfer(sharpness, stack)
    shown: Floats = fft.irfft2(spectrum, s=slices.shape[1:], overwrite_x=True)
    return shown


def noise_spectrum(noise: Noise, stack: Stack) -> Floats:
    """Noise power on the half plane, with unit variance per pixel.

    Frequencies too high for the pixels fold back, so that the noise of a coarse matrix is as strong as that
    of a fine one.
    """
    rate = 1 / stack.pixel_mm
    rows = fft.fftfreq(stack.matrix, stack.pixel_mm)[:, None]
    columns = fft.rfftfreq(stack.matrix, stack.pixel_mm)[None, :]
    folds = int(np.ceil(1.2 / rate)) if rate < 1.2 else 1
    power = np.zeros((stack.matrix, columns.shape[1]))
    for a in range(-folds, folds + 1):
        for b in range(-folds, folds + 1):
            power += _band(np.hypot(rows + a * rate, columns + b * rate), noise)
    power[0, 0] = 0.0
    doubled = power.copy()
    last = -1 if stack.matrix % 2 == 0 else None
    doubled[:, 1:last] *= 2
    return np.asarray(power * (stack.matrix**2 / doubled.sum()), dtype=np.float32)


def _band(frequency: NDArray[np.float64], noise: Noise) -> NDArray[np.float64]:
    """Noise power at these frequencies in cycles/mm, 1 at the peak.

    From the peak down it falls in proportion to frequency, as that of filtered backprojection does, but to
    the floor ``low`` and not to nothing; from the peak up the kernel ends it.
    """
    f = frequency / noise.peak
    power = f * np.exp(-0.5 * (f**2 - 1))
    return np.where(f < 1, noise.low + (1 - noise.low) * power, power)


def textured(rng: np.random.Generator, count: int, noise: Noise, stack: Stack) -> Floats:
    """``count`` noise images of unit spread: (count, rows, columns)."""
    white = rng.standard_normal((count, stack.matrix, stack.matrix), dtype=np.float32)
    spectrum = fft.rfft2(white, overwrite_x=True)
    spectrum *= np.sqrt(noise_spectrum(noise, stack))
    pictures: Floats = fft.irfft2(spectrum, s=(stack.matrix, stack.matrix), overwrite_x=True)
    if noise.neighbours and count > 2:
        # A moving average over slices gives the wanted correlation and keeps unit spread.
        share = noise.neighbours
        weight = np.float32((1 - np.sqrt(1 - 4 * share**2)) / (2 * share))
        mixed = pictures + weight * np.roll(pictures, 1, axis=0)
        pictures = mixed / np.float32(np.sqrt(1 + weight**2))
    return pictures


def strength(slices: Floats, noise: Noise, stack: Stack) -> Floats:
    """Noise sd in HU of every slice, (slices,): thinner slices and wider heads are noisier."""
    water = np.clip((slices + 1000) * 1e-3, 0, 2.2).sum(axis=(1, 2), dtype=np.float64) * stack.pixel_mm**2
    diameter = 2 * np.sqrt(water / np.pi)
    wide = np.clip(diameter / 170.0, 0.6, 1.3)
    return np.asarray(noise.sd * np.sqrt(5.0 / stack.thickness) * wide, dtype=np.float32)


def add_noise(slices: Floats, pictures: Floats, sd: Floats) -> None:
    """Add noise images of unit spread, in place; bone gets more noise."""
    amount = np.clip(slices, 0, 1500)
    amount *= 0.6e-3
    amount += 1.0
    amount *= sd[:, None, None]
    amount *= pictures
    slices += amount
