"""Why a pod is waiting: what Kubernetes and Argo say, in plain words. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from nameplate_cluster.client import Json


@dataclass(frozen=True)
class Wait:
    """A reason, and whether time alone may fix it."""

    kind: Literal["image", "setup", "room", "quota", "turn", "queue", "start"]
    """image: cannot be pulled; setup: a Secret or ConfigMap is missing; room: no node has room;
    quota: the namespace's quota is used up; turn: others go first; queue: a queue holds it back;
    start: it is being started."""
    text: str

    @property
    def hopeless(self) -> bool:
        """Whether somebody has to fix something first."""
        return self.kind in ("image", "setup")


HELD = "SchedulingGated"
"""Kubernetes' word for a pod that is not to be scheduled yet."""
QUEUE_LABEL = "kueue.x-k8s.io/queue-name"

_IMAGE = ("ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError")
_IMAGE_NAME = re.compile(
    r'(?:Back-off pulling image|Container image|pull and unpack image|apply default image tag) "([^"]+)"'
)


def wait_of(message: str) -> Wait:
    """The reason that the message of a waiting node gives."""
    word, _, rest = message.partition(": ")
    if word in _IMAGE:
        name = _IMAGE_NAME.search(message)
        image = f"the image {name[1].removeprefix('docker.io/')}" if name else "the image"
        # Kubernetes alternates between these two while it tries again: they are one reason.
        why = "" if word in ("ImagePullBackOff", "ErrImagePull") else f" ({word})"
        return Wait("image", f"{image} cannot be pulled{why}")
    if word in ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"):
        return Wait("setup", f"its container cannot be created: {_short(rest)}")
    if word in ("Unschedulable", "PodScheduled"):
        return Wait("room", f"no node has room: {_short(rest.partition(' no new claims')[0])}")
    if word == HELD:
        return Wait("queue", f"held by a queue ({rest})")
    if quota := re.search(r"exceeded quota: (\S+), requested: (.*)", message):
        return Wait("quota", f"the quota {quota[1]} is used up: requested {_short(quota[2])}")
    if "is forbidden" in message:
        return Wait("setup", f"the namespace does not admit it: {_short(message)}")
    if lock := re.search(r"[Ww]aiting for (\S+) lock", message):
        return Wait("turn", f"waits for its turn ({lock[1].rpartition('/')[2]})")
    if "parallelism" in message:
        return Wait("turn", "waits for its turn (the workflow's parallelism is reached)")
    return Wait("start", _short(message) or "is being started")


def held_back(pod: Json) -> str | None:
    """What holds a pod back that has scheduling gates: its queue in Kueue, or the gates; else None."""
    gates = [str(gate.get("name")) for gate in (pod.get("spec") or {}).get("schedulingGates") or ()]
    queue = (pod["metadata"].get("labels") or {}).get(QUEUE_LABEL)
    return None if not gates else str(queue) if queue else ", ".join(gates)


def _short(text: str) -> str:
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= 160 else text[:157] + "..."
