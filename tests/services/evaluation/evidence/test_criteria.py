"""Stated comparisons and sizes against results of known truth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_evaluation.advantage import advantages_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.evidence.criteria import (
    criteria_of,
    criteria_table,
    sizes_of,
    sizes_table,
    verdict_of,
)
from nameplate_evaluation.measure import Estimate


def estimate(mean, low, high, note=""):
    return Estimate(mean=mean, low=low, high=high, models=6, exams=100, note=note)


def stated(results, **settings):
    """The same results of a campaign that stated this in its analysis."""
    campaign = results.campaign
    analysis = campaign.analysis.model_copy(update=settings)
    object.__setattr__(results, "campaign", campaign.model_copy(update={"analysis": analysis}))
    analysis = analyse(results)
    return analysis, advantages_of(analysis, analysis.grids)


@pytest.mark.parametrize(
    ("mean", "low", "high", "verdict"),
    [
        (0.0, -0.01, 0.01, "met"),
        (0.015, 0.005, 0.019, "met"),
        (0.05, 0.03, 0.07, "not met"),
        (0.015, 0.005, 0.025, "not met"),
        (0.0, -0.04, 0.04, "underpowered"),
        (0.03, -0.01, 0.07, "underpowered"),
        (0.031, 0.001, 0.061, "not met"),
        (-0.05, -0.08, -0.02, "met"),
    ],
)
def test_verdicts(mean, low, high, verdict):
    assert verdict_of(estimate(mean, low, high), 0.02)[0] == verdict


@given(st.floats(-0.3, 0.3), st.floats(1e-4, 0.3), st.floats(0.001, 0.2))
def test_met_is_never_said_of_an_interval_that_reaches_the_margin(mean, half, margin):
    verdict, why = verdict_of(estimate(mean, mean - half, mean + half), margin)
    assert (verdict == "met") == (mean + half < margin)
    assert why


def test_no_interval_is_no_result():
    assert verdict_of(None, 0.02)[0] == "no result"
    assert verdict_of(estimate(0.01, None, None, "one run"), 0.02) == ("no result", "no interval: one run")
    assert verdict_of(estimate(0.0, -0.001, 0.001), 0.02, at_ceiling=True)[0] == "no result"


def test_a_planted_advantage_is_not_met_and_its_absence_is(plant):
    analysis, advantages = stated(plant(own=(2.5, 2.5), other=(1.0, 1.0), runs=6))
    (found,) = criteria_of(analysis, advantages)
    assert found.verdict == "not met"
    assert found.estimate.low > 0.02
    assert found.experiment == "spheres"
    results = plant(own=(1.5, 1.5), runs=6)
    margin = results.campaign.analysis.margin.model_copy(update={"auroc": 0.2})
    analysis, advantages = stated(results, margin=margin)
    assert [one.verdict for one in criteria_of(analysis, advantages)] == ["met"]
    row = criteria_table(analysis, criteria_of(analysis, advantages)).rows[0]
    assert "met" in row
    assert 0.2 in row, "a fraction of 1, as the advantage beside it"
    margin = margin.model_copy(update={"auroc": 0.001})
    analysis, advantages = stated(results, margin=margin)
    assert [one.verdict for one in criteria_of(analysis, advantages)] == ["underpowered"]


def test_without_a_task_nothing_is_met(plant):
    """The hardest task is where an advantage shows: the others alone must not meet the margin."""
    results = plant(own=(1.5, 1.5), runs=6)
    margin = results.campaign.analysis.margin.model_copy(update={"auroc": 0.2})
    sizes = results.campaign.analysis.sizes.model_copy(update={"runs": 2})
    analysis, advantages = stated(results, margin=margin, sizes=sizes)
    (whole,) = criteria_of(analysis, advantages)
    assert whole.verdict == "met"
    assert not whole.named
    assert sizes_of(analysis, [whole])[0].there == 6
    last = analysis.campaign.datasets_of(analysis.campaign.experiment("spheres"))[-1]
    kept = tuple(cell for cell in results.cells if cell.cell.dataset != last)
    object.__setattr__(results, "cells", kept)
    analysis, advantages = stated(results, margin=margin, sizes=sizes)
    (part,) = criteria_of(analysis, advantages)
    assert part.verdict == "no result"
    assert last in part.why
    assert [(one.there, one.verdict) for one in sizes_of(analysis, [part])] == [(0, "not met")]
    assert "names no comparison" in criteria_table(analysis, [part]).note


def test_what_is_named_does_not_depend_on_the_results(plant):
    results = plant(own=(1.5, 1.5), runs=2)
    object.__setattr__(results, "cells", ())
    analysis, advantages = stated(results)
    (found,) = criteria_of(analysis, advantages)
    assert (found.experiment, found.verdict) == ("spheres", "no result")
    analysis, advantages = stated(results, comparisons=("spheres",))
    assert [one.named for one in criteria_of(analysis, advantages)] == [True]


def test_one_run_gives_no_result(plant):
    analysis, advantages = stated(plant(own=(0.5,), runs=1))
    assert [one.verdict for one in criteria_of(analysis, advantages)] == ["no result"]


def test_sizes_are_held_against_what_there_is(plant):
    results = plant(own=(0.5,), runs=3)
    sizes = results.campaign.analysis.sizes
    analysis, advantages = stated(results, sizes=sizes.model_copy(update={"runs": 4, "test_exams": 2}))
    found = sizes_of(analysis, criteria_of(analysis, advantages))
    assert [(one.stated, one.verdict) for one in found] == [(4, "not met"), (2, "met")]
    assert found[0].there == 3
    tested = [m for c in results.cohorts if c.name == "study" for m in c.members if m.split == "test"]
    assert found[1].there == min(sum(m.level == level for m in tested) for level in analysis.levels)
    assert len(sizes_table(found).rows) == 2
