"""Waiting for the first pod of a workflow, the plan.

Wrong credentials, a missing bucket, a wrong campaign file and an image that cannot be pulled all show
there, and ``submit`` reports them at once.
"""

import time

from nameplate.errors import NameplateError, TryAgain, UserError
from nameplate_cluster.client import INSTANCE_LABEL, Cluster, Json
from nameplate_cluster.logs import last_reason
from nameplate_cluster.waiting import Wait, wait_of
from nameplate_cluster.watch import ImageAlarm, follow, is_held, say
from nameplate_cluster.workflow import Attempt, attempts_of, is_over, message_of

IMAGE_S = 20.0
"""How long the first pod may be without its image, Secret or ConfigMap."""
PLAN_S = 900.0
"""How long submit waits for the plan: the first pod on a node has to pull its image."""


UNSEEN_S = 30.0
"""After how long without a phase it is said that no controller has taken a workflow."""


def unseen(workflow: Json) -> str:
    """What to look at when no controller takes a workflow."""
    instance = (workflow["metadata"].get("labels") or {}).get(INSTANCE_LABEL)
    asked = f"it has the instance id {instance!r}" if instance else "it has none"
    return (
        f"no controller has taken this workflow for {UNSEEN_S:g} s: is Argo's controller running, does it"
        f" watch this namespace, and if it has an instance id, is it that of the workflow ({asked};"
        " workflow.instanceId in the chart's values, or ARGO_INSTANCEID for one command)?"
    )


class PodFailed(NameplateError):
    """A pod that a person waits for failed; the exit code is that pod's."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(text)
        self.exit_code = exit_code


def await_plan(cluster: Cluster, name: str, campaign: str) -> None:
    """Wait until the plan's pod is done; raises its error when it fails."""
    alarm = ImageAlarm(IMAGE_S, ("plan",))
    trouble: list[tuple[Attempt, Wait]] = []
    told: set[str] = set()
    began = time.monotonic()

    def until(workflow: Json) -> bool:
        if not (workflow.get("status") or {}).get("phase") and time.monotonic() - began >= UNSEEN_S:
            _tell(told, unseen(workflow))
        attempts = [attempt for attempt in attempts_of(workflow) if attempt.step == "plan"]
        if attempts and attempts[-1].state == "waiting":
            _tell(told, f"plan: {wait_of(attempts[-1].message).text}")
        elif not attempts and message_of(workflow):
            _tell(told, f"plan: {wait_of(message_of(workflow)).text}")
        elif attempts and attempts[-1].state == "running":
            _tell(told, "plan: running")
        if (pod := alarm.trouble(workflow, time.monotonic())) is not None:
            trouble.append(pod)
        return bool(trouble) or (bool(attempts) and attempts[-1].state == "done")

    while True:
        workflow = follow(cluster, name, until=until, every_s=1.0, limit_s=PLAN_S)
        attempts = [attempt for attempt in attempts_of(workflow) if attempt.step == "plan"]
        # In a queue the time to start does not begin.
        if trouble or is_over(workflow) or not is_held(attempts):
            break
    if trouble:
        raise stopped(cluster, name, *trouble[0])
    if attempts and attempts[-1].state == "done":
        return
    if is_over(workflow):
        raise plan_failure(cluster, name, attempts, message_of(workflow))
    why = wait_of(attempts[-1].message if attempts else message_of(workflow)).text
    raise TryAgain(
        f"the plan is not done after {PLAN_S / 60:.0f} minutes ({why}); the workflow {name} keeps running: "
        f"nameplate status (or stop) {campaign} -n {cluster.namespace}"
    )


def plan_failure(cluster: Cluster, name: str, attempts: list[Attempt], message: str) -> NameplateError:
    """Why the plan failed, from its log where there is one."""
    if not attempts:
        return PodFailed(f"the workflow {name} failed before its plan: {message or 'no reason given'}", 2)
    last = attempts[-1]
    reason = None
    if last.exit_code is not None:
        try:
            reason = last_reason(list(cluster.pod_log(name, last.pod)))
        except NameplateError:
            reason = None
    code = last.exit_code if last.exit_code in (2, 75) else 1
    hint = "; the same command again may succeed" if code == 75 else ""
    return PodFailed(f"the plan failed: {reason or last.message or message}{hint} (workflow {name})", code)


def stopped(cluster: Cluster, name: str, attempt: Attempt, wait: Wait) -> NameplateError:
    """End a workflow that would wait forever; returns the error that says so."""
    cluster.shut_down(name, "Terminate")
    if wait.kind == "image":
        fix = (
            "make it reachable for the nodes (image.registry, image.tag and image.pullSecrets in the chart's "
            "values; make images builds it), then submit again"
        )
    else:
        fix = f"kubectl -n {cluster.namespace} describe pod {attempt.pod} tells more; fix it and submit again"
    return UserError(f"{attempt.step}: {wait.text}; stopped {name}: {fix}")


def _tell(told: set[str], text: str) -> None:
    if text not in told:
        told.add(text)
        say(text)
