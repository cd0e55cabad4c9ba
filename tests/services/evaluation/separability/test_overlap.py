"""Overlap: values that all levels have."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_evaluation.separability.bins import number_bins, text_bins
from nameplate_evaluation.separability.overlap import overlaps


def share(bins, level, levels=2) -> float:
    return float(overlaps(bins, levels, np.array([level]))[0])


def test_texts_of_one_level_each_do_not_overlap():
    assert share(text_bins(["a"] * 10 + ["b"] * 10), [0] * 10 + [1] * 10) == 0.0


def test_texts_that_all_have_count_with_all_their_exams():
    """a is both levels', b the first's and c the second's alone."""
    values = ["a"] * 8 + ["b"] * 6 + ["c"] * 6
    level = [0, 1] * 4 + [0] * 6 + [1] * 6
    assert share(text_bins(values), level) == pytest.approx(8 / 20)


def test_one_odd_exam_is_a_slip_and_no_overlap():
    values = ["a"] * 20 + ["b"] * 20
    level = [0] * 19 + [1] + [1] * 20
    assert share(text_bins(values), level) == 0.0
    level[18] = 1
    assert share(text_bins(values), level) == 0.5


def test_one_exam_is_enough_where_chance_would_give_few():
    assert share(text_bins(["a", "a", "a", "b", "b"]), [0, 1, 1, 0, 1]) == 1.0


def test_a_value_with_traces_of_a_level_is_not_shared():
    """2 of 100 exams, where half would be its share."""
    values = ["a"] * 100 + ["b"] * 100
    assert share(text_bins(values), [0] * 98 + [1] * 2 + [1] * 100) == 0.0


def test_all_levels_are_needed():
    values, level = ["a"] * 9 + ["b"] * 6, [0, 1, 2] * 3 + [0, 1] * 3
    assert share(text_bins(values), level, 3) == pytest.approx(9 / 15)


@pytest.mark.parametrize(("first", "second"), [(30, 50), (40, 40), (65, 15), (23, 57)])
def test_ranges_side_by_side_do_not_overlap_wherever_the_deciles_fall(first, second):
    values = np.concatenate([np.linspace(0, 1, first), np.linspace(1.001, 2, second)])
    level = [0] * first + [1] * second
    assert share(number_bins(values, 2), level) == 0.0


def test_a_level_between_two_parts_of_another_does_not_overlap():
    values = np.concatenate([np.linspace(0, 1, 20), np.linspace(2, 3, 40), np.linspace(4, 5, 20)])
    assert share(number_bins(values, 2), [0] * 20 + [1] * 40 + [0] * 20) == 0.0


def test_common_part_of_two_ranges_is_the_overlap():
    """0 to 2 and 1 to 3, evenly: half of all exams are in the common part."""
    values = np.concatenate([np.linspace(0, 2, 200), np.linspace(1.0005, 3, 200)])
    assert share(number_bins(values, 2), [0] * 200 + [1] * 200) == pytest.approx(0.5, abs=0.02)


def test_alternating_levels_overlap_wholly():
    assert share(number_bins(np.arange(80.0), 2), [0, 1] * 40) == 1.0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 1)), min_size=2, max_size=60), st.integers(0, 5))
def test_order_of_exams_and_scale_do_not_matter(pairs, seed):
    values, level = (np.array(part) for part in zip(*pairs, strict=True))
    order = np.random.default_rng(seed).permutation(len(values))
    numbers = share(number_bins(values * 1.0, 2), level)
    assert share(number_bins(values[order] * 3.0 + 7.0, 2), level[order]) == pytest.approx(numbers)
    assert 0.0 <= numbers <= 1.0
    texts = text_bins([str(value) for value in values])
    assert share(texts, level) == share(texts, 1 - level)
