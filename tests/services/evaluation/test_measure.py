"""Figures of merit by hand: which exams count, how runs spread, when there is no interval."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from nameplate_evaluation.measure import AT_CEILING, NOTHING_VARIES, ONE_RUN, Measured, combine, measure

LABELS = [1, 1, 0, 0]
VALUES = [
    [0.9, 0.5, 0.4, 0.1],  # all right: 0.5 counts as positive
    [0.8, 0.3, 0.6, 0.2],  # one of each class wrong
]


@pytest.mark.parametrize(
    ("metric", "of_runs", "exams"),
    [
        ("accuracy", [1, 0.5], ["e-GE-000", "e-GE-001", "e-GE-002", "e-GE-003"]),
        ("sensitivity", [1, 0.5], ["e-GE-000", "e-GE-001"]),
        ("specificity", [1, 0.5], ["e-GE-002", "e-GE-003"]),
        ("auroc", [1, 0.75], ["e-GE-000", "e-GE-001", "e-GE-002", "e-GE-003"]),
        ("probit", stats.norm.ppf([1 - 0.5 / 4, 0.75]), ["e-GE-000", "e-GE-001", "e-GE-002", "e-GE-003"]),
        ("dice", [0.475, 0.475], ["e-GE-000", "e-GE-001", "e-GE-002", "e-GE-003"]),
    ],
)
def test_each_run_has_its_figure_on_the_exams_that_count(scored, metric, of_runs, exams):
    found = measure("cell", metric, scored(VALUES, LABELS))
    assert found.merit.values.tolist() == pytest.approx(list(of_runs))
    assert found.mean == pytest.approx(np.mean(of_runs))
    assert list(found.exams) == exams
    assert found.merit.influence.shape == (2, len(exams))


@pytest.mark.parametrize(
    ("labels", "undefined"),
    [
        ([1, 1, 1, 1], {"auroc", "probit", "specificity"}),
        ([0, 0, 0, 0], {"auroc", "probit", "sensitivity"}),
    ],
)
def test_one_class_alone_leaves_some_figures_undefined(scored, labels, undefined):
    metrics = {"accuracy", "sensitivity", "specificity", "auroc", "probit", "dice"}
    found = {metric: measure("cell", metric, scored(VALUES, labels)) for metric in metrics}
    assert {metric for metric, figure in found.items() if figure is None} == undefined


def test_a_threshold_of_each_run_decides_and_a_score_at_it_is_positive(scored):
    found = measure("cell", "accuracy", scored(VALUES, LABELS), np.array([0.55, 0.3]))
    # Run 1: 0.5 is now missed. Run 2: 0.3 is found, 0.6 still a false alarm.
    assert found.merit.values.tolist() == [0.75, 0.75]
    assert measure("cell", "specificity", scored(VALUES, LABELS), np.array([0.1, 0.7])).mean == 0.5


def test_the_numbers_of_positives_and_negatives_are_fixed_and_no_source_of_variance(scored):
    """All positives right and all negatives wrong: no other exams of these numbers give another accuracy."""
    always = scored([[0.9] * 8, [0.8] * 8], [1] * 5 + [0] * 3)
    assert measure("cell", "accuracy", always).mean == pytest.approx(5 / 8)
    assert not measure("cell", "accuracy", always).merit.influence.any()


def test_spread_is_that_of_a_sample_of_runs(scored):
    estimate = measure("cell", "dice", scored([[0.9, 0.7], [0.5, 0.3], [0.2, 0.4]], [1, 1])).estimate(0.95)
    assert (estimate.mean, estimate.models, estimate.exams) == (pytest.approx(0.5), 3, 2)
    assert estimate.sd == pytest.approx(np.std([0.8, 0.4, 0.3], ddof=1))
    assert (estimate.p, estimate.detectable) == (None, None)  # a figure of one cell is not tested


def test_one_run_has_neither_spread_nor_interval_and_says_why(scored):
    estimate = measure("cell", "dice", scored([[0.9, 0.7]], [1, 1])).estimate(0.95)
    assert (estimate.mean, estimate.sd, estimate.low, estimate.high) == (pytest.approx(0.8), None, None, None)
    assert (estimate.note, estimate.run_share, estimate.holds(0.8)) == (ONE_RUN, None, None)


def test_interval_of_a_share_ends_at_zero_and_one_and_that_of_a_probit_does_not(scored):
    values, labels = [[0.9, 0.1, 0.8, 0.2], [0.3, 0.6, 0.4, 0.7]], [1, 0, 1, 0]
    share = measure("cell", "auroc", scored(values, labels)).estimate(0.99)
    probit = measure("cell", "probit", scored(values, labels)).estimate(0.99)
    assert (share.low, share.high) == (0.0, 1.0)
    assert probit.low < 0
    assert probit.high > 1
    assert (share.holds(0.0), share.holds(1.0)) == (True, True)


def test_holds_is_whether_the_interval_contains_a_value(scored):
    rng = np.random.default_rng(2)
    estimate = measure("cell", "dice", scored(0.5 + 0.1 * rng.normal(size=(4, 30)), [1] * 30)).estimate(0.95)
    assert estimate.holds(estimate.low)
    assert estimate.holds(estimate.high)
    assert not estimate.holds(estimate.low - 1e-9)
    assert not estimate.holds(estimate.high + 1e-9)


# The ceiling.


@pytest.mark.parametrize(("wrong", "at_ceiling"), [(0, True), (4, True), (5, False), (9, False)])
def test_with_fewer_than_five_wrong_answers_accuracy_is_at_the_ceiling(scored, wrong, at_ceiling):
    values = np.full((2, 20), 0.9)
    values.flat[:wrong] = 0.1
    found = measure("cell", "accuracy", scored(values, [1] * 20))
    assert found.at_ceiling is at_ceiling
    assert (found.estimate(0.95).note == AT_CEILING) is at_ceiling
    assert (found.estimate(0.95).low is None) is at_ceiling


@pytest.mark.parametrize(("beaten", "at_ceiling"), [(0, True), (1, True), (2, False)])
def test_from_a_mean_of_99_percent_on_an_auroc_and_its_probit_are_at_the_ceiling(scored, beaten, at_ceiling):
    """Ten positives against ten negatives: a pair lost by each of two runs is 1 %."""
    labels = [1] * 10 + [0] * 10
    run = np.arange(20, 0, -1.0)
    worse = run.copy()
    worse[10:12] = (run[9] + 0.5, run[9] + 0.25)[:beaten] + tuple(run[10 : 12 - beaten])
    for metric in ("auroc", "probit"):
        found = measure("cell", metric, scored([worse, worse], labels))
        assert found.at_ceiling is at_ceiling, metric


def test_a_sum_with_a_part_at_the_ceiling_has_no_interval_unless_it_is_asked_for(scored):
    rng = np.random.default_rng(3)
    easy = measure("easy", "accuracy", scored(np.full((3, 20), 0.9), [1] * 20))
    hard = measure("hard", "accuracy", scored(rng.random((3, 20)), [1] * 20))
    shown = combine([(1.0, easy), (-1.0, hard)], 0.95)
    assert (shown.note, shown.low, shown.high, shown.p, shown.detectable) == (AT_CEILING, *[None] * 4)
    inside = combine([(1.0, easy), (-1.0, hard)], 0.95, ceiling=False)
    assert (inside.note, inside.mean) == ("", shown.mean)
    assert inside.low < inside.mean < inside.high
    assert inside.p is not None


def test_where_all_runs_and_exams_give_the_same_there_is_no_interval(scored):
    """An interval of no width would say that no other run or patient can give anything else."""
    same = measure("cell", "dice", scored(np.full((3, 8), 0.7), [1] * 8))
    for found in (same.estimate(0.95), combine([(1.0, same), (-1.0, same)], 0.95, ceiling=False)):
        assert (found.note, found.low, found.high, found.p, found.detectable) == (NOTHING_VARIES, *[None] * 4)


# Sums.


def test_a_sum_counts_each_run_and_each_exam_once(scored):
    rng = np.random.default_rng(4)
    ours, theirs = (scored(rng.random((3, 10)), [1, 0] * 5, level=level) for level in ("GE", "Siemens"))
    parts = [(factor, measure("cell", "auroc", of)) for factor, of in ((1.0, ours), (-1.0, theirs))]
    assert (combine(parts, 0.95).models, combine(parts, 0.95).exams) == (3, 20)
    other = (-1.0, measure("another", "auroc", scored(rng.random((4, 10)), [1, 0] * 5)))
    assert (combine([*parts, other], 0.95).models, combine([*parts, other], 0.95).exams) == (7, 20)


def test_a_difference_of_two_cells_on_the_same_exams_is_paired(scored):
    rng = np.random.default_rng(5)
    hard = np.tile(rng.normal(size=40), (3, 1))
    first, second = (
        measure(name, "dice", scored(0.5 + 0.1 * hard + 0.001 * rng.normal(size=(3, 40)), [1] * 40))
        for name in ("first", "second")
    )
    found = combine([(1.0, first), (-1.0, second)], 0.95)
    alone = first.estimate(0.95)
    assert found.high - found.low < 0.1 * (alone.high - alone.low)


def test_only_the_best_runs_can_be_made_to_count(scored):
    values = [[0.9, 0.9], [0.7, 0.7], [0.1, 0.3]]
    whole = measure("cell", "dice", scored(values, [1, 1]))
    assert isinstance(whole, Measured)
    assert whole.of_runs(2).merit.values.tolist() == pytest.approx([0.9, 0.7])
    assert whole.of_runs(2).merit.influence.shape == (2, 2)
    assert whole.of_runs(None) is whole
    assert whole.of_runs(9).merit.values.size == 3


def test_an_interval_is_cut_where_a_figure_cannot_be(scored):
    found = combine([(1.0, measure("cell", "accuracy", scored(VALUES, LABELS)))], 0.95)
    cut = replace(found, low=-0.2, high=1.4).within(0.0, 1.0)
    assert (cut.mean, cut.low, cut.high) == (found.mean, 0.0, 1.0)
    assert replace(found, low=None, high=None).within(0.0, 1.0).low is None
