"""Weighted sums of figures: against Obuchowski and Rockette's formulas, t-tests, and simulated campaigns."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from nameplate.stats.contrast import Contrast, Term, contrast
from nameplate.stats.influence import Merit, auroc_merit, mean_merit
from nameplate.streams import stream

seeds = st.integers(0, 10**6)


def names(count, of="p"):
    return [f"{of}{place}" for place in range(count)]


def cell(seed, *, runs=3, positives=14, negatives=17, level=0, shift=1.0):
    """Scores of a cell's runs on one level's exams, with a part that all runs of all cells share."""
    labels = np.arange(positives + negatives) < positives
    shared = stream(seed, "exams", level).normal(size=labels.size)
    own = stream(seed, "runs", level, shift).normal(size=(runs, labels.size))
    return shared + own + shift * labels, labels


def structural(scores, labels):
    """DeLong's components of each run by comparing pairs: (runs, positives) and (runs, negatives)."""
    wins = scores[:, labels][:, :, None] > scores[:, ~labels][:, None, :]
    return wins.mean(axis=2), wins.mean(axis=1)


def delong(first, second):
    """Covariance of two runs' AUROCs on the same exams."""
    return sum(np.cov(ours, theirs)[0, 1] / ours.size for ours, theirs in zip(first, second, strict=True))


def covariances(first, second):
    """DeLong's covariances of every run of one cell with every run of another."""
    return np.array([[delong(a, b) for b in zip(*second, strict=True)] for a in zip(*first, strict=True)])


def off_diagonal(matrix):
    return matrix[~np.eye(len(matrix), dtype=bool)].mean()


def auroc_term(seed, factor=1.0, of="cell", **changes):
    scores, labels = cell(seed, **changes)
    return Term(of, factor, auroc_merit(scores, labels), names(labels.size, f"{changes.get('level', 0)}-"))


@given(seeds)
def test_one_cell_is_obuchowski_and_rocketts_analysis_of_one_modality(seed):
    scores, labels = cell(seed, runs=4)
    found = contrast([auroc_term(seed, runs=4)])
    parts = structural(scores, labels)
    areas = parts[0].mean(axis=1)
    mean_square = areas.var(ddof=1)  # of readers
    shared = off_diagonal(covariances(parts, parts))
    assert found.value == pytest.approx(areas.mean())
    # Hillis 2007: the variance of the readers' mean is (MS(R) + r max(Cov2, 0)) / r, ...
    assert found.variance == pytest.approx((mean_square + 4 * max(shared, 0)) / 4)
    assert found.runs == pytest.approx(mean_square / 4)
    # ... and here the cases have degrees of freedom as well.
    cases = max(shared, 0)
    spread = (mean_square / 4) ** 2 / 3 + cases**2 / (labels.size - 1)
    assert found.df == pytest.approx((mean_square / 4 + cases) ** 2 / spread)


@given(seeds)
def test_a_difference_of_two_cells_is_written_out_with_every_covariance(seed):
    sizes = {"first": 3, "second": 5}
    shifts = {"first": 1.4, "second": 0.6}
    cells = {name: cell(seed, runs=sizes[name], shift=shifts[name]) for name in sizes}
    parts = {name: structural(*of) for name, of in cells.items()}
    terms = [
        Term(name, factor, auroc_merit(*cells[name]), names(31))
        for name, factor in (("first", 1.0), ("second", -1.0))
    ]
    found = contrast(terms)
    cases = sum(off_diagonal(covariances(parts[name], parts[name])) for name in sizes)
    cases -= 2 * covariances(parts["first"], parts["second"]).mean()
    of_runs = [parts[name][0].mean(axis=1).var(ddof=1) / sizes[name] for name in sizes]
    assert found.cases == pytest.approx(max(cases, 0), abs=1e-12)
    assert found.runs == pytest.approx(sum(of_runs))
    spread = of_runs[0] ** 2 / 2 + of_runs[1] ** 2 / 4 + found.cases**2 / 30
    assert found.df == pytest.approx(found.variance**2 / spread)
    assert found.kept == (3, 5)


@given(seeds)
def test_runs_of_a_cell_vary_together_on_two_levels(seed):
    """The variance over runs is that of each run's own difference, not of two unrelated means."""
    (ours, labels), (theirs, _) = cell(seed, runs=4), cell(seed, runs=4, level=1)
    found = contrast([auroc_term(seed, 1.0, runs=4), auroc_term(seed, -1.0, runs=4, level=1)])
    parts = structural(ours, labels), structural(theirs, labels)
    differences = parts[0][0].mean(axis=1) - parts[1][0].mean(axis=1)
    assert found.value == pytest.approx(differences.mean())
    assert found.runs == pytest.approx(differences.var(ddof=1) / 4)
    # Exams of different patients: their variances add.
    cases = sum(off_diagonal(covariances(part, part)) for part in parts)
    assert found.cases == pytest.approx(max(cases, 0), abs=1e-12)
    assert found.kept == (4,)


def dice_term(values, of="cell", factor=1.0, patients=None):
    values = np.asarray(values, dtype=float)
    return Term(of, factor, mean_merit(values), patients or names(values.shape[1]))


@given(seeds, st.integers(2, 6), st.integers(2, 6))
def test_where_only_runs_vary_it_is_welchs_t_test(seed, first, second):
    rng = stream(seed, "runs")
    ours, theirs = rng.normal(0, 1, first), rng.normal(1, 2, second)
    terms = [
        dice_term(np.repeat(ours[:, None], 5, axis=1), "first"),
        dice_term(np.repeat(theirs[:, None], 5, axis=1), "second", -1.0),
    ]
    found, test = contrast(terms), stats.ttest_ind(ours, theirs, equal_var=False)
    assert found.cases == pytest.approx(0)
    assert found.df == pytest.approx(test.df)
    assert found.p() == pytest.approx(test.pvalue)
    span = test.confidence_interval(0.95)
    assert found.interval(0.95) == pytest.approx((span.low, span.high))


def fixed(values):
    """Of these very runs: patients alone vary."""
    return contrast([dice_term(values)], runs_vary=False)


def test_patients_who_weigh_alike_are_all_degrees_of_freedom():
    assert fixed([[0.0, 1.0] * 20]).df == 39
    assert fixed([[0.0, 1.0]]).df == 1


def test_a_variance_that_few_patients_make_has_few_degrees_of_freedom():
    assert 2 < fixed([[0.0] * 39 + [1.0]]).df < 2.5
    assert 7 < fixed([[0.0] * 37 + [1.0] * 3]).df < 8


@given(seeds)
def test_normal_influences_have_about_as_many_degrees_of_freedom_as_patients(seed):
    df = fixed([stream(seed, "values").normal(size=4000)]).df
    assert 3000 < df < 4000


@given(st.lists(st.floats(-10, 10, allow_subnormal=False), min_size=2, max_size=40))
def test_degrees_of_freedom_stay_between_one_and_the_patients(values):
    found = fixed([values])
    if found.variance > 0:
        assert min(2, len(values) - 1) - 1e-6 <= found.df <= (len(values) - 1) * (1 + 1e-9)


def test_intervals_near_the_ceiling_hold_what_they_promise():
    """AUROC 97 % on 24 positives and 36 negatives: with as many degrees of freedom as patients, 92 %."""
    labels, apart = np.arange(60) < 24, math.sqrt(2) * stats.norm.ppf(0.97)
    held = []
    for table in range(600):
        scores = stream(table, "near the ceiling").normal(size=(2, 60)) + apart * labels
        terms = [
            Term(level, factor, auroc_merit(scores[level : level + 1], labels), names(60, f"{level}-"))
            for level, factor in ((0, 1.0), (1, -1.0))
        ]
        found = contrast(terms, runs_vary=False)
        if found.variance > 0:
            low, high = found.interval(0.95)
            held.append(low <= 0 <= high)
    assert len(held) > 590
    assert np.mean(held) > 0.93


@given(seeds)
def test_where_only_patients_vary_it_is_the_t_test_of_patients(seed):
    values = stream(seed, "patients").normal(0.5, 1, size=12)
    found, test = contrast([dice_term(np.tile(values, (3, 1)))]), stats.ttest_1samp(values, 0)
    assert found.runs == pytest.approx(0)
    assert found.df == pytest.approx(11)
    assert found.p() == pytest.approx(test.pvalue)
    span = test.confidence_interval(0.90)
    assert found.interval(0.90) == pytest.approx((span.low, span.high))


def test_the_noise_of_runs_on_exams_is_not_counted_twice():
    """Each run makes its own mistakes on the same exams: that is the runs' variance, not the patients'."""
    rng = stream(4, "own mistakes")
    cases, runs = [], []
    for _ in range(300):
        found = contrast([dice_term(rng.normal(size=(4, 30)))])
        cases.append(found.cases)
        runs.append(found.runs)
    assert np.mean(runs) == pytest.approx(1 / 30 / 4, rel=0.1)
    assert np.mean(cases) < 0.25 * np.mean(runs)
    assert min(cases) >= 0


# A patient with several exams.


@given(seeds)
def test_exams_of_one_patient_count_once(seed):
    values = stream(seed, "twice").normal(size=(3, 20))
    alone = contrast([dice_term(values)])
    patients = names(20)
    twice = contrast([dice_term(np.repeat(values, 2, axis=1), patients=[p for p in patients for _ in "ab"])])
    fooled = contrast([dice_term(np.repeat(values, 2, axis=1))])
    inflation = (40 / 39) / (20 / 19)  # n / (n - 1) of exams, not of patients
    total = alone.cases + alone.runs
    assert twice.value == pytest.approx(alone.value)
    assert twice.cases == pytest.approx(inflation * alone.cases, abs=0.03 * total)
    assert fooled.cases <= 0.6 * alone.cases + 0.03 * total
    assert twice.runs == pytest.approx(alone.runs)


def test_a_patient_scanned_on_both_levels_is_compared_with_himself():
    rng = stream(5, "pairs")
    heads = rng.normal(size=(1, 40))
    ours, theirs = (np.tile(heads + 0.1 * rng.normal(size=(1, 40)), (3, 1)) for _ in range(2))

    def difference(patients):
        return contrast([dice_term(ours), dice_term(theirs, factor=-1.0, patients=patients)])

    paired, apart = difference(names(40)), difference(names(40, "other"))
    assert paired.cases == pytest.approx(np.var(ours[0] - theirs[0], ddof=1) / 40)
    assert apart.cases == pytest.approx((np.var(ours[0], ddof=1) + np.var(theirs[0], ddof=1)) / 40)
    assert paired.cases < 0.05 * apart.cases


def test_variance_by_patient_is_that_of_patients_drawn_again():
    rng = stream(6, "clusters")
    patients = [p for p, count in zip(names(50), rng.integers(1, 5, 50), strict=True) for _ in range(count)]
    number = np.array([int(p[1:]) for p in patients])
    values = (rng.random(50) < 0.7).astype(float)[number] * (rng.random(number.size) < 0.9)
    found = contrast([dice_term(np.tile(values, (2, 1)), patients=patients)])
    sums = np.bincount(number, weights=values)
    counts = np.bincount(number)
    drawn = rng.multinomial(50, np.full(50, 1 / 50), size=20_000)
    assert found.cases == pytest.approx(np.var(drawn @ sums / (drawn @ counts)), rel=0.08)


# What may not matter.


def both(seed, runs=3):
    """A difference between two cells on two levels: four terms."""
    return [
        auroc_term(seed, factor, of, level=level, shift=shift, runs=runs)
        for of, shift, sign in (("first", 1.0, 1.0), ("second", 0.4, -1.0))
        for level, factor in ((0, sign), (1, -sign))
    ]


def same(first, second):
    assert second.value == pytest.approx(first.value, abs=1e-12)
    assert second.cases == pytest.approx(first.cases, abs=1e-14)
    assert second.runs == pytest.approx(first.runs, abs=1e-14)
    assert second.df == pytest.approx(first.df)


@given(seeds)
def test_the_order_of_runs_exams_and_terms_changes_nothing(seed):
    rng = stream(seed, "order")
    terms = both(seed)
    runs = {of: rng.permutation(3) for of in ("first", "second")}
    turned = []
    for term in terms:
        exams = rng.permutation(len(term.patients))
        merit = Merit(term.merit.values[runs[term.cell]], term.merit.influence[runs[term.cell]][:, exams])
        turned.append(replace(term, merit=merit, patients=[term.patients[e] for e in exams]))
    same(contrast(terms), contrast([turned[place] for place in rng.permutation(4)]))


@given(seeds)
def test_the_names_of_patients_and_cells_change_nothing(seed):
    terms = both(seed)
    renamed = [replace(t, cell=(t.cell, 7), patients=[f"x{p}" for p in t.patients]) for t in terms]
    same(contrast(terms), contrast(renamed))


@given(seeds, st.floats(-5, 5).filter(lambda factor: abs(factor) > 0.01))
def test_a_factor_scales_the_value_and_its_error_and_leaves_the_test(seed, factor):
    terms = both(seed)
    found = contrast(terms)
    scaled = contrast([replace(term, factor=factor * term.factor) for term in terms])
    assert scaled.value == pytest.approx(factor * found.value)
    assert scaled.cases == pytest.approx(factor**2 * found.cases)
    assert scaled.runs == pytest.approx(factor**2 * found.runs)
    assert scaled.df == pytest.approx(found.df)
    assert scaled.p() == pytest.approx(found.p())
    assert scaled.detectable(0.95) == pytest.approx(abs(factor) * found.detectable(0.95))


@given(seeds, st.floats(-100, 100))
def test_a_constant_added_to_all_scores_changes_no_contrast_of_aurocs(seed, constant):
    scores, labels = cell(seed)
    scores = np.round(scores, 3)
    first, second = (
        contrast([Term("cell", 1.0, auroc_merit(values, labels), names(labels.size))])
        for values in (scores, np.round(scores + round(constant, 3), 3))
    )
    same(first, second)


@given(seeds)
def test_a_term_in_two_halves_is_the_whole_term(seed):
    terms = both(seed)
    halves = [replace(term, factor=term.factor / 2) for term in terms for _ in range(2)]
    same(contrast(terms), contrast(halves))


@given(seeds)
def test_a_figure_minus_itself_is_nothing(seed):
    term = auroc_term(seed)
    found = contrast([term, replace(term, factor=-1.0)])
    assert (found.value, found.variance) == (0, pytest.approx(0))


# Intervals.


def test_one_run_in_a_cell_has_no_interval():
    found = contrast([auroc_term(1, runs=3), auroc_term(1, -1.0, "other", runs=1, shift=0.5)])
    assert found.kept == (3, 1)
    assert found.df is None
    nothing = (found.interval(0.95), found.p(), found.detectable(0.95), found.detectable_with(0.95, runs=2))
    assert (*nothing, found.run_share) == (None,) * 5
    assert math.isfinite(found.value)


@pytest.mark.parametrize("value", [0.5, 0.1, 0.7, 0.9123456])
def test_where_nothing_varies_nothing_is_tested(value):
    """Neither what rounding leaves of a mean nor of a difference is a variance."""
    values = np.full((3, 7), value)
    for terms in ([dice_term(values)], [dice_term(values), dice_term(values / 3, "other", -3.0)]):
        found = contrast(terms)
        assert found.variance == 0
        assert found.interval(0.95) == (found.value, found.value)
        assert (found.p(), found.run_share) == (None, None)


FOUND = Contrast(value=0.3, cases=0.01, runs=0.03, df=5.0, kept=(3, 4))


def test_interval_p_and_detectable_value_are_students():
    error, t = 0.2, stats.t(5)
    assert FOUND.variance == pytest.approx(0.04)
    assert FOUND.interval(0.95) == pytest.approx((0.3 - 2.5706 * error, 0.3 + 2.5706 * error), abs=1e-4)
    assert FOUND.p() == pytest.approx(2 * t.sf(1.5))
    assert FOUND.detectable(0.95) == pytest.approx((t.ppf(0.975) + t.ppf(0.80)) * error)
    assert FOUND.run_share == pytest.approx(0.75)


@given(st.floats(0.55, 0.999))
def test_p_is_where_the_interval_ends_at_zero(confidence):
    low, _ = FOUND.interval(confidence)
    assert (low > 0) == (FOUND.p() < 1 - confidence)
    assert FOUND.interval(1 - FOUND.p())[0] == pytest.approx(0, abs=1e-9)


def test_more_runs_lower_the_runs_part_and_more_patients_theirs():
    reach = stats.t(5).ppf(0.975) + stats.t(5).ppf(0.80)
    assert FOUND.detectable_with(0.95) == pytest.approx(FOUND.detectable(0.95))
    assert FOUND.detectable_with(0.95, runs=3) == pytest.approx(reach * math.sqrt(0.01 + 0.01))
    assert FOUND.detectable_with(0.95, patients=2) == pytest.approx(reach * math.sqrt(0.005 + 0.03))


def test_what_is_called_detectable_is_found_in_four_campaigns_of_five():
    rng = stream(7, "power")
    count = 2000
    runs = rng.normal(0, 1, size=(count, 6))
    size = contrast([dice_term(np.repeat(stats.norm.ppf((np.arange(6) + 0.5) / 6)[:, None], 4, axis=1))])
    effect = size.detectable(0.95) / math.sqrt(size.runs) / math.sqrt(6)
    tested = [contrast([dice_term(np.repeat(row[:, None], 4, axis=1) + effect)]).p() < 0.05 for row in runs]
    assert np.mean(tested) == pytest.approx(0.80, abs=0.04)


def campaign(rng, effect=0.0):
    """Two cells of four runs on the same 40 exams; runs, exams, and exams for one cell alone vary."""
    exams, own = rng.normal(0, 1.0, 40), rng.normal(0, 0.7, (2, 40))
    runs, noise = rng.normal(0, 0.25, (2, 4, 1)), rng.normal(0, 0.7, (2, 4, 40))
    first, second = exams + own[:, None, :] + runs + noise
    return [dice_term(first + effect, "first"), dice_term(second, "second", -1.0)]


def test_intervals_hold_other_runs_and_other_patients_as_often_as_they_say():
    held = only_patients = 0
    for number in range(600):
        found = contrast(campaign(stream(9, "coverage", number), effect=0.4))
        low, high = found.interval(0.95)
        held += low <= 0.4 <= high
        reach = 1.96 * math.sqrt(found.cases)
        only_patients += abs(found.value - 0.4) <= reach
    assert 0.93 <= held / 600 <= 0.985
    assert only_patients / 600 < 0.85


def test_p_is_even_when_nothing_differs():
    values = [contrast(campaign(stream(10, "null", number))).p() for number in range(600)]
    shares = np.histogram(values, bins=5, range=(0, 1))[0] / len(values)
    assert np.abs(shares - 0.2).max() < 0.06
    assert 0.02 < np.mean(np.array(values) < 0.05) < 0.07


def test_the_published_comparison_of_two_aurocs_of_different_patients():
    """pROC's documentation: AUROCs of 41 against 72, their variances, D = 1.43490640926908, p = 0.15283."""
    terms = []
    for sign, wins, variance in ((1.0, 4863, 0.00146991470882363), (-1.0, 4318, 0.00266868245717244)):
        influence = np.full((2, 113), math.sqrt(variance / 113)) * np.where(np.arange(113) % 2, 1, -1)
        merit = Merit(np.full(2, wins / (2 * 41 * 72)), influence)
        terms.append(Term(wins, sign, merit, names(113, str(wins))))
    found = contrast(terms)
    assert found.value / math.sqrt(found.variance) == pytest.approx(1.43490640926908)
    assert found.p() == pytest.approx(0.15283, abs=2e-4)
