"""Figures of merit by hand: means and spread over models, intervals from given resamples."""

import numpy as np
import pytest

from nameplate_evaluation.measure import Estimate, Measured, combine, measure
from nameplate_evaluation.scores import Scores

LABELS = [1, 1, 0, 0]
VALUES = [
    [0.9, 0.5, 0.4, 0.1],  # all right: 0.5 counts as positive
    [0.8, 0.3, 0.6, 0.2],  # one of each class wrong
]
ONCE = np.ones((1, 4))


def scores(labels, values) -> Scores:
    exams = tuple(f"e{place}" for place in range(len(labels)))
    return Scores(
        seeds=tuple(range(len(values))),
        exams=exams,
        patients=exams,
        levels=("GE",) * len(exams),
        labels=np.array(labels, dtype=bool),
        values=np.array(values, dtype=float),
        difficulties=(None,) * len(exams),
    )


@pytest.mark.parametrize(
    ("metric", "by_model", "exams"),
    [
        ("accuracy", [1, 0.5], 4),
        ("sensitivity", [1, 0.5], 2),
        ("specificity", [1, 0.5], 2),
        ("auroc", [1, 0.75], 4),
        ("dice", [0.475, 0.475], 4),
    ],
)
def test_each_model_has_its_figure_on_the_exams_that_count(metric, by_model, exams):
    found = measure(metric, scores(LABELS, VALUES), ONCE)
    assert found.by_model.tolist() == pytest.approx(by_model)
    assert found.exams == exams
    assert found.mean == pytest.approx(np.mean(by_model))
    assert found.draws.tolist() == pytest.approx([found.mean])  # every exam counts once


def test_spread_is_that_of_a_sample_of_models():
    estimate = measure("accuracy", scores(LABELS, VALUES), ONCE).estimate(0.95)
    assert (estimate.mean, estimate.models, estimate.exams) == (0.75, 2, 4)
    assert estimate.sd == pytest.approx(0.5 / np.sqrt(2))
    assert measure("accuracy", scores(LABELS, VALUES[:1]), ONCE).estimate(0.95).sd is None


def test_draws_count_each_exam_as_often_as_it_was_drawn():
    weights = np.array([[4, 0, 0, 0], [0, 4, 0, 0], [1, 0, 3, 0], [2, 1, 0, 1]], dtype=float)
    whole = scores(LABELS, VALUES)  # exams 1 and 2 are right in half of the models
    assert measure("accuracy", whole, weights).draws.tolist() == pytest.approx([1, 0.5, 0.625, 0.875])
    assert measure("sensitivity", whole, weights).draws.tolist() == pytest.approx([1, 0.5, 1, 5 / 6])


def test_interval_is_the_middle_of_the_draws():
    draws = np.linspace(0, 1, 101)
    estimate = Measured(np.array([0.25, 0.75]), draws, 7).estimate(0.9)
    assert (estimate.low, estimate.high) == pytest.approx((0.05, 0.95))
    assert (estimate.holds(0.05), estimate.holds(0.96)) == (True, False)


def test_draws_without_a_class_do_not_count():
    whole = scores(LABELS, VALUES)
    measured = measure("auroc", whole, np.array([[1, 1, 1, 1], [1, 1, 0, 0], [0, 0, 2, 2]], dtype=float))
    assert np.isnan(measured.draws).tolist() == [False, True, True]
    assert measured.estimate(0.95).low == measured.estimate(0.95).high == pytest.approx(0.875)
    nothing = measure("auroc", whole, np.array([[2, 2, 0, 0]], dtype=float)).estimate(0.95)
    assert (nothing.mean, nothing.low, nothing.high) == (0.875, None, None)
    assert nothing.holds(0.875) is None


@pytest.mark.parametrize(
    ("labels", "undefined"),
    [([1, 1, 1, 1], {"auroc", "specificity"}), ([0, 0, 0, 0], {"auroc", "sensitivity"})],
)
def test_one_class_alone_leaves_some_figures_undefined(labels, undefined):
    metrics = {"accuracy", "sensitivity", "specificity", "auroc", "dice"}
    found = {metric: measure(metric, scores(labels, VALUES), ONCE) for metric in metrics}
    assert {metric for metric, figure in found.items() if figure is None} == undefined


def test_differences_are_paired_draw_by_draw():
    first = Measured(np.array([0.8, 0.9]), np.array([0.8, 0.9]), 10)
    second = Measured(np.array([0.7]), np.array([0.6, 0.7]), 20)
    found = combine([(1.0, first), (-1.0, second)], 0.95)
    assert (found.mean, found.low, found.high) == pytest.approx((0.15, 0.2, 0.2))
    assert found == Estimate(found.mean, None, found.low, found.high, 3, 30)
