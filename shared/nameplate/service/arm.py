"""One iteration of an arm: select from the trained runs, then say what comes next."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nameplate.errors import UserError
from nameplate.job.committed import needed_results, read_campaign
from nameplate.job.run import run_job
from nameplate.job.state import State
from nameplate.job.timing import Timing
from nameplate.plan.chunks import Chunk, arm_of, arms_of, chunks_of, stages_of
from nameplate.plan.estimate import seconds_estimate
from nameplate.plan.pipeline import ARM_STEPS
from nameplate.service.arguments import add_chunk_size_arguments, add_pod_arguments
from nameplate.service.command import parser_of
from nameplate.service.pod import stop_on_sigterm, timed, write_outputs
from nameplate.steps.cell import Arm
from nameplate.steps.step import Job, step_of
from nameplate.store import Store, open_store

MAX_ITERATIONS = 90
"""Argo gives up on templates that call themselves a hundred times."""


@dataclass(frozen=True, kw_only=True)
class Iteration:
    """What an arm has to do next; both are empty at its end."""

    training: tuple[Chunk, ...]
    prediction: tuple[Chunk, ...]
    """Empty until no training is left."""


def arm_command(prog: str, arguments: Sequence[str]) -> int:
    """``arm ARM --store URL``, run by a selection's pod: make an arm's selections and say what follows."""
    parser = parser_of(
        f"{prog} arm",
        "Select from the runs of one experiment on one training set, and write what comes next: the chunks "
        "of another round, or of the predictions.",
        f"{prog} arm spheres/GE --store s3://bucket/demo --out /tmp/iteration",
    )
    parser.add_argument("arm", help="experiment/training set")
    add_pod_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for training, prediction and more")
    parser.add_argument("--iteration", type=int, default=0, help="how often this arm was advanced before")
    add_chunk_size_arguments(parser)
    options = parser.parse_args(arguments)
    if options.iteration >= MAX_ITERATIONS:
        raise UserError(f"{options.arm}: {MAX_ITERATIONS} rounds in one run; submit the campaign again")
    with timed(options.timing) as timing:
        following = advance_arm(
            options.arm,
            options.store,
            digest=options.digest,
            store_timeout=options.store_timeout,
            should_stop=stop_on_sigterm(),
            target_seconds=options.chunk_seconds,
            most=options.max_chunks,
            timing=timing,
        )
    write_outputs(
        options.out,
        training=json.dumps([str(chunk) for chunk in following.training]),
        prediction=json.dumps([str(chunk) for chunk in following.prediction]),
        more="yes" if following.training else "no",
        iteration=str(options.iteration + 1),
    )
    return 0


def next_iteration(
    state: State, arm: Arm, seconds: Callable[[Job], float], *, target_seconds: float, most: int | None
) -> Iteration:
    """The chunks that an arm needs next, from the state of its campaign.

    ``most`` is for all arms, which may run at the same time: each gets its share.
    """
    share = None if most is None else max(1, most // len(arms_of(state.plan)))
    chunks: dict[str, list[Chunk]] = {step: [] for step in ARM_STEPS}
    for stage in stages_of(state.plan):
        if stage.arm == arm:
            chunks[stage.step] += chunks_of(
                stage, state.results, seconds, target_seconds=target_seconds, most=share
            )
    training = tuple(chunks["training"])
    return Iteration(training=training, prediction=() if training else tuple(chunks["prediction"]))


def advance_arm(
    name: str,
    store_url: str,
    *,
    digest: str | None,
    store_timeout: float,
    should_stop: Callable[[], bool],
    target_seconds: float,
    most: int | None,
    timing: Timing,
) -> Iteration:
    """Do the selections of an arm that are ready, and say what follows."""
    with timing.spent("plan_s"):
        store = open_store(store_url, create=False, timeout=store_timeout, should_stop=should_stop)
        campaign = read_campaign(store, digest=digest)
        state = State(campaign, store, {})
        arm = next((arm for arm in arms_of(state.plan) if str(arm) == name), None)
        if arm is None:
            raise UserError(f"{name}: the campaign has no such arm")
        _trust_packs(state, store, arm)

    def is_ours(job: Job) -> bool:
        return arm_of(job) == arm

    with timing.spent("commit_s"):
        while True:
            state.add_committed(among=is_ours)
            ready = [
                job
                for job in state.plan.jobs
                if job.step == "selection"
                and is_ours(job)
                and job.id not in state.results
                and state.has_needs(job)
            ]
            if not ready:
                break
            for job in ready:
                needed = {need: state.results[need] for need in job.needs}
                state.add_result(job, run_job(job, store, needed, timing=timing))
                timing.jobs += 1
    return next_iteration(state, arm, seconds_estimate(campaign), target_seconds=target_seconds, most=most)


def _trust_packs(state: State, store: Store, arm: Arm) -> None:
    """Accept the packs that the arm's runs read as committed: the plan has checked them."""
    runs = [job for job in state.plan.jobs if job.step == "training" and arm_of(job) == arm]
    packs = {need for job in runs for need in job.needs if step_of(need) == "pack"}
    for pack, result in needed_results(store, sorted(packs), may_follow=True).items():
        state.add_result(state.plan.job(pack), result)
