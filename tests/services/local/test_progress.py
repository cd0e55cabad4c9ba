"""The remaining time: what has not run yet is guessed from what has."""

from collections.abc import Callable

import pytest

from nameplate.campaign import Campaign, parse_campaign
from nameplate.plan.plan import Plan, plan
from nameplate.service.clock import clock
from nameplate.steps.step import Job
from nameplate_local.progress import Progress


@pytest.fixture
def campaign(tiny_text: str) -> Campaign:
    """A campaign with every step."""
    return parse_campaign(tiny_text, "tiny")


@pytest.fixture
def whole(campaign: Campaign) -> Plan:
    """The plan of a campaign that has not begun."""
    return plan(campaign, {}, {})


def of_step(whole: Plan, step: str) -> list[Job]:
    return [job for job in whole.jobs if job.step == step]


def ten_seconds(job: Job) -> float:
    return 10.0


def test_a_step_that_has_not_run_is_corrected_like_those_that_have(campaign: Campaign, whole: Plan) -> None:
    progress = Progress(campaign, ten_seconds, 1, terminal=False)
    progress.plan(whole)
    progress.finished(of_step(whole, "phantom")[0], 30.0)
    assert progress.estimate(of_step(whole, "training")[0]) == pytest.approx(30.0)


def test_a_step_that_has_run_is_corrected_by_itself(campaign: Campaign, whole: Plan) -> None:
    progress = Progress(campaign, ten_seconds, 1, terminal=False)
    progress.plan(whole)
    progress.finished(of_step(whole, "phantom")[0], 30.0)
    progress.finished(of_step(whole, "training")[0], 5.0)
    assert progress.estimate(of_step(whole, "training")[1]) == pytest.approx(5.0)
    assert progress.estimate(of_step(whole, "phantom")[1]) == pytest.approx(30.0)


def test_predictions_that_must_follow_are_part_of_the_remaining_time(
    campaign: Campaign, whole: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    def only_predictions(job: Job) -> float:
        return 60.0 if job.step == "prediction" else 0.0

    estimate: Callable[[Job], float] = only_predictions
    progress = Progress(campaign, estimate, 2, terminal=False)
    progress.plan(whole)
    progress.finished(of_step(whole, "phantom")[0], 0.0)
    left = clock(60.0 * len(whole.open_cells) / 2)
    assert f"about {left} left" in capsys.readouterr().out
