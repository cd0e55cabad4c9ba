"""One turn of a line: judge what has been trained, then say what its next round, or its end, consists of."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nameplate.errors import UserError
from nameplate.estimate import seconds_estimate
from nameplate.job import run_job
from nameplate.plan import Job, Line
from nameplate.stages import LINE_STEPS, Batch, batches_of, line_of, lines_of, stages_of
from nameplate.state import State
from nameplate.store import Store, open_store
from nameplate.stored import committed_results, read_campaign
from nameplate.timing import Timing

logger = logging.getLogger(__name__)

MOST_TURNS = 90
"""Argo gives up on templates that call themselves a hundred times."""


@dataclass(frozen=True, kw_only=True)
class Turn:
    """What a line has to do next; both empty when it has come to its end."""

    training: tuple[Batch, ...]
    evaluation: tuple[Batch, ...]
    """Wanted only once no training is left."""


def turn_of(
    state: State, line: Line, seconds: Callable[[Job], float], *, target_seconds: float, most: int | None
) -> Turn:
    """The batches that a line needs next, from the state of its campaign.

    ``most`` is for all lines together, which may be at work at once: each has its share of it.
    """
    share = None if most is None else max(1, most // len(lines_of(state.plan)))
    batches: dict[str, list[Batch]] = {step: [] for step in LINE_STEPS}
    for stage in stages_of(state.plan):
        if stage.line == line:
            batches[stage.step] += batches_of(
                stage, state.results, seconds, target_seconds=target_seconds, most=share
            )
    training = tuple(batches["training"])
    return Turn(training=training, evaluation=() if training else tuple(batches["evaluation"]))


def judge_line(
    line_id: str,
    store_url: str,
    *,
    digest: str | None,
    patience: float,
    should_stop: Callable[[], bool],
    target_seconds: float,
    most: int | None,
    timing: Timing,
) -> Turn:
    """Do the judges' jobs of a line that can be done, and say what follows."""
    with timing.spent("plan_s"):
        store = open_store(store_url, create=False, patience=patience, should_stop=should_stop)
        campaign = read_campaign(store, digest=digest)
        state = State(campaign, store, {})
        line = next((line for line in lines_of(state.plan) if line.id == line_id), None)
        if line is None:
            raise UserError(f"{line_id}: the campaign has no such line")
        _trust_packs(state, store, line)

    def mine(job: Job) -> bool:
        return job.step in LINE_STEPS and line_of(job) == line

    with timing.spent("commit_s"):
        while True:
            state.take_committed(among=mine)
            ready = [
                job
                for job in state.plan.jobs
                if job.step == "judge" and mine(job) and job.id not in state.results and state.has_needs(job)
            ]
            if not ready:
                break
            for job in ready:
                needed = {need: state.results[need] for need in job.needs}
                state.take(job, run_job(job, campaign, Path.cwd(), store, needed, timing=timing))
                timing.jobs += 1
    return turn_of(state, line, seconds_estimate(campaign), target_seconds=target_seconds, most=most)


def _trust_packs(state: State, store: Store, line: Line) -> None:
    """Take the packs that the line's runs read as they are committed: the plan has looked at them."""
    runs = [job for job in state.plan.jobs if job.step == "training" and line_of(job) == line]
    packs = {need for job in runs for need in job.needs if need.startswith("pack/")}
    for pack, result in committed_results(store, sorted(packs), may_follow=True).items():
        state.take(state.plan.job(pack), result)
