"""Stages, chains and chunks: every job in exactly one chunk, in an order that its needs allow."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import UserError
from nameplate.plan.chunks import Chunk, arm_of, arms_of, chunks_of, jobs_of, stages_of
from nameplate.plan.pipeline import ARM_STEPS
from nameplate.plan.plan import Plan, plan
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.steps.synthesis import SynthesisJob


@pytest.fixture(scope="module", params=["demo", "paper", "controlled"])
def campaign(request: pytest.FixtureRequest) -> Campaign:
    named: Campaign = request.getfixturevalue(request.param)
    return named


@pytest.fixture(scope="module")
def made(campaign: Campaign) -> Plan:
    return plan(campaign, {}, {})


def test_the_stages_hold_every_job_once(made: Plan) -> None:
    jobs = [job.id for stage in stages_of(made) for chain in stage.chains for job in chain]
    assert sorted(jobs) == sorted(job.id for job in made.jobs)


def test_what_a_chain_needs_is_in_an_earlier_stage_or_before_it_in_the_chain(made: Plan) -> None:
    """The order in which the chart runs the stages: by step, and an arm's rounds one after the other."""
    seen: set[str] = set()
    for stage in stages_of(made):
        for chain in stage.chains:
            before = set(seen)
            for job in chain:
                assert set(job.needs) <= before, job.id
                before.add(job.id)
        seen |= {job.id for chain in stage.chains for job in chain}


def test_a_shard_is_synthesised_in_one_chain(made: Plan, campaign: Campaign) -> None:
    """With what a derived cohort takes from it."""
    (stage,) = [stage for stage in stages_of(made) if stage.step == "synthesis"]
    for chain in stage.chains:
        settings = [job.settings for job in chain]
        assert all(isinstance(one, SynthesisJob) for one in settings)
        made_from = {campaign.cohorts[one.cohort].other or one.cohort for one in settings}
        assert len(made_from) == len({one.shard for one in settings}) == 1
        assert settings[0].dataset == "original"


def test_an_arm_is_an_experiment_on_a_training_set(made: Plan, campaign: Campaign) -> None:
    expected = {(e.name, arm.name) for e in campaign.experiments for arm in e.all_arms}
    assert {(arm.experiment, arm.training_set) for arm in arms_of(made)} == expected
    for stage in stages_of(made):
        assert (stage.arm is not None) == (stage.step in ARM_STEPS)
        if stage.arm is not None:
            assert {arm_of(job) for chain in stage.chains for job in chain} == {stage.arm}


@given(
    target=st.floats(0.5, 50),
    most=st.none() | st.integers(1, 6),
    done=st.sets(st.integers(0, 200)),
    seconds=st.integers(1, 9),
)
@settings(max_examples=60, deadline=None)
def test_chunks_cover_what_is_left_and_nothing_twice(
    demo: Campaign, target: float, most: int | None, done: set[int], seconds: int
) -> None:
    made = plan(demo, {}, {})
    finished = {job.id for position, job in enumerate(made.jobs) if position in done}
    for stage in stages_of(made):
        chunks = chunks_of(stage, finished, lambda job: seconds, target_seconds=target, most=most)
        covered = [job.id for chunk in chunks for job in jobs_of(made, chunk)]
        assert len(set(covered)) == len(covered)
        left = {job.id for chain in stage.chains for job in chain} - finished
        assert left <= set(covered)
        if most is not None:
            assert len(chunks) <= most
        for chunk in chunks:
            inside = jobs_of(made, chunk)
            assert any(job.id not in finished for job in inside)


def test_small_jobs_share_a_chunk_and_long_ones_do_not(made: Plan) -> None:
    stage = next(stage for stage in stages_of(made) if stage.step == "phantom" or stage.step == "ingest")
    jobs = len(stage.chains)
    assert len(chunks_of(stage, (), lambda job: 100, target_seconds=60)) == jobs
    together = chunks_of(stage, (), lambda job: 10, target_seconds=40)
    assert len(together) == math.ceil(jobs / 4)
    assert together[0].chains == min(4, jobs)


def test_a_chunk_is_named_by_its_first_job_and_a_count() -> None:
    assert Chunk.parse("training/spheres/study/easy/GE/g0/s003+2") == Chunk(
        "training/spheres/study/easy/GE/g0/s003", 2
    )
    for text in ("", "x", "x+0", "x+-1", "../x+1", "x y+1", "x+1\n", "+1", "--store=s3://other+1"):
        with pytest.raises(UserError, match="expected a chunk"):
            Chunk.parse(text)


def test_a_chunk_that_the_plan_does_not_have_is_refused(made: Plan) -> None:
    with pytest.raises(UserError, match="no such chunk, or not yet"):
        jobs_of(made, Chunk("training/spheres/study/easy/mixed/g0/s999", 1))
    with pytest.raises(UserError, match="chains from there on"):
        jobs_of(made, Chunk("cohort/study", 77))


def test_a_later_round_is_a_stage_of_its_own_and_a_stale_selection_behind_it_changes_nothing(
    tiny_text: str, make_selection: Callable[..., Selection]
) -> None:
    campaign = parse_campaign(tiny_text, "tiny")
    cell = Cell(experiment="spheres", cohort="study", dataset="hard", training_set="mixed", group=0)
    more = make_selection(cell, 0, next_seeds=(1,))
    grown = plan(campaign, {cell: (more,)}, {})
    chunk = Chunk(f"training/{cell}/s001", 1)
    assert [job.id for job in jobs_of(grown, chunk)] == [f"training/{cell}/s001"]
    stale = plan(campaign, {cell: (more, make_selection(cell, 1))}, {})
    assert jobs_of(stale, chunk) == jobs_of(grown, chunk)
