"""Intervals of shares and differences: Wilson's and Newcombe's own numbers, symmetry, coverage, power."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.stats.share import Difference, Share

MANY = 1e9
"""Degrees of freedom with which t is normal."""
inside = st.floats(0.02, 0.98)
sizes = st.integers(5, 2000)


def _share(right: int, count: int, df: float = MANY) -> Share:
    p = right / count
    return Share(p, p * (1 - p) / count, count, df)


def _difference(first: Share, second: Share, df: float = MANY) -> Difference:
    return Difference(first, second, first.variance + second.variance, df)


def test_the_interval_of_a_share_is_wilsons():
    # Newcombe, Stat Med 17:857 (1998), table I: score method without continuity correction.
    for right, count, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)):
        found = _share(right, count).interval(0.95)
        assert found == pytest.approx((low, high), abs=5e-5)


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe, Stat Med 17:873 (1998), table II: method 10.
    for (a, m), (b, n), low, high in (
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((10, 10), (0, 20), 0.6791, 1.0),
    ):
        found = _difference(_share(a, m), _share(b, n)).interval(0.95)
        assert found == pytest.approx((low, high), abs=5e-5)


@given(inside, inside, sizes, sizes, st.floats(0.5, 0.999))
def test_intervals_hold_their_value_and_turn_with_the_order(p, q, m, n, confidence):
    one, other = Share(p, p * (1 - p) / m, m, MANY), Share(q, q * (1 - q) / n, n, MANY)
    low, high = _difference(one, other).interval(confidence)
    assert -1 <= low <= p - q <= high <= 1
    assert _difference(other, one).interval(confidence) == pytest.approx((-high, -low), abs=1e-9)
    ends = one.interval(confidence)
    assert 0 <= ends[0] <= p <= ends[1] <= 1


@given(inside, inside, sizes, sizes)
def test_p_is_where_the_interval_ends_at_zero(p, q, m, n):
    found = _difference(Share(p, p * (1 - p) / m, m, 30), Share(q, q * (1 - q) / n, n, MANY))
    value = found.p()
    if 1e-10 < value < 0.999:
        low, high = found.interval(1 - value)
        assert min(abs(low), abs(high)) < 1e-4
    assert 0 < value <= 1


def test_shares_of_the_same_patients_differ_by_less():
    first, second = _share(80, 100), _share(70, 100)
    apart = _difference(first, second)
    paired = Difference(first, second, 0.4 * apart.variance, MANY)
    assert paired.p() < apart.p()
    wide, narrow = apart.interval(0.95), paired.interval(0.95)
    assert narrow[1] - narrow[0] < 0.8 * (wide[1] - wide[0])


def test_where_all_are_right_something_can_still_be_said():
    first, second = Share(1.0, 0.0, 40, 60), Share(1.0, 0.0, 25, 60)
    found = Difference(first, second, 0.0, 60)
    low, high = found.interval(0.95)
    assert -0.15 < low < -0.05
    assert 0.05 < high < 0.25
    assert found.p() == 1.0
    assert found.detectable(0.95) is None


def test_of_the_detectable_difference_four_in_five_are_found():
    random = np.random.default_rng(3)
    count, middle = 150, 0.8
    stated = _difference(_share(120, count, 149), _share(120, count, 149), 298).detectable(0.95)
    found = 0
    for _ in range(1500):
        a, b = (int(random.binomial(count, middle + sign * stated / 2)) for sign in (1, -1))
        low, high = _difference(_share(a, count, 149), _share(b, count, 149), 298).interval(0.95)
        found += low > 0 or high < 0
    assert found / 1500 == pytest.approx(0.80, abs=0.03)


def test_each_share_has_its_own_degrees_of_freedom():
    """What is known of one does not become uncertain because the other rests on few."""
    known, few = _share(180, 200), _share(18, 20, 3)
    low, high = _difference(known, few, 3).interval(0.95)
    ends, others = known.interval(0.95), few.interval(0.95)
    assert low == pytest.approx(-math.hypot(0.9 - ends[0], others[1] - 0.9))
    assert high == pytest.approx(math.hypot(ends[1] - 0.9, 0.9 - others[0]))


def test_more_exams_find_less():
    large, small = (
        _difference(_share(9 * n, 10 * n), _share(9 * n, 10 * n)).detectable(0.95) for n in (100, 10)
    )
    assert large < small
    assert math.isclose(large, small / math.sqrt(10), rel_tol=0.15)
