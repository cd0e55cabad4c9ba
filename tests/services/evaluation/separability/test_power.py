"""What so many patients could have shown."""

import numpy as np
import pytest
from scipy.stats import norm

from nameplate_evaluation.separability.power import STATISTICS, sensitivity_of


def test_of_two_levels_it_is_that_of_a_comparison_of_two_means():
    found = sensitivity_of("number", (40, 60), 100).detectable(0.05)
    wanted = norm.isf(0.05 / STATISTICS["number"] / 2) + norm.isf(0.2)
    assert found == pytest.approx(wanted * np.sqrt(1 / 40 + 1 / 60), rel=1e-3)


def test_of_a_text_with_two_values_it_is_that_of_a_correlation():
    found = sensitivity_of("text", (50, 50), 2).detectable(0.05)
    wanted = norm.isf(0.05 / STATISTICS["text"] / 2) + norm.isf(0.2)
    assert found == pytest.approx(wanted / 10, rel=1e-3)


def test_more_patients_find_less_and_more_fields_or_values_need_more():
    few, many = (sensitivity_of("number", (n, n), 0) for n in (20, 200))
    assert many.detectable(0.05) < few.detectable(0.05) < few.detectable(0.005)
    assert many.enough(0.05)
    assert not few.enough(0.05)
    texts = [sensitivity_of("text", (50, 50), values).detectable(0.05) for values in (2, 5, 12)]
    assert texts == sorted(texts)


def test_of_several_levels_the_two_smallest_decide():
    assert (
        sensitivity_of("number", (20, 30, 500), 0).information
        == sensitivity_of("number", (30, 20), 0).information
    )


@pytest.mark.parametrize("found", [sensitivity_of("number", (0, 9), 3), sensitivity_of("text", (9, 9), 1)])
def test_without_patients_or_values_nothing_is_found(found):
    assert found.detectable(0.05) == float("inf")
    assert not found.enough(0.05)


@pytest.mark.parametrize("count", [30, 60])
def test_the_formula_is_the_rate_at_which_simulated_differences_are_found(count):
    """The approximation of one statistic at its corrected level: 80 of 100, of normal values."""
    sensitivity = sensitivity_of("number", (count, count), 0)
    effect = sensitivity.detectable(0.05)
    rng = np.random.default_rng(4)
    gaps = rng.normal(effect, 1, (4000, count)).mean(axis=1) - rng.normal(0, 1, (4000, count)).mean(axis=1)
    critical = norm.isf(0.05 / STATISTICS["number"] / 2) * np.sqrt(2 / count)
    assert np.mean(np.abs(gaps) > critical) == pytest.approx(0.8, abs=0.03)
