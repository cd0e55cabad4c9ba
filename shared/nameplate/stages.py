"""A plan cut into stages and batches, for runners whose every start of a process costs seconds.

A *stage* holds jobs that may run side by side once the stages before it are done. A *unit* is a chain
of jobs inside a stage that need one another (a shard of every dataset); one process does it in order.
A *batch* is what one pod does: some consecutive units of a stage. It is named by its first job and a
count, so that it means the same to whoever holds the same campaign and verdicts: no list travels.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from nameplate.errors import UserError
from nameplate.pipeline import STEPS
from nameplate.plan import Cell, Job, Line, Plan

LINE_STEPS = ("training", "judge", "evaluation")
"""Steps that every line walks by itself, round by round."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Units that may run side by side."""

    step: str
    line: Line | None
    units: tuple[tuple[Job, ...], ...]


@dataclass(frozen=True)
class Batch:
    """Consecutive units of a stage, from the one that starts with job ``first``."""

    first: str
    units: int

    def __str__(self) -> str:
        return f"{self.first}+{self.units}"

    @classmethod
    def parse(cls, text: str) -> "Batch":
        """The batch of this name; UserError when it is none."""
        match = re.fullmatch(r"([A-Za-z0-9][A-Za-z0-9._/-]*)\+([1-9][0-9]{0,5})", text)
        if match is None:
            raise UserError(f"expected a batch like phantom/study/000+4, got {text!r}")
        return cls(match[1], int(match[2]))


def line_of(job: Job) -> Line:
    """The line of a job of LINE_STEPS."""
    return Cell.of(job.parameters).line


def lines_of(plan: Plan) -> tuple[Line, ...]:
    """The lines of a plan, in its order."""
    return tuple(dict.fromkeys(line_of(job) for job in plan.jobs if job.step in LINE_STEPS))


def stages_of(plan: Plan) -> tuple[Stage, ...]:
    """The stages of a plan: one a step, and in the lines one a line and round; in the order of the steps."""
    members: dict[tuple[int, Line | None, int], list[Job]] = {}
    order = {step.name: position for position, step in enumerate(STEPS)}
    for job in plan.jobs:
        line = line_of(job) if job.step in LINE_STEPS else None
        number = int(job.parameters.get("round", 0))
        members.setdefault((order[job.step], line, number), []).append(job)
    return tuple(
        Stage(step=STEPS[position].name, line=line, units=_units(jobs))
        for (position, line, _), jobs in sorted(members.items(), key=lambda item: (item[0][0], item[0][2]))
    )


def _units(jobs: list[Job]) -> tuple[tuple[Job, ...], ...]:
    """Jobs that are chained by their needs, together; each chain in the plan's order."""
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


def batches_of(
    stage: Stage,
    done: Collection[str],
    seconds: Callable[[Job], float],
    *,
    target_seconds: float,
    most: int | None = None,
) -> tuple[Batch, ...]:
    """What is left of a stage, in batches of about ``target_seconds`` each and at most ``most`` batches.

    ``done`` are ids of jobs that need nothing more; ``seconds`` estimates the others.
    """
    left: list[float | None] = []
    for unit in stage.units:
        rest = [seconds(job) for job in unit if job.id not in done]
        left.append(sum(rest) if rest else None)
    whole = sum(value for value in left if value is not None)
    if most is not None:
        target_seconds = max(target_seconds, whole / most)
    batches: list[Batch] = []
    first, last, total = -1, -1, 0.0
    for position, value in enumerate(left):
        if value is None:
            continue  # inside a batch a finished unit costs a look, no more
        # Half a unit over or under the target: the sizes then lie around it.
        full = first >= 0 and total + value / 2 > target_seconds
        if full and (most is None or len(batches) + 1 < most):
            batches.append(Batch(stage.units[first][0].id, last - first + 1))
            first, total = -1, 0.0
        first = position if first < 0 else first
        last, total = position, total + value
    if first >= 0:
        batches.append(Batch(stage.units[first][0].id, last - first + 1))
    return tuple(batches)


def jobs_of(plan: Plan, batch: Batch) -> tuple[Job, ...]:
    """The jobs of a batch, in order; UserError when the plan has no such batch."""
    step = batch.first.partition("/")[0]
    for stage in stages_of(plan):
        if stage.step != step:
            continue
        firsts = [unit[0].id for unit in stage.units]
        if batch.first in firsts:
            start = firsts.index(batch.first)
            units = stage.units[start : start + batch.units]
            if len(units) < batch.units:
                raise UserError(f"{batch}: the stage has {len(units)} units from there on")
            return tuple(job for unit in units for job in unit)
    raise UserError(f"{batch}: the campaign has no such batch, or not yet")
