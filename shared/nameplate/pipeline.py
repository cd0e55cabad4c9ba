"""The steps of a campaign, as data. This is the only place where the graph stands.

The local runner walks it; whatever else runs a campaign is held against it by test.
"""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Step:
    """One step: what it needs, how it fans out, and what its process may use."""

    name: str
    service: str
    """The service whose package does the work and whose image runs it."""
    entry: str
    """The function that does one job of the step: 'module:function', taking a JobContext."""
    needs: tuple[str, ...]
    """Steps whose results it reads."""
    fan_out: tuple[str, ...]
    """What one job is of, outermost first."""
    version: int
    """Raised whenever the step's outputs change for the same settings: old results are redone."""
    pool: Literal["cpu", "gpu"] = "cpu"
    memory_mib: int
    """Memory of one job at the paper's size."""
    retries: int = 3
    """How often a job is tried again after exit code 75 or an eviction."""


STEPS = (
    Step(
        name="phantom",
        service="phantom",
        entry="nameplate_phantom.step:phantom",
        needs=(),
        fan_out=("cohort", "shard"),
        version=1,
        memory_mib=1500,
    ),
    Step(
        name="ingest",
        service="ingest",
        entry="nameplate_ingest.step:ingest",
        needs=("phantom",),
        fan_out=("cohort", "shard"),
        version=1,
        memory_mib=1500,
    ),
    Step(
        name="skullstrip",
        service="skullstrip",
        entry="nameplate_skullstrip.step:skullstrip",
        needs=("ingest",),
        fan_out=("cohort", "shard"),
        version=1,
        memory_mib=1500,
    ),
    Step(
        name="cohort",
        service="synthesis",
        entry="nameplate_synthesis.step:cohort",
        needs=("ingest", "skullstrip"),
        fan_out=("cohort",),
        version=1,
        memory_mib=500,
    ),
    Step(
        name="synthesis",
        service="synthesis",
        entry="nameplate_synthesis.step:synthesis",
        needs=("ingest", "skullstrip", "cohort", "synthesis"),
        fan_out=("cohort", "dataset", "shard"),
        version=2,
        memory_mib=1000,
    ),
    Step(
        name="pack",
        service="synthesis",
        entry="nameplate_synthesis.step:pack",
        needs=("cohort", "synthesis"),
        fan_out=("cohort", "experiment", "dataset"),
        version=1,
        memory_mib=1000,
    ),
    Step(
        name="training",
        service="training",
        entry="nameplate_training.step:training",
        needs=("pack", "judge"),
        fan_out=("experiment", "cohort", "dataset", "training_set", "group", "seed"),
        version=1,
        pool="gpu",
        memory_mib=8000,
    ),
    Step(
        name="judge",
        service="training",
        entry="nameplate_training.judge:judge",
        needs=("training",),
        fan_out=("experiment", "cohort", "dataset", "training_set", "group", "round"),
        version=1,
        memory_mib=500,
    ),
    Step(
        name="evaluation",
        service="evaluation",
        entry="nameplate_evaluation.step:evaluation",
        needs=("pack", "training", "judge"),
        fan_out=("experiment", "cohort", "dataset", "training_set", "group"),
        version=1,
        pool="gpu",
        memory_mib=4000,
    ),
    Step(
        name="report",
        service="evaluation",
        entry="nameplate_evaluation.publish:report",
        needs=("ingest", "skullstrip", "cohort", "synthesis", "training", "judge", "evaluation"),
        fan_out=(),
        version=1,
        memory_mib=2000,
    ),
)

SERVICES = tuple(dict.fromkeys(step.service for step in STEPS))


def step_named(name: str) -> Step:
    """The step of this name; KeyError when there is none."""
    for step in STEPS:
        if step.name == name:
            return step
    raise KeyError(name)
