"""Figures on a set of exams, and where there are too few of them."""

import numpy as np
import pytest

from nameplate.stats.metrics import auroc as plain_auroc
from nameplate_evaluation.audit import figure as figures
from nameplate_evaluation.audit.figure import Sample, difference, weighted
from nameplate_evaluation.audit.predictive import predictive_values


def sample(count=200, *, runs=1, gap=1.2, seed=0, per_patient=1):
    random = np.random.default_rng(seed)
    labels = np.arange(count) % 2 == 0
    values = random.normal(size=(runs, count)) + gap * labels
    return Sample(values=values, labels=labels, patient=np.arange(count) // per_patient)


def test_values_are_those_of_the_metrics():
    one = sample()
    assert figures.auroc(one).value == pytest.approx(plain_auroc(one.labels, one.values[0]))
    right = (one.values[0] >= 0.6) == one.labels
    assert figures.accuracy_at(0.6)(one).value == pytest.approx(right.mean())
    assert figures.sensitivity_at(0.6)(one).value == pytest.approx(right[one.labels].mean())
    assert figures.specificity_at(0.6)(one).value == pytest.approx(right[~one.labels].mean())


def test_a_single_run_has_an_interval_over_patients_and_several_one_over_both():
    one = figures.auroc(sample()).estimate(0.95)
    assert one.models == 1
    assert one.sd is None
    assert one.low < one.mean < one.high
    several = figures.auroc(sample(runs=4)).estimate(0.95)
    assert several.models == 4
    assert several.sd > 0
    apart = np.random.default_rng(5).normal(size=(4, 1)) * np.where(sample().labels, 1.0, 0.0)
    noisy = sample(runs=4)
    noisy = Sample(values=noisy.values + apart, labels=noisy.labels, patient=noisy.patient)
    wide = figures.auroc(noisy).estimate(0.95)
    assert wide.high - wide.low > 1.5 * (several.high - several.low)


def test_a_count_has_the_degrees_of_freedom_of_its_patients_and_an_auroc_of_those_who_make_its_variance():
    """One positive among the negatives; the other 39 patients are told apart."""
    labels = np.arange(40) < 20
    values = np.where(labels, 2.0, -2.0) + np.arange(40) / 100
    values[0] = -1.9
    one = Sample(values=values[None], labels=labels, patient=np.arange(40))
    assert figures.sensitivity_at(0.0)(one).share().df == 19
    assert figures.accuracy_at(0.0)(one).share().df == 39
    assert 2 < figures.auroc(one).share().df < 4


def test_degrees_of_freedom_are_no_more_than_those_of_the_rarer_class():
    one = sample(400)
    few = np.flatnonzero(one.labels)[:12]
    kept = np.isin(np.arange(400), few) | ~one.labels
    assert figures.auroc(one.where(kept)).share().df <= 11


def test_a_level_without_a_mistake_is_no_less_certain_for_one_in_the_other():
    labels = np.arange(120) < 60
    perfect = np.where(labels, 2.0, -2.0) + np.arange(120) / 1000
    nearly = perfect.copy()
    nearly[0] = -1.9
    first, second = (
        figures.auroc(Sample(values=values[None], labels=labels, patient=np.arange(120) + place))
        for place, values in ((0, perfect), (1000, nearly))
    )
    low, high = first.share().interval(0.95)
    assert (low, high) == pytest.approx((0.94, 1.0), abs=0.005)
    gap = difference(first, second, 0.95)
    assert gap.low > -0.07
    assert 0.02 < gap.high < 0.3


def test_exams_of_one_patient_count_for_less():
    one = sample(100)
    twice = Sample(
        values=np.repeat(one.values, 2, axis=1),
        labels=np.repeat(one.labels, 2),
        patient=np.repeat(one.patient, 2),
    )
    alone, together = (figures.auroc(s).estimate(0.95) for s in (one, twice))
    assert together.mean == pytest.approx(alone.mean)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=0.02)
    naive = Sample(values=twice.values, labels=twice.labels, patient=np.arange(200))
    narrow = figures.auroc(naive).estimate(0.95)
    assert narrow.high - narrow.low < 0.8 * (alone.high - alone.low)


def test_the_same_patients_on_two_scanners_are_compared_as_pairs():
    one = sample(120, seed=1)
    other = Sample(
        values=one.values + 0.1 * sample(120, seed=2).values, labels=one.labels, patient=one.patient
    )
    strangers = Sample(values=other.values, labels=one.labels, patient=one.patient + 1000)
    paired = difference(figures.auroc(one), figures.auroc(other), 0.95)
    apart = difference(figures.auroc(one), figures.auroc(strangers), 0.95)
    assert paired.mean == apart.mean
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([0] * 20, "no positive"),
        ([1] * 20, "no negative"),
        ([1] * 4 + [0] * 16, "fewer than 5 patients with positives"),
        ([0] * 4 + [1] * 16, "fewer than 5 patients with negatives"),
    ],
)
def test_a_class_with_too_few_patients_has_a_reason_and_no_number(labels, reason):
    one = Sample(
        values=np.linspace(0, 1, 20)[None], labels=np.array(labels, dtype=bool), patient=np.arange(20)
    )
    assert figures.auroc(one) == reason
    assert figures.calibration(one) == reason
    rates = figures.sensitivity_at(0.5)(one), figures.specificity_at(0.5)(one)
    assert reason in rates
    assert not isinstance(figures.accuracy_at(0.5)(one), str)


def test_scores_that_part_the_classes_have_no_slope_and_an_interval_below_one():
    labels = np.arange(40) < 20
    one = Sample(values=np.where(labels, 0.9, 0.1)[None], labels=labels, patient=np.arange(40))
    assert "no finite slope" in figures.calibration(one)
    found = figures.auroc(one).estimate(0.95)
    assert found.high == 1.0
    assert 0.7 < found.low < 0.95
    apart = difference(figures.auroc(one), figures.auroc(one), 0.95)
    assert apart.p == 1.0
    assert apart.note == "at the ceiling"


def test_a_weighted_mean_of_strata_is_one_figure():
    parts = [figures.auroc(sample(100, seed=seed, gap=gap)) for seed, gap in ((1, 1.0), (2, 2.0))]
    moved = figures.Figure(merit=parts[1].merit, patient=parts[1].patient + 100, units=parts[1].units)
    both = weighted([parts[0], moved], [0.25, 0.75])
    assert both.value == pytest.approx(0.25 * parts[0].value + 0.75 * parts[1].value)
    expected = 0.0625 * parts[0].spread().variance + 0.5625 * parts[1].spread().variance
    assert both.spread().variance == pytest.approx(expected)


def test_dice_is_a_mean_and_calibration_finds_what_was_put_in():
    values = np.random.default_rng(0).normal(0.9, 0.02, size=(1, 50))
    found = figures.dice(Sample(values=values, labels=None, patient=np.arange(50)))
    assert found.value == pytest.approx(values.mean())
    random = np.random.default_rng(1)
    logit = random.normal(size=4000)
    labels = random.random(4000) < 1 / (1 + np.exp(-logit))
    overconfident = 1 / (1 + np.exp(-2 * logit - 0.5))
    one = Sample(values=overconfident[None], labels=labels, patient=np.arange(4000))
    excess, slope = figures.calibration(one)
    assert slope.value == pytest.approx(0.5, abs=0.06)
    assert excess.value == pytest.approx((labels - overconfident).mean())


def test_predictive_values_follow_bayes_at_the_stated_prevalence():
    one = sample(400)
    sens, spec = figures.sensitivity_at(0.6)(one), figures.specificity_at(0.6)(one)
    for prevalence in (0.01, 0.3):
        ppv, npv = predictive_values(sens, spec, prevalence, 0.95)
        hits, alarms = sens.value * prevalence, (1 - spec.value) * (1 - prevalence)
        assert ppv.mean == pytest.approx(hits / (hits + alarms))
        quiet, missed = spec.value * (1 - prevalence), (1 - sens.value) * prevalence
        assert npv.mean == pytest.approx(quiet / (quiet + missed))
        assert ppv.low < ppv.mean < ppv.high
        assert npv.low < npv.mean < npv.high
    none, _ = predictive_values(figures.sensitivity_at(99)(one), figures.specificity_at(99)(one), 0.1, 0.95)
    assert none.note == "no such call"
    perfect = Sample(values=np.where(one.labels, 1.0, 0.0)[None], labels=one.labels, patient=one.patient)
    ppv, _ = predictive_values(
        figures.sensitivity_at(0.5)(perfect), figures.specificity_at(0.5)(perfect), 0.01, 0.95
    )
    assert (ppv.mean, ppv.high) == (1.0, 1.0)
    assert ppv.low < 0.5  # 200 negatives without a false alarm say little at one ill in a hundred
    with pytest.raises(ValueError, match="prevalence"):
        predictive_values(sens, spec, 1.0, 0.95)
