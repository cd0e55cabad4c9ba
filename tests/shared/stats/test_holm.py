"""Holm's adjustment, by hand and by its definition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.stats.holm import holm


def test_holm_by_hand():
    assert holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]
    assert holm([]) == []
    assert holm([None]) == [None]


@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=12), st.floats(0.001, 0.5))
def test_what_stays_below_a_level_is_what_the_step_down_procedure_rejects(values, level):
    """Smallest first, p is compared with level / (tests left); the first that is not below ends it."""
    tested = sorted((p, place) for place, p in enumerate(values) if p is not None)
    rejected = set()
    for step, (p, place) in enumerate(tested):
        if p * (len(tested) - step) > level:
            break
        rejected.add(place)
    adjusted = holm(values)
    assert {place for place, p in enumerate(adjusted) if p is not None and p <= level} == rejected
    assert [p is None for p in adjusted] == [p is None for p in values]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_values_keep_their_order_and_are_between_p_and_one(values):
    adjusted = holm(values)
    assert all(before <= after <= 1 for before, after in zip(values, adjusted, strict=True))
    order = sorted(range(len(values)), key=lambda place: values[place])
    assert [adjusted[place] for place in order] == sorted(adjusted)
