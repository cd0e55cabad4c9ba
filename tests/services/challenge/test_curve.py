"""Curves find the radius that made the data, and say so where none does."""

import numpy as np
import pytest
from scipy.special import expit

from nameplate.streams import stream
from nameplate_challenge.curve import fitted
from nameplate_challenge.radius import Radius, radius_of

RADII = np.array([2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0])


def fit(shares: np.ndarray, cases: int, alarms: float = 0.0):  # type: ignore[no-untyped-def]
    """Of the expected counts."""
    found = np.atleast_2d(shares) * cases
    return fitted(
        RADII, found, np.full(found.shape, float(cases)), np.array([alarms * cases]), np.array([cases])
    )


@pytest.mark.parametrize(("r50", "slope", "guess", "lapse"), [(4.0, 6.0, 0.0, 0.0), (6.0, 4.0, 0.1, 0.05)])
def test_much_data_gives_the_curve_back(r50: float, slope: float, guess: float, lapse: float) -> None:
    shares = guess + (1 - guess - lapse) * expit(slope * (np.log(RADII) - np.log(r50)))
    curve = fit(shares, 5000, guess)
    assert curve.found(RADII)[0] == pytest.approx(shares, abs=0.01)
    part = (0.9 - guess) / (1 - guess - lapse)
    truth = r50 * (part / (1 - part)) ** (1 / slope)
    assert curve.radius_mm(0.9)[0] == pytest.approx(truth, rel=0.03)


def test_noise_is_within_a_millimetre() -> None:
    shares = expit(6 * (np.log(RADII) - np.log(4.5)))
    found = stream(1, "noise").binomial(60, np.broadcast_to(shares, (200, 7))).astype(float)
    curve = fitted(RADII, found, np.full(found.shape, 60.0), np.zeros(200), np.full(200, 30.0))
    away = np.abs(curve.radius_mm(0.9) - 4.5 * 9 ** (1 / 6))
    assert np.quantile(away, 0.95) < 1.0


def test_what_is_beyond_the_radii_is_a_bound() -> None:
    never = radius_of(fit(np.full(7, 0.6), 100), RADII, 0.9)
    always = radius_of(fit(np.ones(7), 100), RADII, 0.9)
    nothing = radius_of(fit(np.zeros(7), 100), RADII, 0.9)
    chance = radius_of(fit(np.full(7, 0.95), 100, alarms=0.95), RADII, 0.9)
    assert [(one.least[0], one.most[0], one.value) for one in (never, nothing)] == [(16.0, np.inf, None)] * 2
    assert [(one.least[0], one.most[0], one.value) for one in (always, chance)] == [(0.0, 2.0, None)] * 2


def test_a_step_between_two_radii_lies_between_them() -> None:
    step = radius_of(fit(np.array([0, 0, 0, 1.0, 1, 1, 1]), 100), RADII, 0.9)
    assert step.value is not None
    assert 4.0 < step.value < 6.0


def test_a_difference_with_a_bound_has_a_bound() -> None:
    below = Radius(np.full(101, 5.0), np.full(101, 5.0))
    above = Radius(np.full(101, 16.0), np.full(101, np.inf))
    gap = above.minus(below)
    assert gap.value is None
    assert gap.interval(0.95) == (11.0, np.inf)
    assert gap.p() == pytest.approx(2 / 101)
    same = above.minus(above)
    assert same.interval(0.95) == (-np.inf, np.inf)
    assert same.p() == 1.0
