"""The three words of a control: holds, fails, cannot tell."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate_evaluation import control as module
from nameplate_evaluation import published
from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.control import checks_of
from nameplate_evaluation.measure import Estimate


def naming(complete, *, auroc, exams=160, runs=3):
    """The campaign with a null control of naming whose runs have this expected AUROC on so many exams."""
    rng = np.random.default_rng(11)
    distance = {0.5: 0.0, 0.65: 0.545, 0.95: 2.33}[auroc]
    cells = []
    for cell in complete.cells:
        if cell.key[:2] != ("naming", "twins"):
            continue
        rows = [row for row in next(iter(cell.predictions.values())) if row.split == "test"]
        rows = [
            rows[n % len(rows)].model_copy(
                update={"exam": f"n{n:04d}", "patient": f"n{n:04d}", "label": n % 2}
            )
            for n in range(exams)
        ]
        shared = rng.normal(size=exams)
        predictions = {}
        for seed in range(runs):
            noise = 0.9 * shared + 0.43 * rng.normal(size=exams)
            predictions[seed] = tuple(
                row.model_copy(update={"score": float(1 / (1 + np.exp(-(distance * row.label + z))))})
                for row, z in zip(rows, noise, strict=True)
            )
        selection = cell.selection.model_copy(update={"kept": tuple(range(runs))})
        cells.append(replace(cell, rounds=(selection,), predictions=predictions))
    return analyse(replace(complete, cells=tuple(cells), cohorts=()))


@pytest.mark.parametrize(
    ("auroc", "exams", "verdicts"),
    [
        (0.5, 600, {"holds"}),
        (0.5, 36, {"cannot tell"}),  # the interval contains 0.5, as it would that of a leak
        (0.65, 36, {"cannot tell", "fails"}),  # one group each
        (0.65, 600, {"fails"}),
        (0.95, 36, {"fails"}),
    ],
)
def test_naming_holds_only_if_a_leak_is_excluded_and_fails_only_if_chance_is(
    complete, auroc, exams, verdicts
):
    checks = checks_of(naming(complete, auroc=auroc, exams=exams))
    assert {check.verdict for check in checks} == verdicts
    for check in checks:
        assert (check.metric, check.expected, check.role) == ("naming", "0.5", "null-control")
        if check.verdict == "holds":
            assert 0.4 <= check.estimate.low <= 0.5 <= check.estimate.high <= 0.6


def test_one_run_of_naming_cannot_tell(complete):
    assert {c.verdict for c in checks_of(naming(complete, auroc=0.95, exams=600, runs=1))} == {"cannot tell"}


def pending(role="null-control", metric="auroc", at_most=0.06, at_ceiling=False):
    return module._Pending(
        grid=None, role=role, metric=metric, what="", group=0, parts=(), at_most=at_most,
        at_ceiling=at_ceiling,
    )  # fmt: skip


def found(low, high, detectable=0.05, p=0.5):
    return Estimate(
        mean=0.0 if low is None else (low + high) / 2, low=low, high=high, models=6, exams=80,
        detectable=detectable, p=p,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (found(0.41, 0.59), "holds"),
        (found(0.40, 0.60), "holds"),
        (found(0.39, 0.59), "cannot tell"),
        (found(0.41, 0.61), "cannot tell"),
        (found(0.28, 0.65), "cannot tell"),
        (found(0.501, 0.55), "fails"),
        (found(0.45, 0.499), "fails"),
        (found(None, None, p=None), "cannot tell"),
        (None, "cannot tell"),
    ],
)
def test_naming_verdicts_at_their_edges(estimate, verdict):
    assert pending(metric="naming", at_most=0.10)._verdict(estimate) == verdict


@pytest.mark.parametrize(
    ("estimate", "changes", "verdict"),
    [
        (found(-0.02, 0.03, detectable=0.06), {}, "holds"),
        (found(-0.02, 0.03, detectable=0.0601), {}, "cannot tell"),
        (found(-0.02, 0.03), {"at_ceiling": True}, "cannot tell"),
        (found(0.001, 0.03), {}, "fails"),
        (found(-0.03, -0.001), {}, "fails"),
        (found(None, None, detectable=None, p=None), {}, "cannot tell"),
    ],
)
def test_a_null_advantage_holds_only_if_an_effect_would_have_been_found(estimate, changes, verdict):
    assert pending(**changes)._verdict(estimate) == verdict


@pytest.mark.parametrize(
    ("estimate", "verdict"),
    [
        (found(0.001, 0.03), "holds"),
        (found(0.0, 0.03), "fails"),  # smaller than it must be
        (found(0.0, 0.06), "cannot tell"),
        (found(-0.2, 0.3), "cannot tell"),
        (found(-0.2, -0.1), "fails"),
        (None, "cannot tell"),
    ],
)
def test_a_positive_control_holds_if_it_was_found(estimate, verdict):
    assert pending(role="positive-control")._verdict(estimate) == verdict


def test_every_control_of_a_campaign_is_checked(plant):
    analysis = analyse(
        plant(own=(6, 4, 3.4), other=(5.6, 2.4, 0.8), controls={"null-control": 0.0, "positive-control": 1.0})
    )
    null, positive = checks_of(analysis)
    assert (null.role, null.grid.cohort, null.expected, null.verdict) == (
        "null-control", "null-control", "0", "holds",
    )  # fmt: skip
    assert (positive.role, positive.expected, positive.verdict) == ("positive-control", "above 0", "holds")
    assert null.what == positive.what == "own-manufacturer advantage in AUROC"
    assert (null.trained, null.kept) == (30, 24)  # five runs of six cells, four of each kept
    assert null.controls == "spheres"


def test_a_planted_difference_that_is_not_found_fails_or_cannot_be_told(plant):
    controls = {"null-control": 0.0, "positive-control": 0.0}
    wide = analyse(plant(own=(3, 2.5, 2), other=(2, 1.5, 0.5), noise=3, exams=20, runs=2, controls=controls))
    narrow = analyse(plant(own=(3, 2.5, 2), other=(2, 1.5, 0.5), controls=controls))
    assert checks_of(wide)[1].verdict == "cannot tell"
    assert checks_of(narrow)[1].verdict == "fails"


def test_a_null_control_that_finds_an_effect_fails(plant):
    analysis = analyse(plant(own=(3, 2.5, 2), other=(2, 1.5, 0.5), controls={"null-control": 1.0}))
    assert [check.verdict for check in checks_of(analysis)] == ["fails"]


def test_a_null_control_must_be_able_to_tell_the_studys_own_effect_or_the_papers(plant):
    """The same control tells 11 points, and cannot tell 3."""
    large = analyse(plant(own=(3, 2.5, 2), other=(2, 1.5, 0.5)))
    assert checks_of(large)[0].verdict == "holds"
    (study,) = large.of_task("spheres")
    assert module._reference(large, study, "auroc") == pytest.approx(
        advantage_of(large, study, "auroc").overall.mean
    )
    nothing = analyse(plant(own=(3, 2.5, 2)))
    (study,) = nothing.of_task("spheres")
    assert module._reference(nothing, study, "auroc") == published.mean_advantage("auroc")
    assert module._reference(nothing, study, "dice") == 0.01  # the margin


def test_intervals_of_null_controls_are_widened_for_their_number(complete):
    """Five per cent are shared by three checks: two groups of naming, one advantage."""
    analysis = analyse(complete)
    checks = [check for check in checks_of(analysis) if check.role == "null-control"]
    assert len(checks) == 3
    (grid,) = analysis.of_task("spheres", "null-control")
    alone = advantage_of(analysis, grid, "auroc")
    widened = module.combine(alone.overall_parts, 1 - 0.05 / 3, ceiling=False)
    assert (checks[2].estimate.low, checks[2].estimate.high) == (widened.low, widened.high)
    assert widened.high - widened.low > alone.overall.high - alone.overall.low


def test_a_positive_control_is_not_widened(plant):
    controls = {"null-control": 0.0, "positive-control": 1.0}
    analysis = analyse(plant(own=(3, 2.5, 2), other=(2, 1.5, 0.5), controls=controls))
    (grid,) = analysis.of_task("spheres", "positive-control")
    assert checks_of(analysis)[1].estimate == advantage_of(analysis, grid, "auroc").overall


def test_a_control_without_kept_runs_cannot_tell_and_widens_nothing(complete):
    cells = []
    for cell in complete.cells:
        if cell.key[:2] == ("naming", "twins"):
            selection = cell.selection.model_copy(update={"kept": ()})
            cell = replace(cell, rounds=(selection,), predictions={})
        cells.append(cell)
    first, second, third = checks_of(analyse(replace(complete, cells=tuple(cells))))
    for check in (first, second):
        assert (check.estimate, check.verdict, check.kept) == (None, "cannot tell", 0)
        assert check.trained > 0
    analysis = third.grid
    assert analysis.cohort == "twins"
    assert third.estimate.holds(0.0)


def test_an_experiment_without_single_level_arms_has_nothing_to_check(plant):
    analysis = analyse(plant(training_sets=["mixed"], arms=[]))
    assert checks_of(analysis) == ()


def test_segmentation_is_checked_in_dice(complete, make):
    """With the null control among the cohorts of segmentation."""
    campaign = complete.campaign
    role = campaign.cohorts["main"].model_copy(update={"role": "null-control"})
    analysis = analyse(
        replace(
            complete,
            campaign=campaign.model_copy(update={"cohorts": {**campaign.cohorts, "main": role}}),
        )
    )
    dice = [check for check in checks_of(analysis) if check.metric == "dice"]
    assert [check.what for check in dice] == ["own-manufacturer advantage in Dice"]
