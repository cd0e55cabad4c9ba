"""The ten errors of the first analysis, E1 to E10: each test would have failed on it.

E1   a patient with exams of two levels was a stratum of its own, and strata of one patient never vary
E2   variances lacked n / (n - 1)
E3   runs and exams were counted once for each part of a sum
E4   p came from the normal distribution, with the runs taken as fixed
E5   a level's difficulty and its worth for training were said to cancel; they do on one scale alone
E6   the demo kept the best two of three runs, in the null control too
E7   no shipped campaign ran the null control of the advantage
E8   a difference of 0.0009 Dice between two runs each was announced as an effect
E9   a null control "held" whenever its interval contained the expected value, however wide
E10  at the ceiling, a difference was printed as 0.0 (0.0 to 0.0)
"""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from nameplate.campaign import load_campaign
from nameplate_evaluation.advantage import advantage_of, advantages_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.control import checks_of
from nameplate_evaluation.findings import findings_of
from nameplate_evaluation.measure import AT_CEILING, combine, contrast_of, measure
from nameplate_evaluation.table import interval

CAMPAIGNS = sorted((Path(__file__).parents[3] / "campaigns").glob("*.yaml"))


def grid_of(analysis, task="spheres", role="study"):
    return analysis.of_task(task, role)[0]


def by_run(rows, runs=3):
    """The same row for every run: the runs do not differ."""
    return [list(rows)] * runs


def test_e1_a_patient_with_exams_of_two_levels_varies_like_any_other(scored):
    """Of 30 patients, six were scanned on both levels, and only their answers differ between the levels."""
    right, wrong = 0.9, 0.1
    patients = [f"p{n}" for n in range(30)]
    gap = []
    for factor, level, score in ((1.0, "GE", right), (-1.0, "Siemens", wrong)):
        own = [f"{p}-{level}" if n >= 6 else p for n, p in enumerate(patients)]
        row = [score if n < 6 else right for n in range(30)]
        gap.append(
            (factor, measure("cell", "sensitivity", scored(by_run(row), [1] * 30, level=level, patients=own)))
        )
    found = contrast_of(gap)
    assert found.value == pytest.approx(6 / 30)
    # On Siemens 24 of 30 are right; the patients are drawn again with all their exams.
    assert found.cases == pytest.approx(6 / 30 * 24 / 30 / 29)
    assert combine(gap, 0.95, ceiling=False).holds(0.0) is False


def test_e1_twice_scanned_patients_count_as_one_in_a_difference(plant):
    apart = analyse(plant(own=(1.0,), runs=3, noise=0.1, run_sd=0.0))
    both = analyse(plant(own=(1.0,), runs=3, noise=0.1, run_sd=0.0, twice=40))
    variances = []
    for analysis in (apart, both):
        grid = grid_of(analysis)
        gap = [
            (1.0, grid.measured("easy", "GE", "GE", "auroc")),
            (-1.0, grid.measured("easy", "GE", "Siemens", "auroc")),
        ]
        variances.append(contrast_of(gap).cases)
    assert variances[1] < 0.3 * variances[0]


def test_e2_eighteen_exams_have_the_standard_error_of_a_sample(scored):
    scores = np.linspace(0.2, 0.9, 18)
    found = contrast_of([(1.0, measure("cell", "dice", scored(by_run(scores), [1] * 18)))])
    assert math.sqrt(found.variance) == pytest.approx(np.std(scores, ddof=1) / math.sqrt(18))
    assert math.sqrt(found.variance) == pytest.approx(np.std(scores) / math.sqrt(18) * 1.029, rel=1e-3)


def test_e3_runs_and_exams_of_a_sum_are_those_that_there_are(plant):
    """Two training sets of four runs each on 40 exams of each level: four parts a task."""
    analysis = analyse(plant(own=(2.0, 1.5), other=(1.5, 1.0)))
    found = advantage_of(analysis, grid_of(analysis), "auroc")
    for task in ("easy", "medium"):
        one = combine(found.parts[task], 0.95)
        assert (one.models, one.exams) == (8, 80)
    assert (found.overall.models, found.overall.exams) == (16, 80)


def test_e4_where_runs_alone_vary_a_difference_is_tested_by_welch(scored):
    ours, theirs = [0.80, 0.84, 0.82], [0.79, 0.70, 0.75]
    parts = [
        (factor, measure(name, "dice", scored([[value] * 20 for value in values], [1] * 20)))
        for factor, name, values in ((1.0, "first", ours), (-1.0, "second", theirs))
    ]
    found, test = combine(parts, 0.95), stats.ttest_ind(ours, theirs, equal_var=False)
    span = test.confidence_interval(0.95)
    assert found.p == pytest.approx(test.pvalue)
    assert (found.low, found.high) == (pytest.approx(span.low), pytest.approx(span.high))
    # By the normal distribution, three runs each would have been enough.
    assert 2 * stats.norm.sf(abs(test.statistic)) < 0.05 < found.p


def with_main_effects(results):
    """Siemens is worse to learn from and harder to test on; whether the two are alike makes no difference.

    The logits of each level's positives and of its negatives are at even quantiles of a normal.
    """
    worth = {"GE": 0.5, "Siemens": -0.5}
    cells = []
    for cell in results.cells:
        predictions = {}
        for seed, rows in cell.predictions.items():
            made = []
            for level in ("GE", "Siemens"):
                apart = 1.25 + worth[cell.cell.training_set] + worth[level]
                for label in (1, 0):
                    of = [r for r in rows if (r.level, r.label, r.split) == (level, label, "test")]
                    even = stats.norm.ppf((np.arange(len(of)) + 0.5) / len(of))
                    scores = stats.logistic.cdf(even + apart * (label - 0.5))
                    made += [
                        r.model_copy(update={"score": float(x)}) for r, x in zip(of, scores, strict=True)
                    ]
            predictions[seed] = tuple(made)
        cells.append(replace(cell, predictions=predictions))
    return replace(results, cells=tuple(cells))


def test_e5_two_effects_without_interaction_are_none_in_probit_and_points_in_auroc(plant):
    analysis = analyse(with_main_effects(plant(own=(1.0,), exams=400, runs=2)))
    grid = grid_of(analysis)
    assert advantage_of(analysis, grid, "auroc").overall.mean < -0.04
    assert advantage_of(analysis, grid, "probit").overall.mean == pytest.approx(0, abs=0.02)


@pytest.fixture(scope="module", params=CAMPAIGNS, ids=lambda path: path.name)
def shipped(request):
    """Each campaign that is shipped."""
    return load_campaign(request.param)


def test_e6_shipped_campaigns_keep_every_run_that_converged(shipped):
    assert {one.name: one.rounds.keep for one in shipped.experiments} == {
        one.name: "all" for one in shipped.experiments
    }
    assert {one.choose_on for one in shipped.experiments} == {"all"}


def test_e7_every_question_of_a_shipped_campaign_has_a_null_control_in_its_experiment(shipped):
    """An experiment asks one if it compares the levels: by naming them, or with a training set of each."""
    roles = {name: cohort.role for name, cohort in shipped.cohorts.items()}
    asking = [
        one
        for one in shipped.experiments
        if "study" in {roles[name] for name in one.cohorts}
        and (one.task == "factor" or {arm.own_level for arm in one.all_arms} >= set(shipped.factor.levels))
    ]
    assert {one.task for one in asking} == {"factor", "spheres", "segmentation"}
    for one in asking:
        assert "null-control" in {roles[name] for name in one.cohorts}, one.name


def test_e8_a_tiny_difference_in_dice_of_two_runs_is_no_effect(complete):
    """0.0009 on average; the runs of one cell differ by as much."""
    cells = []
    for cell in complete.cells:
        if cell.key[0] != "segmentation":
            continue
        rows = next(iter(cell.predictions.values()))

        def dice(row, run, trained=cell.key[3]):
            own = 0.0009 * (row.level == trained)
            return 0.975 + 0.004 * np.sin(int(row.exam[-4:])) + own + 0.0008 * run * (row.level == "GE")

        predictions = {
            run: tuple(row.model_copy(update={"score": float(dice(row, run))}) for row in rows)
            for run in (0, 1)
        }
        selection = cell.selection.model_copy(update={"kept": (0, 1)})
        cells.append(replace(cell, rounds=(selection,), predictions=predictions))
    analysis = analyse(replace(complete, cells=tuple(cells)))
    (one,) = advantages_of(analysis, analysis.grids)
    assert one.overall.mean == pytest.approx(0.0009)
    assert one.overall.low < 0 < one.overall.high
    (line,) = [x for x in findings_of(analysis, None, (one,)) if x.startswith("In brain segmentation")]
    span = interval(one.overall, "dice points")
    assert line == f"In brain segmentation the advantage is +0.001 Dice ({span}): within ±0.01."


def naming(complete, scores_of):
    """The campaign with scores of its null control of naming, by cell."""
    cells = []
    for cell in complete.cells:
        if cell.key[:2] == ("naming", "twins"):
            predictions = {
                seed: tuple(
                    row.model_copy(update={"score": float(score)})
                    for row, score in zip(rows, scores_of(rows, seed), strict=True)
                )
                for seed, rows in cell.predictions.items()
            }
            cells.append(replace(cell, predictions=predictions))
    return analyse(replace(complete, cells=tuple(cells)))


def test_e9_an_interval_that_holds_almost_anything_does_not_hold(make):
    few = make(exams=96, with_examples=False)
    checks = [check for check in checks_of(analyse(few)) if check.metric == "naming"]
    assert len(checks) == 2
    for check in checks:
        assert check.estimate.holds(0.5)
        assert check.estimate.high - check.estimate.low > 0.2
        assert check.verdict == "cannot tell"


def test_e9_a_leak_is_never_called_holds(complete):
    """Labels that the scores betray a little: AUROC 0.65."""

    def leaking(rows, seed):
        rng = np.random.default_rng(seed)
        return 1 / (1 + np.exp(-(0.55 * np.array([row.label for row in rows]) + rng.normal(size=len(rows)))))

    checks = checks_of(naming(complete, leaking))
    assert {check.verdict for check in checks} <= {"fails", "cannot tell"}


def test_e10_a_difference_at_the_ceiling_has_no_interval_and_says_why(plant, quick_report):
    results = plant(own=(40, 2.0), other=(40, 1.0), runs=3)
    analysis = analyse(results)
    grid = grid_of(analysis)
    easy = advantage_of(analysis, grid, "auroc").by_task["easy"]
    assert (easy.mean, easy.low, easy.high, easy.p, easy.note) == (0, None, None, None, AT_CEILING)
    page = quick_report(results)["index.html"].decode()
    assert "0.0 to 0.0" not in page
    start = page.index("By task the advantage in AUROC")
    assert "0.0 on easy (at the ceiling)" in page[start : page.index("</li>", start)]
