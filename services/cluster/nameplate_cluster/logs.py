"""The log of a job: which pods to ask, which lines are about the job, and how to print them."""

import contextlib
import json
import queue
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from nameplate.errors import NameplateError, UserError
from nameplate.plan.pipeline import STEPS
from nameplate_cluster.client import Cluster, Json
from nameplate_cluster.http_errors import NotThere
from nameplate_cluster.workflow import Attempt, attempts_of, is_over, name_of, newest_attempts

_AHEAD = ("time", "level", "event", "job")
_LAST_WORD = "nameplate: "
"""With which a command begins the line that says why it ends."""
_MOST_FOLLOWED = 50
_LOOK_S = 3.0


def pods_for(attempts: list[Attempt], what: str) -> list[Attempt]:
    """The pods that may have done a job or a step, in the order of their start.

    A chunk is named by its first job; a job in the middle of one may be in any pod of its step.
    """
    steps = ("plan", *(step.name for step in STEPS))
    step = what.partition("/")[0]
    if step not in steps:
        raise UserError(f"{what}: expected a step ({', '.join(steps)}) or the id of a job")
    of_step = [attempt for attempt in attempts if attempt.step == step]
    if what == step:
        return of_step
    named = [attempt for attempt in of_step if what in (attempt.chunk, attempt.first_job)]
    return named or of_step


def parse_line(line: str) -> Json | None:
    """A line of our own log as its fields; None for anything else (Argo's own lines, a traceback)."""
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) and "event" in value else None


def belongs(entry: Json | None, what: str) -> bool:
    """Whether a line is about a job; every line of a step's pods is about the step."""
    if "/" not in what or "+" in what:
        return True
    return entry is not None and entry.get("job") == what


def readable(entry: Json) -> str:
    """A line of the log for a person: time, level, job, event, and the other fields.

    >>> readable({"time": "T", "level": "info", "event": "epoch", "job": "a/b", "loss": 0.5})
    'T info    a/b: epoch loss=0.5'
    """
    fields = " ".join(
        f"{key}={_value(value)}" for key, value in entry.items() if key not in (*_AHEAD, "traceback")
    )
    job = f"{entry['job']}: " if entry.get("job") else ""
    text = f"{entry.get('time', '')} {entry.get('level', ''):<7} {job}{entry['event']} {fields}".rstrip()
    return f"{text}\n{entry['traceback']}" if entry.get("traceback") else text


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return value if isinstance(value, str) else json.dumps(value)


def is_argos(line: str) -> bool:
    """Whether a line was written by the program that Argo puts around the container's own."""
    if re.fullmatch(r"Error: exit status \d+", line):
        return True
    return line.startswith("time=") and " level=" in line and " msg=" in line


def last_reason(lines: list[str]) -> str | None:
    """Why the pod failed: the last thing that it said of an end, not an earlier trouble that it got over.

    Such are an error of our log with a reason, and the line with which a command ends. Without them, the
    last line that its program printed, or else what it was waiting for.
    """
    waited = None
    printed = None
    for line in reversed(lines):
        entry, text = parse_line(line), line.strip()
        if entry is not None:
            reason = str(entry["reason"]) if entry.get("reason") else None
            if reason is not None and entry.get("level") in ("error", "critical"):
                return reason
            waited = waited or reason
        elif text.startswith(_LAST_WORD):
            return text.removeprefix(_LAST_WORD)
        elif text and not is_argos(line):
            printed = printed or text
    return printed or waited


def failure_reasons(cluster: Cluster, workflow: Json, most: int = 5) -> dict[str, str]:
    """The reasons that failed pods give, by node: of the first ``most``, where their logs still exist."""
    reasons = {}
    failed = [attempt for attempt in newest_attempts(attempts_of(workflow)) if attempt.state == "failed"]
    for attempt in failed[:most]:
        with contextlib.suppress(NameplateError):
            reason = last_reason(list(cluster.pod_log(name_of(workflow), attempt.pod)))
            if reason is not None:
                reasons[attempt.node] = reason
    return reasons


def show_logs(
    cluster: Cluster, workflow: Json, what: str, *, follow: bool, raw: bool, say: Callable[[str], None]
) -> int:
    """Print the log of a job or of a step; UserError (exit code 2) when there is none."""
    attempts = pods_for(attempts_of(workflow), what)
    lines = _streams(cluster, workflow, what) if follow else _reads(cluster, workflow, attempts)
    shown = False
    for line in lines:
        entry = parse_line(line)
        if not belongs(entry, what):
            continue
        if raw:
            say(line)
        elif entry is not None:
            say(readable(entry))
        elif line and not is_argos(line):
            say(line)
        else:
            continue
        shown = True
    if not shown:
        raise UserError(_nothing(cluster, workflow, what, attempts))
    return 0


def _nothing(cluster: Cluster, workflow: Json, what: str, attempts: list[Attempt]) -> str:
    name = name_of(workflow)
    if not attempts:
        return f"{what}: no pod of {name} has done it (or not yet); it may be done since an earlier run"
    waiting = [attempt for attempt in attempts if attempt.state == "waiting"]
    if len(waiting) == len(attempts):
        return f"{what}: its pod has not started yet; nameplate status says why"
    if kept := list(dict.fromkeys(attempt.archived for attempt in attempts if attempt.archived)):
        more = f" and {len(kept) - 1} more" if len(kept) > 1 else ""
        return f"{what}: its pods are gone; Argo keeps their logs in its artifact store: {kept[0]}{more}"
    gone = f"{what}: no log of it (in {len(attempts)} pods of {name}); a pod's log goes with the pod, "
    return gone + f"which Argo deletes some time after its end: kubectl -n {cluster.namespace} get pods"


def _reads(cluster: Cluster, workflow: Json, attempts: list[Attempt]) -> Iterator[str]:
    for attempt in attempts:
        if attempt.state == "waiting":
            continue
        try:
            yield from cluster.pod_log(name_of(workflow), attempt.pod)
        except NotThere:
            continue


def _streams(cluster: Cluster, workflow: Json, what: str) -> Iterator[str]:
    """Lines of all pods as they arrive, later pods included, until the job or the workflow is over."""
    name = name_of(workflow)
    lines: queue.Queue[str] = queue.Queue()
    threads: dict[str, threading.Thread] = {}

    def read(pod: str) -> None:
        # The pod or the connection may be gone: what arrived before is shown.
        with contextlib.suppress(NameplateError):
            for line in cluster.pod_log(name, pod, follow=True):
                lines.put(line)

    looked = -_LOOK_S
    while True:
        if time.monotonic() - looked >= _LOOK_S:
            looked = time.monotonic()
            workflow = cluster.workflow(name)
            room = _MOST_FOLLOWED - sum(thread.is_alive() for thread in threads.values())
            begun = [
                attempt for attempt in pods_for(attempts_of(workflow), what) if attempt.state != "waiting"
            ]
            for attempt in [attempt for attempt in begun if attempt.pod not in threads][:room]:
                threads[attempt.pod] = threading.Thread(target=read, args=(attempt.pod,), daemon=True)
                threads[attempt.pod].start()
        try:
            yield lines.get(timeout=1.0)
            continue
        except queue.Empty:
            pass
        # An Argo Server keeps the log of a finished pod open until the workflow is over.
        alive = any(thread.is_alive() for thread in threads.values())
        if _all_ended(workflow, what) or (is_over(workflow) and not alive):
            return


def _all_ended(workflow: Json, what: str) -> bool:
    """Whether the job is done while the workflow still runs; a step may always get further pods."""
    if "/" not in what:
        return False
    attempts = pods_for(attempts_of(workflow), what)
    done = {attempt.task for attempt in attempts if attempt.state == "done"}
    return bool(attempts) and all(attempt.task in done for attempt in attempts)
