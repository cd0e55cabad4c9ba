"""Cupping, on drawn heads whose cupping is known."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate.image.fingerprint.cupping import MEASURES, cupping
from nameplate.image.fingerprint.slices import Missing, Number
from nameplate.image.fingerprint.tissue import tissue

from .drawn_head import drawn_head, without_brain


def value(number: Number) -> float:
    assert not isinstance(number, Missing), number.reason
    return number


@pytest.mark.parametrize("noise", [0.0, 4.0])
@pytest.mark.parametrize("hu", [0.0, 1.5, 4.0])
def test_drawn_cupping_is_found(hu: float, noise: float) -> None:
    flat = value(cupping(drawn_head(noise=noise))["cupping_hu"])
    assert flat == pytest.approx(0, abs=0.6)
    found = value(cupping(drawn_head(cupping=hu, noise=noise))["cupping_hu"])
    assert found - flat == pytest.approx(hu, abs=0.35 + 0.1 * hu)


def test_contrast_of_the_tissues_is_no_cupping() -> None:
    low, high = (
        value(cupping(drawn_head(grey=grey, csf=csf, noise=3.0))["cupping_hu"])
        for grey, csf in ((35.0, 9.0), (41.0, 3.0))
    )
    assert low == pytest.approx(high, abs=0.5)


def test_it_matters_not_what_was_measured_before() -> None:
    slices = drawn_head(noise=3.0)
    alone = cupping(slices)
    again = replace(slices)
    tissue(again)
    assert cupping(again) == alone
    assert {measure.name for measure in MEASURES} == set(cupping(slices))


def test_bad_input_gets_reasons() -> None:
    slices = drawn_head(noise=3.0, count=2)
    for changed in without_brain(slices):
        assert all(isinstance(number, Missing) for number in (tissue(changed) | cupping(changed)).values())
    rim = slices.brain & ~np.roll(slices.brain, 6, axis=2)
    assert isinstance(cupping(replace(slices, brain=rim))["cupping_hu"], Missing)
