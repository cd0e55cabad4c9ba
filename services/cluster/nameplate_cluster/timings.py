"""Where the time of a workflow went: what its pods measured, and what the cluster added. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from nameplate_cluster.client import Json
from nameplate_cluster.watch import ORDER, pods
from nameplate_cluster.workflow import Attempt, attempts_of, time_of

POD_S = 5.0
"""How long a cluster itself takes to start and end a pod."""


@dataclass(frozen=True, kw_only=True)
class StepTime:
    """Seconds of all pods of one step, added up."""

    step: str
    pods: int
    jobs: int
    total: float
    """From the request for the pod to its end."""
    queue: float = 0.0
    """The part of it spent waiting for a node with room: not overhead, but too few nodes."""
    work: float
    start: float
    plan: float
    commit: float

    @property
    def cluster(self) -> float:
        """Time outside the pod's process: image, start and end of containers."""
        return max(0.0, self.overhead - self.start - self.plan - self.commit)

    @property
    def overhead(self) -> float:
        """Everything that is neither work nor waiting for room."""
        return max(0.0, self.total - self.queue - self.work)

    @property
    def beyond(self) -> float:
        """Share of the time that is overhead beyond the cluster's own 5 s per pod."""
        spent = self.total - self.queue
        return max(0.0, self.overhead - POD_S * self.pods) / spent if spent > 0 else 0.0


def scheduled_of(pods_found: Iterable[Json]) -> dict[str, datetime]:
    """When each pod got its node, by the pod's name."""
    scheduled = {}
    for pod in pods_found:
        for condition in (pod.get("status") or {}).get("conditions") or ():
            if condition.get("type") == "PodScheduled" and condition.get("status") == "True":
                when = time_of(condition.get("lastTransitionTime"))
                if when is not None:
                    scheduled[pod["metadata"]["name"]] = when
    return scheduled


def step_times(workflow: Json, scheduled: Mapping[str, datetime] = {}) -> list[StepTime]:
    """One row per step, in the pipeline's order; pods that wrote no timing count as overhead.

    ``scheduled`` says when pods got their nodes; where that is unknown, the cluster gets the time.
    """
    groups: dict[str, list[Attempt]] = {}
    for attempt in attempts_of(workflow):
        if attempt.began is not None and attempt.ended is not None:
            groups.setdefault(attempt.step, []).append(attempt)
    order = [*(step for step in ORDER if step in groups), *(step for step in groups if step not in ORDER)]
    return [_row(step, groups[step], scheduled) for step in order]


def _row(step: str, attempts: list[Attempt], scheduled: Mapping[str, datetime]) -> StepTime:
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
        queue=sum(_queue(attempt, scheduled) or 0.0 for attempt in attempts),
        work=part("work_s"),
        start=part("start_s"),
        plan=part("plan_s"),
        commit=part("commit_s"),
    )


def idle_seconds(workflow: Json) -> float:
    """Seconds in which a finished workflow had no pod at all."""
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


def _queue(attempt: Attempt, scheduled: Mapping[str, datetime]) -> float | None:
    """How long a pod that has ended waited for a node; None when this is unknown."""
    if attempt.began is None or attempt.ended is None:
        return None
    if not attempt.host:
        return (attempt.ended - attempt.began).total_seconds()  # it never got one
    if attempt.pod not in scheduled:
        return None
    return max(0.0, (scheduled[attempt.pod] - attempt.began).total_seconds())


def timing_lines(workflow: Json, scheduled: Mapping[str, datetime] = {}) -> list[str]:
    """The table that ``status --timings`` prints."""
    rows = step_times(workflow, scheduled)
    if not rows:
        return ["no pod has ended yet"]
    whole = StepTime(
        step="all",
        pods=sum(row.pods for row in rows),
        jobs=sum(row.jobs for row in rows),
        total=sum(row.total for row in rows),
        queue=sum(row.queue for row in rows),
        work=sum(row.work for row in rows),
        start=sum(row.start for row in rows),
        plan=sum(row.plan for row in rows),
        commit=sum(row.commit for row in rows),
    )
    lines = [
        "seconds of all pods together",
        f"  {'step':<11} {'pods':>5} {'jobs':>5} {'queue':>8} {'cluster':>8} {'start':>7} {'plan':>7} "
        f"{'work':>9} {'commit':>7} {'over 5 s per pod':>17}",
    ]
    for row in (*rows, whole):
        lines.append(
            f"  {row.step:<11} {row.pods:>5} {row.jobs:>5} {row.queue:>8.1f} {row.cluster:>8.1f} "
            f"{row.start:>7.1f} {row.plan:>7.1f} {row.work:>9.1f} {row.commit:>7.1f} {row.beyond:>17.0%}"
        )
    status = workflow.get("status") or {}
    began, ended = time_of(status.get("startedAt")), time_of(status.get("finishedAt"))
    if began and ended:
        wall, idle = (ended - began).total_seconds(), idle_seconds(workflow)
        lines.append(f"  the workflow took {wall:.0f} s, of which {idle:.0f} s without any pod (Argo's own)")
    lines.append(
        "  queue: until a node had room; cluster: image, start and end of the containers; "
        "last column: share of the time that is overhead"
    )
    ended_pods = [attempt for attempt in attempts_of(workflow) if attempt.ended is not None]
    unknown = sum(_queue(attempt, scheduled) is None for attempt in ended_pods)
    if unknown:
        lines.append(f"  {pods(unknown)} deleted by now: their queue is counted in 'cluster'")
    return lines
