"""The catalogue: models within what is published of real scanners."""

import numpy as np
import pytest
from scipy import fft

from nameplate.errors import UserError
from nameplate_phantom.effects import noise_spectrum, transfer
from nameplate_phantom.scanner import Model, catalogue
from nameplate_phantom.stack import Stack

FINE = Stack((0.0, 0.0), np.zeros(1), np.array([5.0]), 0.0, 512, 0.45)
PUBLISHED = {
    "GE": {"peak": (0.225, 0.255), "low": (0.55, 0.63)},
    "Siemens": {"peak": (0.22, 0.27), "low": (0.31, 0.40)},
}
"""Noise power spectra: the peak in cycles/mm, and the power at 0.05 over that at the peak; of GE Soft and
Standard, and of Siemens B30f to B40f, in DIDSR/DICaugment (MIT)."""


def models(*manufacturers: str) -> list[Model]:
    return [model for name in manufacturers for model in catalogue().of(name)]


def name_of(model: Model) -> str:
    return model.header.model


@pytest.mark.parametrize("model", models(*PUBLISHED), ids=name_of)
def test_noise_spectra_are_as_published(model: Model) -> None:
    ranges = PUBLISHED[model.manufacturer]
    frequency = fft.rfftfreq(FINE.matrix, FINE.pixel_mm)
    power = noise_spectrum(model.noise, FINE)[0]
    low, high = ranges["peak"]
    assert low <= frequency[int(np.argmax(power))] <= high
    low, high = ranges["low"]
    assert low <= np.interp(0.05, frequency, power) / power.max() <= high


@pytest.mark.parametrize("model", models(*catalogue().manufacturers), ids=name_of)
def test_models_keep_to_the_ranges_of_the_literature(model: Model) -> None:
    assert 3.0 <= model.noise.sd <= 5.0
    assert 0.21 <= model.noise.peak <= 0.30
    assert abs(model.bias.offset) <= 2.0
    assert 0.0 <= model.bias.cupping <= 2.0
    assert abs(model.bias.contrast - 1) <= 0.03
    assert 220 <= model.field.low_mm <= model.field.high_mm <= 250


def test_sharpness_varies_by_a_tenth_at_most() -> None:
    frequency = fft.rfftfreq(FINE.matrix, FINE.pixel_mm)
    half = [
        float(frequency[int(np.argmax(transfer(model.sharpness, FINE)[0] < 0.5))])
        for model in models(*catalogue().manufacturers)
    ]
    assert 0.9 * np.mean(half) <= min(half)
    assert max(half) <= 1.1 * np.mean(half)


def test_every_manufacturer_has_models() -> None:
    assert all(len(catalogue().of(name)) >= 2 for name in catalogue().manufacturers)


def test_an_unknown_manufacturer_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"'Acme'.*GE"):
        catalogue().of("Acme")


def test_patients_of_several_manufacturers_are_the_mean_of_each() -> None:
    one, other = (catalogue().patients_of([name]) for name in ("GE", "Siemens"))
    both = catalogue().patients_of(["GE", "Siemens"])
    assert both.mean_age == pytest.approx((one.mean_age + other.mean_age) / 2)
    assert both.male_share == pytest.approx((one.male_share + other.male_share) / 2)
    assert one == catalogue().manufacturers["GE"]
