"""A workflow in text: pods by step, what waits and why, what failed; shown once or followed."""

import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.text import Text

from nameplate.plan.pipeline import STEPS
from nameplate.service.clock import clock
from nameplate_cluster.client import CAMPAIGN_LABEL, Cluster, Json
from nameplate_cluster.http_errors import ClusterUnreachable, NotAllowed
from nameplate_cluster.waiting import HELD, Wait, held_back, wait_of
from nameplate_cluster.workflow import (
    Attempt,
    attempts_of,
    is_over,
    message_of,
    name_of,
    newest_attempts,
    nodes_of,
    phase_of,
    state_of,
    submitter_of,
    time_of,
)

ORDER = ("plan", *(step.name for step in STEPS))
SILENCE_S = 600.0
"""How long a cluster may not answer while its workflow is watched."""
IMAGE_S = 120.0
"""How long an image may be missing while the workflow is watched."""


def headline(workflow: Json, now: datetime) -> str:
    """Campaign, phase, duration and workflow."""
    status = workflow.get("status") or {}
    labels = workflow["metadata"].get("labels") or {}
    name = labels.get(CAMPAIGN_LABEL, name_of(workflow))
    began = time_of(status.get("startedAt")) or time_of(workflow["metadata"].get("creationTimestamp")) or now
    ended = time_of(status.get("finishedAt"))
    phase = state_of(workflow)
    took = clock(((ended or now) - began).total_seconds())
    return f"{name}: {phase} after {took} (workflow {name_of(workflow)})"


def by_step(attempts: list[Attempt]) -> dict[str, Counter[str]]:
    """Of every step, in the pipeline's order: pods by state, and how many were tried again."""
    counts: dict[str, Counter[str]] = {}
    newest = newest_attempts(attempts)
    for attempt in newest:
        counts.setdefault(attempt.step, Counter())[attempt.state] += 1
    known = {attempt.node for attempt in newest}
    for attempt in attempts:
        if attempt.node not in known:
            counts[attempt.step]["again"] += 1
    steps = [*(step for step in ORDER if step in counts), *(step for step in counts if step not in ORDER)]
    return {step: counts[step] for step in steps}


def waits_of(attempts: list[Attempt]) -> dict[tuple[str, Wait], int]:
    """Why pods are waiting, and how many for each reason; being started does not count."""
    counts: Counter[tuple[str, Wait]] = Counter()
    for attempt in newest_attempts(attempts):
        if attempt.state == "waiting":
            wait = wait_of(attempt.message)
            if wait.kind != "start":
                counts[attempt.step, wait] += 1
    return dict(counts)


def failures_of(attempts: list[Attempt]) -> list[Attempt]:
    """The last attempts that failed, without those that were stopped with the workflow."""
    failed = [attempt for attempt in newest_attempts(attempts) if attempt.state == "failed"]
    return [attempt for attempt in failed if not attempt.message.startswith("workflow shutdown")]


def status_text(workflow: Json, now: datetime, reasons: Mapping[str, str] = {}) -> list[str]:
    """The workflow as lines of text; ``reasons`` holds the failed pods' own reasons, by node."""
    attempts = attempts_of(workflow)
    lines = [headline(workflow, now)]
    if who := submitter_of(workflow):
        lines.append(f"  submitted by {who}")
    rows = by_step(attempts)
    if rows:
        lines.append(f"  {'pods':<11} {'done':>6} {'running':>8} {'waiting':>8} {'failed':>7} {'again':>6}")
    for step, count in rows.items():
        lines.append(
            f"  {step:<11} {count['done']:>6} {count['running']:>8} {count['waiting']:>8} "
            f"{count['failed']:>7} {count['again']:>6}"
        )
    if is_over(workflow) and phase_of(workflow) == "Succeeded" and set(rows) < {"plan", *ORDER}:
        lines.append("  steps not listed were done by an earlier run")
    lines += [f"  {line}" for line in wait_lines(attempts, workflow)]
    failed = failures_of(attempts)
    lines += [f"  failed: {failure_line(attempt, reasons.get(attempt.node))}" for attempt in failed[:10]]
    if len(failed) > 10:
        lines.append(f"  and {len(failed) - 10} more")
    if is_over(workflow) and phase_of(workflow) != "Succeeded" and not failed and message_of(workflow):
        lines.append(f"  {message_of(workflow)}")
    return lines


def wait_lines(attempts: list[Attempt], workflow: Json) -> list[str]:
    """One line per reason to wait, of pods and of the workflow as a whole."""
    lines = [f"{pods(number)} of {step}: {wait.text}" for (step, wait), number in waits_of(attempts).items()]
    if not attempts and not is_over(workflow):
        lines.append(wait_of(message_of(workflow)).text)
    return lines


def pods(number: int) -> str:
    """A number of pods in words."""
    return "1 pod" if number == 1 else f"{number} pods"


def failure_line(attempt: Attempt, reason: str | None = None) -> str:
    """What failed, and why: the pod's own reason, or Argo's."""
    what = (
        attempt.chunk if attempt.chunk.startswith(f"{attempt.step}/") else f"{attempt.step} {attempt.chunk}"
    )
    why = " ".join((reason or attempt.message).split())[:300] or "no reason given"
    return f"{what.strip()}: {why}"


class View:
    """Shows a running workflow: a table redrawn in place on a terminal, one line per change elsewhere."""

    def __init__(self, *, terminal: bool | None = None) -> None:
        self._console = Console(highlight=False)
        live = self._console.is_terminal if terminal is None else terminal
        self._live = Live(console=self._console, auto_refresh=False) if live else None
        self._said: set[str] = set()

    def __enter__(self) -> "View":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, workflow: Json) -> None:
        """Show the workflow as it is now."""
        now = datetime.now(UTC)
        if self._live is not None:
            self._live.update(Text("\n".join(status_text(workflow, now))), refresh=True)
            return
        attempts = attempts_of(workflow)
        status = workflow.get("status") or {}
        stamp = clock((now - (time_of(status.get("startedAt")) or now)).total_seconds())
        for step, count in by_step(attempts).items():
            states = ("done", "running", "waiting", "failed")
            said = ", ".join(f"{count[state]} {state}" for state in states if count[state])
            self._once(stamp, f"{step:<10} {said}")
        for line in wait_lines(attempts, workflow):
            # How many wait changes all the time; that some wait, and why, is printed once.
            self._once(stamp, re.sub(r"^\d+ pods? of", "pods of", line))
        for attempt in attempts:
            if attempt.state == "failed":
                self._once(stamp, f"failed: {failure_line(attempt)} (pod {attempt.pod})")

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(text, markup=False, soft_wrap=True)

    def _once(self, stamp: str, text: str) -> None:
        if text and text not in self._said:
            self._said.add(text)
            self.say(f"[{stamp}] {text}")


def with_queues(cluster: Cluster, workflow: Json) -> Json:
    """The workflow, with a message at the pods that a queue holds back: Argo says nothing of them.

    Unchanged where no pod waits without a word, or this account may not look at pods.
    """
    silent = {attempt.pod: attempt.node for attempt in attempts_of(workflow) if is_silent(attempt)}
    if not silent:
        return workflow
    try:
        pods = cluster.pods(name_of(workflow))
    except NotAllowed:
        return workflow
    nodes = dict(nodes_of(workflow))
    for pod in pods:
        node, held = silent.get(pod["metadata"]["name"]), held_back(pod)
        if node is not None and held is not None:
            nodes[node] = {**nodes[node], "message": f"{HELD}: {held}"}
    status = {key: value for key, value in workflow["status"].items() if key != "compressedNodes"}
    return {**workflow, "status": {**status, "nodes": nodes}}


def is_silent(attempt: Attempt) -> bool:
    """Whether a pod waits and nobody says why."""
    return attempt.state == "waiting" and not attempt.message


def is_held(attempts: list[Attempt]) -> bool:
    """Whether a queue holds back the last of these pods: its wait is no trouble, however long it takes."""
    return (
        bool(attempts) and attempts[-1].state == "waiting" and wait_of(attempts[-1].message).kind == "queue"
    )


def follow(
    cluster: Cluster,
    name: str,
    *,
    until: Callable[[Json], bool] = is_over,
    every_s: float = 2.0,
    limit_s: float | None = None,
    view: View | None = None,
) -> Json:
    """Poll the workflow until ``until`` holds, it is over, or ``limit_s`` has passed.

    A cluster may stop answering for a while: its API may be restarting.
    """
    began = heard = time.monotonic()
    while True:
        try:
            workflow = with_queues(cluster, cluster.workflow(name))
            heard = time.monotonic()
        except ClusterUnreachable as error:
            if time.monotonic() - heard > SILENCE_S:
                raise
            if view is not None:
                view.say(f"{error}; asking again")
            time.sleep(max(every_s, 5.0))
            continue
        if view is not None:
            view.show(workflow)
        if until(workflow) or is_over(workflow):
            return workflow
        if limit_s is not None and time.monotonic() - began > limit_s:
            return workflow
        # A large workflow is a large answer: look less often.
        time.sleep(every_s if len((workflow.get("status") or {}).get("nodes") or ()) < 500 else 5 * every_s)


def say(text: str) -> None:
    """Print one line."""
    print(text, file=sys.stdout, flush=True)  # noqa: T201 (a command's output)


class ImageAlarm:
    """Remembers since when an image is missing: Kubernetes would try forever."""

    def __init__(self, limit_s: float, steps: tuple[str, ...] | None = None) -> None:
        self._limit_s = limit_s
        self._steps = steps
        self._since: dict[str, float] = {}

    def trouble(self, workflow: Json, now_s: float) -> tuple[Attempt, Wait] | None:
        """The first pod that has waited too long for something that somebody must fix, or None."""
        waiting = [attempt for attempt in attempts_of(workflow) if attempt.state == "waiting"]
        hopeless = {attempt.node: (attempt, wait_of(attempt.message)) for attempt in waiting}
        hopeless = {node: pod for node, pod in hopeless.items() if pod[1].hopeless}
        if self._steps is not None:
            hopeless = {node: pod for node, pod in hopeless.items() if pod[0].step in self._steps}
        self._since = {node: self._since.get(node, now_s) for node in hopeless}
        for node, pod in hopeless.items():
            if now_s - self._since[node] >= self._limit_s:
                return pod
        return None
