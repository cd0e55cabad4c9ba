"""What may be claimed: every kind on made-up campaigns, and the gates one by one on made-up numbers."""

from dataclasses import replace

import pytest

from nameplate_evaluation import claim as module
from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.claim import claim_of, main_grid
from nameplate_evaluation.measure import AT_CEILING, Estimate

KINDS = {
    "bias and growth": {"own": (6, 4, 3.4), "other": (5.6, 2.4, 0.8)},
    "bias and growth in points": {"own": (3.4, 3.2, 3.0), "other": (2.2, 2.0, 1.8)},
    "bias": {"own": (3.4, 2.8, 2.2), "other": (1.6, 1.5, 1.4)},
    "small": {"own": (3, 2.5, 2), "exams": 100, "noise": 0.1, "run_sd": 0.02},
    "none": {"own": (3, 2.5, 2), "run_sd": 0.5, "noise": 1},
    "negative": {"own": (2, 2, 2), "other": (3, 3, 3)},
    "at the ceiling": {"own": (30, 30, 30), "other": (25, 25, 25)},
    "one run": {"own": (3, 2.5, 2), "other": (2, 1.5, 0.5), "runs": 1},
}


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_of_claim_is_that_of_a_campaign_of_known_truth(plant, ask, kind):
    found = ask(plant(**KINDS[kind])).claim
    assert found.kind == kind
    assert found.made == kind.startswith("bias")
    assert found.answers == (kind not in ("one run", "at the ceiling"))


def estimate(low, high, **changes):
    """An estimate in the middle of its interval."""
    values = {"p": 0.01, "detectable": 0.01, "models": 8, "exams": 80} | changes
    middle = 0.0 if low is None else (low + high) / 2
    return Estimate(mean=middle, low=low, high=high, **values)


GROWS, FLAT = estimate(0.01, 0.09), estimate(-0.01, 0.07)
QUIET = estimate(-0.02, 0.03)


@pytest.fixture
def judge(plant, monkeypatch):
    """Judge made-up numbers: of A, of G in points and in probit, and of A in the null controls."""
    analysis = analyse(plant(controls={"null-control": 0, "null-control-2": 0, "positive-control": 1}))

    def judged(overall, growth=GROWS, probit=GROWS, controls=(QUIET,), **changes):
        def made(analysis, grid, metric, **_):
            real = advantage_of(analysis, grid, metric)
            if analysis.role(grid.cohort) == "null-control":
                place = ("null-control", "null-control-2").index(grid.cohort)
                return replace(real, overall=controls[place]) if place < len(controls) else None
            return replace(real, overall=overall, growth=probit if metric == "probit" else growth, **changes)

        monkeypatch.setattr(module, "advantage_of", made)
        return claim_of(analysis, main_grid(analysis))

    return judged


def test_bias_needs_a_lower_end_above_zero(judge):
    assert judge(estimate(0.0001, 0.1)).kind == "bias and growth"
    assert judge(estimate(0.0, 0.1)).kind == "none"
    assert judge(estimate(-0.0001, 0.1)).kind == "none"


def test_growth_alone_starts_no_claim(judge):
    assert judge(estimate(-0.01, 0.08), growth=estimate(0.05, 0.5), probit=estimate(0.5, 2)).kind == "none"


@pytest.mark.parametrize(
    ("growth", "probit", "kind"),
    [
        (GROWS, GROWS, "bias and growth"),
        (GROWS, FLAT, "bias and growth in points"),
        (GROWS, None, "bias and growth in points"),
        (GROWS, estimate(-0.5, -0.1), "bias and growth in points"),
        (FLAT, GROWS, "bias"),
        (FLAT, FLAT, "bias"),
        (None, None, "bias"),
        (estimate(-0.2, -0.1), estimate(-0.5, -0.1), "bias"),
        (estimate(0.0, 0.1), GROWS, "bias"),
        (GROWS, estimate(0.0, 0.1), "bias and growth in points"),
    ],
)
def test_growth_needs_both_scales(judge, growth, probit, kind):
    assert judge(estimate(0.02, 0.1), growth=growth, probit=probit).kind == kind


def test_negative_needs_an_upper_end_below_zero(judge):
    assert judge(estimate(-0.1, -0.0001)).kind == "negative"
    assert judge(estimate(-0.1, 0.0)).kind == "none"


def test_small_needs_the_90_percent_interval_within_the_margin_of_the_campaign(plant, ask):
    """The 95 % interval of this campaign is wider than the margin in one case, the 90 % one is not."""
    results = plant(**KINDS["small"])
    analysis = analyse(results)
    advantage = advantage_of(analysis, main_grid(analysis), "auroc")
    narrow = module.combine(advantage.overall_parts, 0.90, ceiling=False)
    wide = max(abs(advantage.overall.low), abs(advantage.overall.high))
    edge = max(abs(narrow.low), abs(narrow.high))
    for margin, kind in (((edge + wide) / 2, "small"), (edge + 1e-6, "small"), (edge - 1e-6, "none")):
        with_margin = plant(**KINDS["small"], analysis={"margin": {"auroc": float(margin)}})
        assert ask(with_margin).claim.kind == kind


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (-0.019, 0.019, "small"),
        (-0.021, 0.019, "none"),
        (-0.019, 0.021, "none"),
        (-0.02, 0.019, "none"),
        (-0.019, 0.02, "none"),
    ],
)
def test_small_is_within_the_margin_on_both_sides(judge, monkeypatch, low, high, kind):
    monkeypatch.setattr(module, "combine", lambda *_, **__: estimate(low, high))
    assert judge(estimate(-0.03, 0.03)).kind == kind


def test_where_every_task_is_at_the_ceiling_no_difference_is_shown_to_be_small(judge):
    easy = {"easy": estimate(None, None, note=AT_CEILING)}
    tiny = estimate(-0.001, 0.001)
    assert judge(tiny, by_task=easy).kind == "at the ceiling"
    assert judge(tiny, by_task={**easy, "hard": tiny}).kind != "at the ceiling"
    # An effect that shows in spite of the ceiling is an effect.
    assert judge(estimate(0.02, 0.1), by_task=easy).kind == "bias and growth"


def test_without_an_interval_there_is_no_claim(judge):
    assert judge(estimate(None, None, note="one run")).kind == "one run"
    assert judge(estimate(None, None, note="nothing varies")).kind == "at the ceiling"


# The null control of the same experiment.


@pytest.mark.parametrize(
    ("control", "controlled"),
    [
        (estimate(-0.02, 0.03, detectable=0.05), True),
        (estimate(-0.02, 0.03, detectable=0.06), True),  # as large as what is claimed
        (estimate(-0.02, 0.03, detectable=0.0601), False),  # it could not have found as much
        (estimate(0.01, 0.03, detectable=0.02), False),  # it found something itself
        (estimate(-0.03, -0.01, detectable=0.02), False),
        (estimate(None, None, detectable=None, p=None), False),
    ],
)
def test_a_claim_is_controlled_by_a_null_control_that_could_have_shown_it_and_did_not(
    judge, control, controlled
):
    found = judge(estimate(0.02, 0.1), controls=(control,))
    assert found.controlled is controlled
    assert [one.overall for one in found.controls] == [control]
    assert found.made


def test_of_two_null_controls_none_may_have_found_something(judge):
    assert judge(estimate(0.02, 0.1), controls=(QUIET, QUIET)).controlled
    assert not judge(estimate(0.02, 0.1), controls=(QUIET, estimate(0.001, 0.03))).controlled
    # One that could tell is enough.
    blind = estimate(-0.2, 0.2, detectable=0.3)
    assert judge(estimate(0.02, 0.1), controls=(blind, QUIET)).controlled


def test_without_a_null_control_nothing_is_controlled(judge):
    found = judge(estimate(0.02, 0.1), controls=())
    assert (found.controlled, found.controls) == (False, ())


def test_a_null_control_whose_tasks_are_all_at_the_ceiling_could_have_shown_nothing(plant, ask):
    found = ask(plant(own=(6, 4, 3.4), other=(5.6, 2.4, 0.8)))
    assert found.claim.controlled
    cells = [
        replace(cell, predictions={seed: perfect(rows) for seed, rows in cell.predictions.items()})
        if cell.cell.cohort == "null-control"
        else cell
        for cell in found.analysis.results.cells
    ]
    again = ask(replace(found.analysis.results, cells=tuple(cells)))
    assert again.claim.kind == "bias and growth"
    assert not again.claim.controlled


def perfect(rows):
    """All right but for one exam, so that something varies."""
    lowest = min(row.exam for row in rows if row.label and row.split == "test")
    return tuple(
        row.model_copy(update={"score": 0.4 if row.exam == lowest else 0.2 + 0.6 * row.label}) for row in rows
    )


def test_a_control_of_another_experiment_does_not_count(complete, ask):
    """Naming has a null control, too; of segmentation, nobody asks here."""
    found = ask(complete).claim
    assert [(one.grid.experiment.name, one.grid.cohort) for one in found.controls] == [("spheres", "twins")]
    campaign = complete.campaign
    alone = tuple(
        one.model_copy(update={"cohorts": ("main",)}) if one.name == "spheres" else one
        for one in campaign.experiments
    )
    cells = tuple(c for c in complete.cells if c.key[:2] != ("spheres", "twins"))
    without = replace(complete, campaign=campaign.model_copy(update={"experiments": alone}), cells=cells)
    assert ask(without).claim.controls == ()
    assert not ask(without).claim.controlled


def test_the_main_grid_is_the_first_of_the_study_with_an_advantage(complete):
    analysis = analyse(complete)
    grid = main_grid(analysis)
    assert (grid.experiment.task, grid.cohort) == ("spheres", "main")
    few = [c for c in complete.cells if c.key[0] == "spheres" and c.key[3] == "mixed"]
    analysis = analyse(replace(complete, cells=tuple(few)))
    assert main_grid(analysis).cohort == "main"
    assert claim_of(analysis, main_grid(analysis)) is None
    analysis = analyse(replace(complete, cells=()))
    assert main_grid(analysis) is None
    assert claim_of(analysis, None) is None
