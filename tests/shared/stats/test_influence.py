"""Influences: against every pair of exams, DeLong's formula, derivatives, resamples and scikit-learn."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from nameplate.stats.influence import Merit, auroc_merit, calibration_merits, mean_merit, probit
from nameplate.streams import stream

seeds = st.integers(0, 10**6)


def draw(seed, *, shift=1.0, positives=12, negatives=15, runs=2, digits=1):
    """Scores of runs, (runs, exams), rounded so that some are equal, and labels in mixed order."""
    rng = stream(seed, "scores")
    labels = rng.permutation(np.arange(positives + negatives) < positives)
    scores = np.round(rng.normal(size=(runs, labels.size)) + shift * labels, digits)
    return scores, labels


def components(scores, labels):
    """Of one run, DeLong's structural components by comparing every pair: of positives, of negatives."""
    wins = [[(x > y) + 0.5 * (x == y) for y in scores[~labels]] for x in scores[labels]]
    kernel = np.array(wins, dtype=float)
    return kernel.mean(axis=1), kernel.mean(axis=0)


def weighted_area(scores, labels, weights):
    """The AUROC of one run when each exam counts ``weights`` times."""
    total = 0.0
    for p in np.flatnonzero(labels):
        for n in np.flatnonzero(~labels):
            win = (scores[p] > scores[n]) + 0.5 * (scores[p] == scores[n])
            total += weights[p] * weights[n] * win
    return total / (weights[labels].sum() * weights[~labels].sum())


def derivatives(figure, exams, step=1e-5):
    """How fast a figure of weights changes with the weight of each exam, all weights being one."""
    found = []
    for exam in range(exams):
        up, down = np.ones(exams), np.ones(exams)
        up[exam] += step
        down[exam] -= step
        found.append((figure(up) - figure(down)) / (2 * step))
    return np.array(found)


@given(seeds)
def test_auroc_of_every_run_is_that_of_scikit_learn_with_ties(seed):
    scores, labels = draw(seed)
    merit = auroc_merit(scores, labels)
    assert merit.values == pytest.approx([roc_auc_score(labels, run) for run in scores])


@given(seeds)
def test_auroc_influences_are_those_of_every_pair(seed):
    scores, labels = draw(seed)
    merit = auroc_merit(scores, labels)
    for run, found in zip(scores, merit.influence, strict=True):
        above, below = components(run, labels)
        m, n = above.size, below.size
        expected = np.empty(labels.size)
        expected[labels] = (above - above.mean()) / m * np.sqrt(m / (m - 1))
        expected[~labels] = (below - below.mean()) / n * np.sqrt(n / (n - 1))
        assert found == pytest.approx(expected, abs=1e-12)


@given(seeds)
def test_squares_of_auroc_influences_add_up_to_delongs_variance(seed):
    scores, labels = draw(seed)
    merit = auroc_merit(scores, labels)
    parts = [components(run, labels) for run in scores]
    for a in range(len(scores)):
        for b in range(len(scores)):
            expected = np.cov(parts[a][0], parts[b][0])[0, 1] / labels.sum()
            expected += np.cov(parts[a][1], parts[b][1])[0, 1] / (~labels).sum()
            assert merit.influence[a] @ merit.influence[b] == pytest.approx(expected, abs=1e-12)


def test_auroc_of_a_case_done_by_hand():
    # Positives 3, 2 against negatives 1, 2.5: the pairs won are 1 1 / 1 0, so that the AUROC is 3/4;
    # components of the positives 1, 1/2 and of the negatives 1, 1/2: each has variance 1/8.
    merit = auroc_merit(np.array([[3, 2, 1, 2.5]]), np.array([True, True, False, False]))
    assert merit.values.tolist() == [0.75]
    eighth = 0.25 / 2 * np.sqrt(2)
    assert merit.influence[0] == pytest.approx([eighth, -eighth, eighth, -eighth])
    assert (merit.influence**2).sum() == pytest.approx(1 / 8 / 2 + 1 / 8 / 2)


def test_a_positive_that_is_outscored_pulls_the_auroc_down_and_so_does_a_high_negative():
    merit = auroc_merit(np.array([[0.9, 0.8, 0.1, 0.2, 0.3, 0.85]]), np.array([1, 1, 1, 0, 0, 0]) == 1)
    assert np.argmin(merit.influence[0, :3]) == 2
    assert np.argmin(merit.influence[0, 3:]) == 2


@given(seeds)
def test_auroc_influences_are_derivatives_with_respect_to_an_exams_weight(seed):
    scores, labels = draw(seed, positives=6, negatives=5, runs=1)
    merit = auroc_merit(scores, labels)
    slopes = derivatives(lambda weights: weighted_area(scores[0], labels, weights), labels.size)
    slopes[labels] *= np.sqrt(6 / 5)
    slopes[~labels] *= np.sqrt(5 / 4)
    assert merit.influence[0] == pytest.approx(slopes, abs=1e-6)


def resampled_areas(scores, labels, draws):
    """The AUROC of one run in so many resamples with replacement, of positives and of negatives."""
    rng = stream(3, "resamples")
    wins = scores[labels][:, None] > scores[~labels]
    above, below = (
        rng.multinomial(count, np.full(count, 1 / count), size=draws) / count
        for count in (labels.sum(), (~labels).sum())
    )
    return ((above @ wins) * below).sum(axis=1)


def test_variances_of_an_auroc_and_its_probit_are_those_of_resampled_patients():
    scores, labels = draw(8, shift=1.2, positives=80, negatives=70, runs=1, digits=9)
    areas = resampled_areas(scores[0], labels, 20_000)
    merit = auroc_merit(scores, labels)
    assert np.var(areas) == pytest.approx((merit.influence**2).sum(), rel=0.05)
    assert np.var(norm.ppf(areas)) == pytest.approx((probit(merit, labels).influence ** 2).sum(), rel=0.12)


@given(seeds, st.sampled_from(["shift", "stretch", "cube"]))
def test_no_monotone_map_of_the_scores_changes_an_auroc_or_an_influence(seed, name):
    scores, labels = draw(seed)
    maps = {"shift": scores + 17, "stretch": 4 * scores, "cube": scores**3}
    first, second = auroc_merit(scores, labels), auroc_merit(maps[name], labels)
    assert first.values.tolist() == second.values.tolist()
    assert first.influence.tolist() == second.influence.tolist()


@given(seeds)
def test_the_order_of_exams_and_runs_changes_nothing(seed):
    scores, labels = draw(seed, runs=3)
    rng = stream(seed, "order")
    exams, runs = rng.permutation(labels.size), rng.permutation(3)
    first, second = auroc_merit(scores, labels), auroc_merit(scores[runs][:, exams], labels[exams])
    assert second.values == pytest.approx(first.values[runs])
    assert second.influence == pytest.approx(first.influence[runs][:, exams], abs=1e-12)


@given(seeds)
@example(236)  # the scores of one run separate the classes, so that the ridge bears the fit
def test_influences_of_a_run_add_up_to_zero(seed):
    scores, labels = draw(seed, shift=0.5)
    share = expit(scores)
    merits = [auroc_merit(scores, labels), mean_merit(scores), mean_merit(scores, labels)]
    merits += [probit(auroc_merit(scores, labels), labels), *calibration_merits(share, labels)]
    for merit in merits:
        largest = np.abs(merit.influence).max()
        assert merit.influence.sum(axis=1) == pytest.approx(np.zeros(2), abs=1e-3 * largest)


@pytest.mark.parametrize("label", [True, False])
def test_one_class_alone_has_no_auroc_and_no_calibration(label):
    scores, labels = np.full((2, 5), 0.5), np.full(5, label)
    assert auroc_merit(scores, labels) is None
    assert calibration_merits(scores, labels) is None


def test_a_class_of_one_exam_adds_no_variance():
    merit = auroc_merit(np.array([[0.5, 0.1, 0.4, 0.7]]), np.array([1, 0, 0, 0]) == 1)
    assert merit.influence[0, 0] == 0
    assert np.isfinite(merit.influence).all()


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30))
def test_variance_of_a_mean_is_the_textbooks(values):
    row = np.array([values])
    merit = mean_merit(row)
    assert merit.values[0] == pytest.approx(row.mean())
    assert (merit.influence**2).sum() == pytest.approx(row.var(ddof=1) / row.size, abs=1e-12)


def test_variance_of_a_mean_is_within_strata_whose_sizes_are_fixed():
    values, strata = np.array([[1.0, 0, 1, 1, 0, 0, 1, 0]]), np.array([1, 1, 1, 0, 0, 0, 0, 0]) == 1
    merit = mean_merit(values, strata)
    assert merit.values[0] == 0.5
    within = [values[0, strata], values[0, ~strata]]
    expected = sum(part.size * part.var(ddof=1) for part in within) / 64
    assert (merit.influence**2).sum() == pytest.approx(expected)
    # Were all positives right and all negatives wrong, other patients of the same numbers would be, too.
    assert not mean_merit(strata[None].astype(float), strata).influence.any()


def test_no_exam_has_no_mean_and_one_has_no_variance():
    assert mean_merit(np.empty((3, 0))) is None
    assert mean_merit(np.array([[0.7]])).influence.tolist() == [[0.0]]


@given(seeds)
def test_probit_is_the_normal_quantile_by_the_delta_method(seed):
    scores, labels = draw(seed)
    area = auroc_merit(scores, labels)
    found = probit(area, labels)
    step = 0.5 / (12 * 15)
    assert norm.cdf(found.values) == pytest.approx(np.clip(area.values, step, 1 - step))
    # A small change of the area by an exam changes its quantile by as much as the influence says.
    for run in range(2):
        if 0.02 < area.values[run] < 0.98:
            moved = norm.ppf(area.values[run] + 1e-4 * area.influence[run]) - found.values[run]
            assert found.influence[run] == pytest.approx(moved / 1e-4, rel=1e-2, abs=1e-4)


def test_a_perfect_auroc_has_a_probit_half_a_step_from_the_end():
    labels = np.array([True] * 4 + [False] * 5)
    scores = np.array([np.arange(9, 0, -1), np.arange(9)], dtype=float)
    found = probit(auroc_merit(scores, labels), labels)
    assert found.values == pytest.approx([norm.ppf(1 - 0.5 / 20), norm.ppf(0.5 / 20)])
    assert not found.influence.any()


def calibrated(seed, *, exams=400, intercept=0.0, slope=1.0):
    """Scores whose calibration is known: the label's logit is intercept + slope x the score's."""
    rng = stream(seed, "calibration")
    logits = rng.normal(0, 1.5, exams)
    labels = rng.random(exams) < expit(intercept + slope * logits)
    return expit(logits)[None], labels


@pytest.mark.parametrize(("intercept", "slope"), [(0.0, 1.0), (-1.0, 0.5), (0.7, 1.8)])
def test_calibration_is_scikit_learns_logistic_regression_without_a_penalty(intercept, slope):
    scores, labels = calibrated(1, intercept=intercept, slope=slope)
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(scores[0])[:, None], labels)
    ours = calibration_merits(scores, labels)
    assert ours[0].values[0] == pytest.approx(fit.intercept_[0], abs=1e-4)
    assert ours[1].values[0] == pytest.approx(fit.coef_[0, 0], abs=1e-4)
    assert ours[0].values[0] == pytest.approx(intercept, abs=0.35)
    assert ours[1].values[0] == pytest.approx(slope, abs=0.35)


def test_calibration_influences_are_derivatives_of_a_weighted_fit():
    scores, labels = calibrated(2, exams=40)
    x = logit(scores[0])[:, None]

    def fit(weights):
        model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000, solver="newton-cholesky")
        model.fit(x, labels, sample_weight=weights)
        return np.array([model.intercept_[0], model.coef_[0, 0]])

    slopes = derivatives(fit, labels.size, step=1e-3) * np.sqrt(40 / 39)
    ours = calibration_merits(scores, labels)
    assert ours[0].influence[0] == pytest.approx(slopes[:, 0], abs=2e-4)
    assert ours[1].influence[0] == pytest.approx(slopes[:, 1], abs=2e-4)


def test_calibration_stays_finite_where_scores_are_sure_or_separate_the_classes():
    scores = np.array([[0.0, 0.0, 1.0, 1.0], [0.1, 0.2, 0.8, 0.9]])
    intercept, slope = calibration_merits(scores, np.array([0, 0, 1, 1]) == 1)
    for merit in (intercept, slope):
        assert np.isfinite(merit.values).all()
        assert np.isfinite(merit.influence).all()
    assert (slope.values > 1).all()


def test_overconfident_scores_have_a_slope_below_one_and_high_ones_an_intercept_below_zero():
    scores, labels = calibrated(4, exams=4000)
    sure = expit(2 * logit(scores))
    high = expit(logit(scores) + 1)
    assert calibration_merits(sure, labels)[1].values[0] == pytest.approx(0.5, abs=0.05)
    assert calibration_merits(high, labels)[0].values[0] == pytest.approx(-1, abs=0.15)


def test_a_merit_keeps_runs_apart():
    scores, labels = draw(5, runs=3)
    whole = auroc_merit(scores, labels)
    for run in range(3):
        alone = auroc_merit(scores[run : run + 1], labels)
        assert isinstance(alone, Merit)
        assert whole.values[run] == alone.values[0]
        assert whole.influence[run].tolist() == alone.influence[0].tolist()
