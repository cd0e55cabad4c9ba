"""Shares and differences over patients: within 0 to 1, right as often as they say, and of one mind with p."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from nameplate.streams import stream
from nameplate_challenge.share import difference, share_of

ANSWERS = st.lists(st.tuples(st.booleans(), st.integers(0, 6)), min_size=2, max_size=40)


def share(answers: list[tuple[bool, int]], confidence: float = 0.95):  # type: ignore[no-untyped-def]
    return share_of(np.array([hit for hit, _ in answers]), [f"p{who}" for _, who in answers], confidence)


def test_of_independent_cases_it_is_wilsons_interval() -> None:
    found = share([(number < 7, number) for number in range(20)])
    n, p, t = 20, 0.35, float(student.ppf(0.975, 19))
    number = n - 1  # as the variance is estimated from the same cases
    half = t / (1 + t**2 / number) * np.sqrt(p * (1 - p) / number + t**2 / (4 * number**2))
    middle = (p + t**2 / (2 * number)) / (1 + t**2 / number)
    assert (found.low, found.high) == pytest.approx((middle - half, middle + half))


def test_repeats_of_a_patient_add_nothing() -> None:
    once = [(number % 3 == 0, number) for number in range(30)]
    apart, together = share(once), share(once * 10)
    assert together.value == apart.value
    assert together.high - together.low == pytest.approx(apart.high - apart.low, rel=0.06)


@given(ANSWERS, ANSWERS)
def test_intervals_hold_their_value_and_p_agrees(first, second) -> None:  # type: ignore[no-untyped-def]
    one, other = share(first), share(second)
    for found in (one, other):
        if found.low is not None:
            assert 0.0 <= found.low <= found.value <= found.high <= 1.0
            assert found.high > found.low
    gap = difference(one, other, 0.95)
    if gap.p is not None:
        assert gap.low - 1e-12 <= gap.value <= gap.high + 1e-12
        if abs(gap.p - 0.05) > 1e-6 and gap.low > -1 and gap.high < 1:
            assert (gap.p < 0.05) == (gap.low > 0 or gap.high < 0)


def test_one_patient_has_no_interval() -> None:
    alone, others = share([(True, 0), (False, 0)]), share([(True, 1), (False, 2)])
    assert (alone.value, alone.low) == (0.5, None)
    assert difference(alone, others, 0.95).p is None


def test_coverage_with_patients_who_differ() -> None:
    held = held_gap = 0
    runs = 400
    for number in range(runs):
        rng = stream(number, "coverage")
        found = []
        for level, middle in ((0, 0.7), (1, 0.85)):
            chance = rng.beta(8 * middle, 8 * (1 - middle), size=25)
            answers = [
                (bool(rng.random() < chance[who]), level * 100 + who) for who in range(25) for _ in range(6)
            ]
            found.append(share(answers))
        held += found[0].low <= 0.7 <= found[0].high
        gap = difference(*found, 0.95)
        held_gap += gap.low <= 0.15 <= gap.high
    assert 0.92 <= held / runs <= 0.98
    assert 0.92 <= held_gap / runs <= 0.985


def test_shared_patients_make_a_difference_surer() -> None:
    rng = stream(1, "shared")
    hard = rng.random(40) < 0.5
    answers = [(bool(hit), who) for who, hit in enumerate(hard)]
    other = [(bool(hit) or who % 10 == 0, who) for who, hit in enumerate(hard)]
    apart = [(hit, 100 + who) for hit, who in other]
    paired, unpaired = (difference(share(answers), share(which), 0.95) for which in (other, apart))
    assert paired.value == unpaired.value
    assert paired.high - paired.low < 0.6 * (unpaired.high - unpaired.low)
