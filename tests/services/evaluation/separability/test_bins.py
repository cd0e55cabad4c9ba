"""Values as bins: texts one by one, numbers by quantiles."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nameplate_evaluation.separability.bins import MOST_BINS, number_bins, text_bins


def test_each_text_is_a_bin():
    assert text_bins(["b", "a", "b"]).code.tolist() == [1, 0, 1]
    assert text_bins([]).count == 0


def test_few_different_numbers_are_a_bin_each():
    bins = number_bins(np.array([120.0] * 30 + [140.0] * 30), 2)
    assert bins.count == 2
    assert bins.rank.tolist() == [0] * 30 + [1] * 30


def test_many_numbers_are_deciles_of_equal_size():
    bins = number_bins(np.random.default_rng(1).normal(size=1000), 2)
    assert bins.count == MOST_BINS
    assert np.bincount(bins.code).min() >= 95


def test_fewer_exams_make_fewer_bins():
    assert number_bins(np.arange(40.0), 2).count == 4
    assert number_bins(np.arange(12.0), 3).count == 3


@given(st.lists(st.sampled_from([0.0, 1.0, 1.5, 2.0, 7.0, 9.0, 11.0, 40.0]), min_size=1, max_size=60))
def test_equal_numbers_share_a_bin_and_bins_ascend(values):
    numbers = np.array(values)
    bins = number_bins(numbers, 2)
    assert set(bins.code) == set(range(bins.count))
    order = np.argsort(numbers, kind="stable")
    assert (np.diff(bins.code[order]) >= 0).all()
    assert all(len(set(bins.code[numbers == value])) == 1 for value in values)
