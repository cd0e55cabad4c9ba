"""Noise in the brain: against simulated scanners with known noise, white noise, and another program."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from microct_iq_toolbox.nps_calculator import get_NPS
from numpy.typing import NDArray
from scipy import fft

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.fingerprint.catalogue import BANDS
from nameplate.image.fingerprint.noise import MEASURES, noise
from nameplate.image.fingerprint.noise_power import BIN, NoiseSpectrum, noise_spectrum
from nameplate.image.fingerprint.slices import Missing, Number, Slices
from nameplate.pack.packed import brain_only
from nameplate.streams import stream
from nameplate_phantom.effects import add_noise, biased, sharpen, strength, textured
from nameplate_phantom.effects import noise_spectrum as true_spectrum
from nameplate_phantom.scanner import Noise
from nameplate_phantom.skull import FORAMEN_Z
from nameplate_phantom.stack import Stack, sample, stack_slices
from nameplate_phantom.study import grid_step, head_of, plan_study

NAMES = {measure.name for measure in MEASURES}
NOISE = Noise(sd=3.6, peak=0.245, low=0.3, neighbours=0.2)


def value(number: Number) -> float:
    assert not isinstance(number, Missing), number.reason
    return number


def spectrum_of(slices: Slices) -> NoiseSpectrum:
    found = noise_spectrum(slices)
    assert not isinstance(found, Missing), found.reason
    return found


# Simulated heads.


@dataclass(frozen=True, eq=False)
class Scan:
    """A simulated exam whose noise is known."""

    slices: Slices
    sd: float
    """Of the noise in brain, HU."""
    noise: Noise
    stack: Stack

    def power(self, frequency: float) -> float:
        """Mean true power around a radius, HU^2 mm^2."""
        stack = self.stack
        radius = np.hypot(
            fft.fftfreq(stack.matrix, stack.pixel_mm)[:, None], fft.rfftfreq(stack.matrix, stack.pixel_mm)
        )
        ring = np.abs(radius - frequency) < BIN / 2
        shares = true_spectrum(self.noise, stack)[ring]
        return float(shares.mean()) * self.sd**2 * stack.pixel_mm**2

    def peak(self) -> float:
        """Where the true, folded spectrum has its peak, /mm."""
        frequencies = np.arange(0.1, min(0.5 / self.stack.pixel_mm, 0.55) - BIN / 2, 0.0025)
        return float(frequencies[np.argmax([self.power(f) for f in frequencies])])


@cache
def scan(
    matrix: int,
    field_mm: float,
    number: int = 1,
    *,
    gain: float = 1.0,
    half: float = 0.0,
    offset: float = 0.0,
) -> Scan:
    """A head in square slices of 5 mm; contrast, sharpness and offset may be changed, the noise stays."""
    phantom = PhantomSettings(exams=8, matrix=matrix)
    plan = plan_study(phantom, seed=3, cohort="noise", number=number)
    machine, head = plan.visit.machine, head_of(plan, phantom)
    normal_end = np.array([0.0, 0.0, 5.0])
    stack = stack_slices(
        centre=(plan.isocentre[0], plan.isocentre[1]),
        low=head.place((0.0, 29.0, FORAMEN_Z - 11.0)),
        high=head.top(0.0) + normal_end,
        base=head.place((0.0, 20.0, -22.0)),
        gaps_mm=(5.0, 5.0),
        tilt_degrees=0.0,
        matrix=matrix,
        field_mm=field_mm,
    )
    assert grid_step(matrix) <= 2
    volume = biased(head, machine.bias, 0)
    sharpness = machine.sharpness.model_copy(update={"half": half} if half else {})
    clean = sharpen(sample(volume, head.grid, stack), sharpness, stack)
    clean = 33 + gain * (clean - 33) + offset
    brain = sample(head.intracranial.astype(np.float32), head.grid, stack) > 0.5
    sd = strength(clean, NOISE, stack)
    pictures = textured(stream(3, "noise test", number), len(clean), NOISE, stack)
    add_noise(clean, pictures, sd)
    in_brain = brain.sum(axis=(1, 2))
    # Bone's factor at 35 HU.
    mean_sd = float(np.sqrt((sd**2 * in_brain).sum() / in_brain.sum())) * (1 + 0.6e-3 * 35)
    slices = Slices(np.rint(clean)[:, ::-1].copy(), brain[:, ::-1].copy(), (stack.pixel_mm,) * 2, 5.0)
    return Scan(slices, mean_sd, NOISE, stack)


@pytest.mark.parametrize(
    ("matrix", "field_mm"),
    [(64, 220), (64, 250), (96, 235), (128, 220), (128, 250), (256, 220), (256, 250)],
)
def test_noise_of_simulated_heads_is_right_within_5_percent(matrix: int, field_mm: float) -> None:
    heads = [scan(matrix, field_mm, number) for number in (0, 1, 2)]
    errors = [value(noise(one.slices)["noise_sd"]) / one.sd - 1 for one in heads]
    assert abs(float(np.median(errors))) < 0.05
    assert max(map(abs, errors)) < 0.08


@pytest.mark.parametrize("field_mm", [220, 250])
def test_peak_and_spectrum_of_simulated_heads(field_mm: float) -> None:
    heads = [scan(256, field_mm, number) for number in (0, 1, 2)]
    errors = [value(noise(one.slices)["noise_peak"]) - one.peak() for one in heads]
    assert abs(float(np.mean(errors))) < 0.02
    assert max(map(abs, errors)) < 0.03
    for one in heads:
        found = spectrum_of(one.slices)
        true = np.array([one.power(f) for f in found.frequencies])
        above = found.frequencies > 0.2
        np.testing.assert_allclose(found.power[above], true[above], rtol=0.12)
        np.testing.assert_allclose(found.power[~above], true[~above], rtol=0.35)
        assert 0 < found.shares().sum() < 1


@pytest.mark.parametrize("matrix", [64, 96, 128])
def test_a_coarse_grid_has_no_peak_and_no_bands_beyond_its_nyquist_frequency(matrix: int) -> None:
    numbers = noise(scan(matrix, 250).slices)
    assert isinstance(numbers["noise_peak"], Missing)
    nyquist = 0.5 * matrix / 250
    for low in BANDS:
        measured = not isinstance(numbers[f"noise_band_{round(100 * low):03d}"], Missing)
        assert measured == (low + 0.05 <= nyquist)


def test_correlation_of_neighbouring_slices() -> None:
    one = scan(256, 220)
    assert value(noise(one.slices)["noise_neighbours"]) == pytest.approx(0.2, abs=0.025)
    picked = replace(one.slices, adjacent=False)
    assert noise(picked)["noise_neighbours"] == Missing("slices are not neighbours")


def test_contrast_sharpness_and_offset_of_the_head_hardly_matter() -> None:
    plain, changed = scan(256, 235), scan(256, 235, gain=1.06, half=0.25, offset=3.0)
    one, other = noise(plain.slices), noise(changed.slices)
    assert value(other["noise_sd"]) == pytest.approx(value(one["noise_sd"]), rel=0.03)
    assert value(other["noise_mean_frequency"]) == pytest.approx(value(one["noise_mean_frequency"]), abs=0.01)


# Noise alone.


def uniform(
    rng: np.random.Generator,
    count: int,
    size: int,
    pixel_mm: tuple[float, float],
    *,
    peak: float | None = None,
) -> tuple[Slices, NDArray[Any]]:
    """Noise of SD 4 HU around 35 HU, white or with a peak; and the power on the plane of frequencies."""
    white = rng.standard_normal((count, size, size))
    radius = np.hypot(fft.fftfreq(size, pixel_mm[0])[:, None], fft.fftfreq(size, pixel_mm[1]))
    power = (
        np.ones_like(radius) if peak is None else (0.2 + radius / peak) * np.exp(-((radius / peak) ** 2) / 2)
    )
    power /= power.mean()
    hu = 35 + 4 * fft.ifft2(fft.fft2(white) * np.sqrt(power)).real
    slices = Slices(hu.astype(np.float32), np.ones(hu.shape, dtype=bool), pixel_mm, 5.0)
    return slices, power * 16 * pixel_mm[0] * pixel_mm[1]


@given(st.floats(0.6, 3.9), st.floats(0.8, 1.25), st.integers(0, 2**32 - 1), st.floats(-4, 20))
@settings(max_examples=8, deadline=None)
def test_white_noise_has_its_sd_and_a_flat_spectrum(
    pixel: float, ratio: float, seed: int, more: float
) -> None:
    pixel_mm = (pixel, min(pixel * ratio, 3.9))
    slices, _ = uniform(stream(seed, "white"), 12, int(np.ceil(130 / min(pixel_mm))), pixel_mm)
    found = spectrum_of(replace(slices, hu=slices.hu + np.float32(more)))
    assert found.sd == pytest.approx(4, rel=0.06)
    white = 16 * pixel_mm[0] * pixel_mm[1]
    assert float(found.power.mean()) == pytest.approx(white, rel=0.15)


def test_coloured_noise_on_anisotropic_pixels() -> None:
    slices, power = uniform(stream(1, "coloured"), 12, 220, (0.8, 1.0), peak=0.24)
    found = spectrum_of(slices)
    radius = np.hypot(fft.fftfreq(220, 0.8)[:, None], fft.fftfreq(220, 1.0))
    true = np.array([power[np.abs(radius - f) < BIN / 2].mean() for f in found.frequencies])
    np.testing.assert_allclose(found.power[3:], true[3:], rtol=0.06)
    assert found.sd == pytest.approx(4, rel=0.03)
    # Rows and columns may change places.
    turned = spectrum_of(
        Slices(slices.hu.transpose(0, 2, 1).copy(), slices.brain.transpose(0, 2, 1).copy(), (1.0, 0.8), 5.0)
    )
    np.testing.assert_allclose(turned.power, found.power, rtol=0.05)
    assert turned.peak() == pytest.approx(found.peak(), abs=0.01)


def test_agrees_with_another_program_on_uniform_images() -> None:
    slices, _ = uniform(stream(2, "uniform"), 20, 256, (0.9, 0.9), peak=0.24)
    side = 64
    corners = [(y, x) for y in range(0, 256, side) for x in range(0, 256, side)]
    bounds = np.array([(y, y + side, x, x + side) for y, x in corners])
    _, power = get_NPS(slices.hu.astype(np.float64), bounds, 0.9)
    # Its rings are one frequency wide; the frequencies that it gives them are 1.5 % too high.
    frequencies = (np.arange(len(power)) + 0.5) / (side * 0.9)
    found = spectrum_of(slices)
    inside = (found.frequencies > 0.2) & (found.frequencies < 0.5)
    theirs = np.interp(found.frequencies[inside], frequencies, power)
    np.testing.assert_allclose(found.power[inside].mean(), theirs.mean(), rtol=0.01)
    np.testing.assert_allclose(found.power[inside], theirs, rtol=0.03)


# Windows, and what is no brain.


def test_a_window_that_clips_no_brain_changes_nothing_much() -> None:
    one = scan(256, 220)
    windowed = replace(one.slices, hu=np.clip(one.slices.hu, 0, 100))
    assert value(noise(windowed)["noise_sd"]) == pytest.approx(value(noise(one.slices)["noise_sd"]), rel=0.02)


def test_without_anything_outside_the_brain() -> None:
    one = scan(256, 220)
    flipped = (2, 1, 0)
    filled = brain_only(one.slices.hu.transpose(flipped), one.slices.brain.transpose(flipped))
    alone = replace(one.slices, hu=np.clip(filled.transpose(flipped), 0, 100).astype(np.float32))
    assert value(noise(alone)["noise_sd"]) == pytest.approx(one.sd, rel=0.05)


def test_voxels_that_are_not_known_spoil_only_their_patches() -> None:
    one = scan(128, 220)
    holes = one.slices.hu.copy()
    holes[::3] = np.nan
    holes[:, 40:44, 60:64] = np.nan
    assert value(noise(replace(one.slices, hu=holes))["noise_sd"]) == pytest.approx(one.sd, rel=0.06)


def test_reasons() -> None:
    one = scan(64, 220).slices
    shape = one.hu.shape
    for slices, reason in (
        (replace(one, brain=np.zeros(shape, dtype=bool)), "too few patches"),
        (replace(one, hu=np.full(shape, np.nan, np.float32)), "too few patches"),
        (replace(one, hu=np.full(shape, 60, np.float32)), "too few patches"),
        (replace(one, hu=np.clip(one.hu, 30, 45)), "too few patches"),
        (replace(one, pixel_mm=(5.0, 3.4)), "pixels too large"),
        (Slices(one.hu[:, :3, :3], one.brain[:, :3, :3], (3.4, 3.4), 5.0), "too few patches"),
    ):
        numbers = noise(slices)
        assert set(numbers) == NAMES
        for number in numbers.values():
            assert isinstance(number, Missing)
            assert reason in number.reason


def test_waves_everywhere_are_not_taken_for_noise() -> None:
    rng = stream(4, "waves")
    x = np.arange(256)
    phase = rng.uniform(0, 6.28, (24, 1, 1))
    waves = 35 + 12 * np.sin(x[:, None] * 0.4 + phase) + 12 * np.sin(x * 0.35 + phase)
    hu = (waves + 0.3 * rng.standard_normal((24, 256, 256))).astype(np.float32)
    found = noise_spectrum(Slices(hu, np.ones(hu.shape, dtype=bool), (0.9, 0.9), 5.0))
    assert found == Missing("no patch of the brain is quiet enough")


def test_same_picture_same_numbers_whatever_is_beside_the_brain() -> None:
    one = scan(128, 250).slices
    padded = Slices(
        np.pad(one.hu, ((0, 0), (5, 9), (3, 2)), constant_values=-3024),
        np.pad(one.brain, ((0, 0), (5, 9), (3, 2))),
        one.pixel_mm,
        one.slice_mm,
    )
    assert noise(padded) == noise(one) == noise(one)
