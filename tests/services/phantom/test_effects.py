"""Noise and sharpness have the power, texture and gain that their parameters say."""

import numpy as np
import pytest
from scipy import fft

from nameplate.streams import stream
from nameplate_phantom.effects import sharpen, strength, table_image, textured, transfer
from nameplate_phantom.scanner import Noise, Sharpness, Table
from nameplate_phantom.stack import Stack

FINE = Stack((0.0, 0.0), np.arange(6.0) * 5, np.full(6, 5.0), 0.0, 256, 0.45)
COARSE = Stack((0.0, 0.0), np.arange(6.0) * 5, np.full(6, 5.0), 0.0, 96, 2.4)


@pytest.mark.parametrize("stack", [FINE, COARSE])
@pytest.mark.parametrize("neighbours", [0.0, 0.25])
def test_noise_has_unit_spread_at_any_pixel_size(stack: Stack, neighbours: float) -> None:
    noise = Noise(sd=4.0, peak=0.2, low=0.1, neighbours=neighbours)
    pictures = textured(stream(1, "noise"), 24, noise, stack)
    assert pictures.std() == pytest.approx(1.0, abs=0.02)
    assert abs(float(pictures.mean())) < 0.01
    flat = pictures.reshape(24, -1)
    assert np.corrcoef(flat[3], flat[4])[0, 1] == pytest.approx(neighbours, abs=0.05)


@pytest.mark.parametrize("peak", [0.16, 0.30])
def test_noise_power_peaks_where_it_should(peak: float) -> None:
    pictures = textured(stream(2, "noise"), 24, Noise(sd=4, peak=peak, low=0.02, neighbours=0), FINE)
    power = (np.abs(fft.fft2(pictures)) ** 2).mean(axis=0)
    f = np.hypot(fft.fftfreq(256, 0.45)[:, None], fft.fftfreq(256, 0.45)[None])
    bands = np.arange(0.02, 0.8, 0.02)
    radial = [power[(f >= a) & (f < a + 0.02)].mean() for a in bands]
    assert bands[int(np.argmax(radial))] + 0.01 == pytest.approx(peak, abs=0.05)


def test_thinner_slices_are_noisier_by_the_root_of_thickness() -> None:
    noise = Noise(sd=4.0, peak=0.2, low=0.1, neighbours=0.0)
    slices = np.full((2, 256, 256), 30.0, dtype=np.float32)
    stack = Stack((0.0, 0.0), np.zeros(2), np.array([5.0, 1.25]), 0.0, 256, 0.6)
    sd = strength(slices, noise, stack)
    assert sd[1] / sd[0] == pytest.approx(2.0)


def test_the_kernel_keeps_the_mean_and_halves_where_it_says() -> None:
    sharpness = Sharpness(half=0.3, power=2.0, boost=0.0, boost_at=0.2)
    gain = transfer(sharpness, FINE)
    f = fft.rfftfreq(256, 0.45)
    assert gain[0, 0] == 1.0
    assert gain[0, int(np.argmin(np.abs(f - 0.3)))] == pytest.approx(0.5, abs=0.02)
    flat = np.full((1, 256, 256), 40.0, dtype=np.float32)
    assert np.allclose(sharpen(flat, sharpness, FINE), 40.0, atol=1e-3)
    enhanced = transfer(sharpness.model_copy(update={"boost": 0.1}), FINE)
    near = int(np.argmin(np.abs(f - 0.2)))
    assert enhanced[0, near] / gain[0, near] == pytest.approx(1.1, abs=0.01)


@pytest.mark.parametrize("shape", ["wings", "cradle", "board"])
def test_the_table_lies_behind_the_head(shape: str) -> None:
    table = Table(shape=shape, hu=100.0, thickness_mm=4.0, gap_mm=8.0)
    stack = Stack((0.0, 0.0), np.zeros(1), np.array([5.0]), 0.0, 250, 1.0)
    picture = table_image(table, stack, middle_x=0.0, back_y=90.0)
    rows, columns = np.nonzero(picture > 0)
    assert len(rows) > 100
    middle = np.abs(columns - 125) < 40
    if shape == "wings":
        assert not middle.any()
    else:
        assert rows[middle].min() - 125 > 80
