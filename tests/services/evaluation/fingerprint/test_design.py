from collections.abc import Callable

import numpy as np
import pytest

from nameplate_evaluation.fingerprint.design import BIN_WEIGHT, BINS, Numbers, Texts, design

Make = Callable[..., Numbers]
RANDOM = np.random.default_rng(4)


def test_columns_are_standardised_over_the_training_exams(number: Make) -> None:
    train = np.arange(50) % 5 > 0
    made = design([number(RANDOM.normal(size=50)), Texts("t", ("a", "b") * 25)], train)
    assert made[train].mean(axis=0) == pytest.approx(np.zeros(1 + BINS + 2), abs=1e-12)
    assert made[train].std(axis=0) == pytest.approx([1, *[BIN_WEIGHT] * BINS, 1, 1])


def test_a_monotone_map_changes_nothing(number: Make) -> None:
    values, train = RANDOM.normal(size=60), np.arange(60) % 5 > 0
    one, other = (design([number(v)], train) for v in (values, np.exp(3 * values)))
    np.testing.assert_array_equal(one[train], other[train])


def test_an_outlier_outside_the_training_exams_moves_no_other(number: Make) -> None:
    values, train = RANDOM.normal(size=50), np.arange(50) < 40
    far = values.copy()
    far[45] = 1e9
    one, other = design([number(values)], train), design([number(far)], train)
    np.testing.assert_array_equal(np.delete(one, 45, 0), np.delete(other, 45, 0))
    assert np.isfinite(other).all()


def test_few_values_have_an_indicator_each(number: Make) -> None:
    values = np.array([-3024.0, -1024.0, -2000.0] * 20)
    made = design([number(values)], np.ones(60, dtype=bool))
    assert made.shape == (60, 1 + 3)
    for value in (-3024, -1024, -2000):
        assert any(np.ptp(made[values == value, column]) == 0 for column in range(4))
    tags = [(made[:, column] > 0).astype(int) for column in range(1, 4)]
    assert (np.sum(tags, axis=0) == 1).all()


def test_a_value_of_few_exams_has_one_too(number: Make) -> None:
    values = np.array([-3024.0] * 5 + [-2000.0] * 5 + [-1024.0] * 90)
    made = design([number(values)], np.ones(100, dtype=bool))
    assert made.shape == (100, 1 + 3)
    assert sorted((made[:, 1:] > 0).sum(axis=0).tolist()) == [5, 5, 90]


def test_rare_and_new_texts_share_a_column() -> None:
    values = ("a",) * 10 + ("b",) * 10 + ("rare 1", "rare 2", "rare 3", "new")
    train = np.arange(24) < 23
    made = design([Texts("t", values)], train)
    assert made.shape == (24, 3)
    assert (made[20:] == made[20]).all()


def test_columns_that_say_nothing_are_left_out(number: Make) -> None:
    train = np.ones(40, dtype=bool)
    nothing = [
        number([7.0] * 40),
        number([np.nan] * 40),
        number([np.nan] * 39 + [1.0]),
        number([np.inf] * 20 + [1.0] * 20),
        Texts("t", ("same",) * 40),
    ]
    assert design(nothing, train).shape == (40, 0)
    assert design([], train).shape == (40, 0)


def test_an_exam_without_a_number_looks_like_the_others(number: Make) -> None:
    values = RANDOM.normal(size=4000)
    values[::2] = np.nan
    made = design([number(values)], np.ones(4000, dtype=bool))
    gap = made[::2].mean(axis=0) - made[1::2].mean(axis=0)
    assert np.abs(gap).max() < 0.12
