"""Standardised difference, Cramer's V and the statistics of the test, against other people's and by hand."""

import numpy as np
import pytest
from scipy.stats import chi2_contingency, kruskal

from nameplate_evaluation.separability.association import (
    chi_squares,
    cramers_v,
    rank_spreads,
    standardised_difference,
)
from nameplate_evaluation.separability.bins import number_bins, text_bins


def test_difference_is_in_pooled_standard_deviations():
    rng = np.random.default_rng(2)
    one, other = rng.normal(0, 1, 30), rng.normal(1, 3, 40)
    level = np.array([0] * 30 + [1] * 40)
    expected = abs(one.mean() - other.mean()) / np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
    assert standardised_difference(np.concatenate([one, other]), level, 2) == pytest.approx(expected)


def test_of_several_levels_the_largest_pair_counts():
    values = np.array([0.0, 2.0, 1.0, 3.0, 8.0, 10.0])
    level = np.array([0, 0, 1, 1, 2, 2])
    assert standardised_difference(values, level, 3) == pytest.approx(8 / np.sqrt(2))


@pytest.mark.parametrize(
    ("values", "level", "expected"),
    [
        ([120.0, 120.0, 140.0, 140.0], [0, 0, 1, 1], None),
        ([120.0, 120.0, 120.0, 120.0], [0, 0, 1, 1], 0.0),
        ([1.0, 2.0, 3.0], [0, 0, 1], None),
    ],
)
def test_without_spread_or_with_one_value_there_is_none(values, level, expected):
    assert standardised_difference(np.array(values), np.array(level), 2) == expected


def test_v_is_bergsmas():
    """By the formula of the paper from scipy's chi-square."""
    table = np.array([[20, 5], [10, 15], [3, 22]])
    code = np.repeat(np.arange(3), table.sum(axis=1))
    level = np.concatenate([np.repeat([0, 1], row) for row in table])
    n, r, k = table.sum(), 3, 2
    phi = max(0, chi2_contingency(table, correction=False).statistic / n - (k - 1) * (r - 1) / (n - 1))
    smaller = min(r - (r - 1) ** 2 / (n - 1), k - (k - 1) ** 2 / (n - 1))
    assert cramers_v(code, level, 2) == pytest.approx(np.sqrt(phi / (smaller - 1)))


def test_v_is_zero_in_the_mean_of_nothing_and_one_of_a_copy():
    rng = np.random.default_rng(3)
    found = [cramers_v(rng.integers(0, 5, 60), rng.integers(0, 2, 60), 2) for _ in range(200)]
    assert np.median(found) < 0.05
    level = rng.integers(0, 2, 60)
    assert cramers_v(level, level, 2) == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("code", "level"), [([0, 0, 0], [0, 1, 1]), ([0, 1, 2], [0, 0, 0]), ([0, 1], [0, 1])]
)
def test_v_needs_two_values_two_levels_and_more_exams_than_values(code, level):
    assert cramers_v(np.array(code), np.array(level), 2) is None


def test_statistics_order_the_ways_as_chi_square_and_kruskal_wallis_do():
    rng = np.random.default_rng(4)
    values = rng.normal(size=50).round(1)
    ways = np.array([rng.permutation(np.repeat([0, 1, 2], [20, 20, 10])) for _ in range(30)])
    spreads = rank_spreads(number_bins(values, 3).rank, 3, ways)
    kruskals = [kruskal(*(values[way == level] for level in range(3))).statistic for way in ways]
    assert np.corrcoef(spreads, kruskals)[0, 1] == pytest.approx(1.0)
    texts = text_bins([f"{value:.0f}" for value in values])
    tables = [
        np.array([np.bincount(way[texts.code == c], minlength=3) for c in range(texts.count)]) for way in ways
    ]
    squares = [chi2_contingency(table).statistic for table in tables]
    assert np.corrcoef(chi_squares(texts, 3, ways), squares)[0, 1] == pytest.approx(1.0)
