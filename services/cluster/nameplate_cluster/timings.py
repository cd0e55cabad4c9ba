"""Where the time of a workflow went: the pods' own account beside what the cluster took. Pure."""

from dataclasses import dataclass

from nameplate_cluster.client import Json
from nameplate_cluster.watch import ORDER
from nameplate_cluster.workflow import Attempt, attempts_of, time_of

POD_S = 5.0
"""What a cluster takes itself to start and end a pod."""


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """Seconds of all pods of one step, added up."""

    step: str
    pods: int
    jobs: int
    total: float
    """From asking for the pod to its end."""
    work: float
    start: float
    plan: float
    commit: float

    @property
    def cluster(self) -> float:
        """Outside the pod's process: waiting for a node, image, start and end of containers."""
        return max(0.0, self.total - self.work - self.start - self.plan - self.commit)

    @property
    def overhead(self) -> float:
        """All that is not work."""
        return max(0.0, self.total - self.work)

    @property
    def beyond(self) -> float:
        """Share of the time that is overhead beyond the cluster's own 5 s a pod."""
        return max(0.0, self.overhead - POD_S * self.pods) / self.total if self.total > 0 else 0.0


def step_times(workflow: Json) -> list[StepTime]:
    """One row a step, in the pipeline's order; pods that gave no account count as overhead."""
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts_of(workflow):
        if attempt.began is not None and attempt.ended is not None:
            groups.setdefault(attempt.step, []).append(attempt)
    order = [*(step for step in ORDER if step in groups), *(step for step in groups if step not in ORDER)]
    return [_row(step, groups[step]) for step in order]


def _row(step: str, attempts: list[Attempt]) -> StepTime:
    def part(name: str) -> float:
        values = (attempt.timing.get(name, 0.0) for attempt in attempts)
        return sum(float(value) for value in values if isinstance(value, int | float))

    spans = [
        (attempt.ended - attempt.began).total_seconds()
        for attempt in attempts
        if attempt.began and attempt.ended
    ]
    return StepTime(
        step=step,
        pods=len(attempts),
        jobs=int(part("jobs")),
        total=sum(spans),
        work=part("work_s"),
        start=part("start_s"),
        plan=part("plan_s"),
        commit=part("commit_s"),
    )


def idle_seconds(workflow: Json) -> float:
    """Seconds of a finished workflow in which it had no pod at all."""
    status = workflow.get("status") or {}
    reached, ended = time_of(status.get("startedAt")), time_of(status.get("finishedAt"))
    if reached is None or ended is None:
        return 0.0
    idle = 0.0
    for attempt in attempts_of(workflow):  # in the order of their start
        if attempt.began is not None and attempt.ended is not None:
            idle += max(0.0, (attempt.began - reached).total_seconds())
            reached = max(reached, attempt.ended)
    return idle + max(0.0, (ended - reached).total_seconds())


def timing_lines(workflow: Json) -> list[str]:
    """The table that ``status --timings`` prints."""
    rows = step_times(workflow)
    if not rows:
        return ["no pod has ended yet"]
    whole = StepTime(
        step="all",
        pods=sum(row.pods for row in rows),
        jobs=sum(row.jobs for row in rows),
        total=sum(row.total for row in rows),
        work=sum(row.work for row in rows),
        start=sum(row.start for row in rows),
        plan=sum(row.plan for row in rows),
        commit=sum(row.commit for row in rows),
    )
    lines = [
        "seconds of all pods together",
        f"  {'step':<11} {'pods':>5} {'jobs':>6} {'work':>9} {'start':>8} {'plan':>8} {'commit':>8} "
        f"{'cluster':>9} {'beyond 5 s a pod':>17}",
    ]
    for row in (*rows, whole):
        lines.append(
            f"  {row.step:<11} {row.pods:>5} {row.jobs:>6} {row.work:>9.1f} {row.start:>8.1f} "
            f"{row.plan:>8.1f} {row.commit:>8.1f} {row.cluster:>9.1f} {row.beyond:>16.0%} "
        )
    status = workflow.get("status") or {}
    began, ended = time_of(status.get("startedAt")), time_of(status.get("finishedAt"))
    if began and ended:
        wall, idle = (ended - began).total_seconds(), idle_seconds(workflow)
        lines.append(f"  the workflow took {wall:.0f} s; {idle:.0f} s of them without any pod (Argo's own)")
    lines.append("  cluster: waiting for a node, fetching the image, starting and ending the containers")
    return [line.rstrip() for line in lines]
