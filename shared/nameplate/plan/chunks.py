"""A plan cut into stages and chunks, for runners that need seconds to start a process.

A *stage* holds jobs that may run in parallel once the stages before it are done. A *chain* is a series
of jobs inside a stage that need one another (a shard of every dataset); one process does it in order.
A *chunk* is the work of one pod: some consecutive chains of a stage. Its name is its first job and a
count, which is enough for anyone with the same campaign and selections: no list is passed on.
"""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from itertools import groupby

from nameplate.errors import UserError
from nameplate.plan.pipeline import ARM_STEPS, STEPS
from nameplate.plan.plan import Plan
from nameplate.steps.cell import Arm
from nameplate.steps.step import Job, step_of


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Chains that may run in parallel."""

    step: str
    arm: Arm | None
    """The arm it belongs to; None for a step outside the arms."""
    chains: tuple[tuple[Job, ...], ...]


@dataclass(frozen=True)
class Chunk:
    """Consecutive chains of a stage, from the one that starts with job ``first``."""

    first: str
    chains: int

    def __str__(self) -> str:
        return f"{self.first}+{self.chains}"

    @property
    def step(self) -> str:
        """The step whose jobs it holds."""
        return step_of(self.first)

    @classmethod
    def parse(cls, text: str) -> "Chunk":
        """The chunk of this name; UserError when it is not one."""
        match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._/-]*)\+([1-9][0-9]{0,5})", text)
        if match is None:
            raise UserError(f"expected a chunk like phantom/study/000+4, got {text!r}")
        return cls(match[1], int(match[2]))


def arm_of(job: Job) -> Arm | None:
    """The arm of a job; None for a job of a step outside the arms."""
    return job.cell.arm if job.step in ARM_STEPS and job.cell is not None else None


def arms_of(plan: Plan) -> tuple[Arm, ...]:
    """The arms of a plan, in its order."""
    return tuple(dict.fromkeys(arm for job in plan.jobs if (arm := arm_of(job)) is not None))


def stages_of(plan: Plan) -> tuple[Stage, ...]:
    """The stages of a plan, in order: one per step and, in the arms, one per arm, step and round."""
    members: dict[tuple[int, Arm | None, int], list[Job]] = {}
    order = {step.name: position for position, step in enumerate(STEPS)}
    for job in plan.jobs:
        members.setdefault((order[job.step], arm_of(job), job.round), []).append(job)
    return tuple(
        Stage(step=STEPS[position].name, arm=arm, chains=_chains(jobs))
        for (position, arm, _), jobs in sorted(members.items(), key=lambda item: (item[0][0], item[0][2]))
    )


def _chains(jobs: list[Job]) -> tuple[tuple[Job, ...], ...]:
    """Group jobs that need one another; each chain is in the plan's order."""
    chain_of: dict[str, list[Job]] = {}
    chains: list[list[Job]] = []
    for job in jobs:
        chain = next((chain_of[need] for need in job.needs if need in chain_of), None)
        if chain is None:
            chain = []
            chains.append(chain)
        chain.append(job)
        chain_of[job.id] = chain
    return tuple(tuple(chain) for chain in chains)


def parts_of(stage: Stage, apart: Mapping[str, int]) -> tuple[tuple[Stage, int | None], ...]:
    """A stage in parts, each of these cohorts by itself, with how many chunks it may have at most.

    ``apart`` are cohorts whose jobs may go on only so many at a time, as where a PACS is asked.
    """

    def cohort(chain: tuple[Job, ...]) -> str | None:
        return chain[0].cohort if chain[0].cohort in apart else None

    return tuple(
        (replace(stage, chains=tuple(chains)), None if name is None else apart[name])
        for name, chains in groupby(stage.chains, cohort)
    )


def chunks_of(
    stage: Stage,
    done: Collection[str],
    seconds: Callable[[Job], float],
    *,
    target_seconds: float,
    most: int | None = None,
) -> tuple[Chunk, ...]:
    """The rest of a stage, in chunks of about ``target_seconds`` each and at most ``most`` chunks.

    ``done`` are the ids of finished jobs; ``seconds`` estimates the others.
    """
    left: list[float | None] = []
    for chain in stage.chains:
        rest = [seconds(job) for job in chain if job.id not in done]
        left.append(sum(rest) if rest else None)
    whole = sum(value for value in left if value is not None)
    if most is not None:
        target_seconds = max(target_seconds, whole / most)
    chunks: list[Chunk] = []
    first, last, total = -1, -1, 0.0
    for position, value in enumerate(left):
        if value is None:
            continue  # inside a chunk, a finished chain only costs a look
        # At most half a chain over or under the target: the sizes scatter around it.
        full = first >= 0 and total + value / 2 > target_seconds
        if full and (most is None or len(chunks) + 1 < most):
            chunks.append(Chunk(stage.chains[first][0].id, last - first + 1))
            first, total = -1, 0.0
        first = position if first < 0 else first
        last, total = position, total + value
    if first >= 0:
        chunks.append(Chunk(stage.chains[first][0].id, last - first + 1))
    return tuple(chunks)


def jobs_of(plan: Plan, chunk: Chunk) -> tuple[Job, ...]:
    """The jobs of a chunk, in order; UserError when the plan has no such chunk."""
    for stage in stages_of(plan):
        if stage.step != chunk.step:
            continue
        firsts = [chain[0].id for chain in stage.chains]
        if chunk.first in firsts:
            start = firsts.index(chunk.first)
            chains = stage.chains[start : start + chunk.chains]
            if len(chains) < chunk.chains:
                raise UserError(f"{chunk}: the stage has only {len(chains)} chains from there on")
            return tuple(job for chain in chains for job in chain)
    raise UserError(f"{chunk}: the campaign has no such chunk, or not yet")
