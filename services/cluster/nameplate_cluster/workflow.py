"""Reading an Argo Workflow's JSON: pods by step, their attempts, and why one is waiting. Pure."""

import base64
import gzip
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from nameplate.errors import UserError
from nameplate_cluster.client import CAMPAIGN_LABEL, SUBMITTER, Json

STAGES = ("plan", "export")
State = Literal["waiting", "running", "done", "failed"]
_STATES: dict[str, State] = {
    "": "waiting",
    "Pending": "waiting",
    "Running": "running",
    "Succeeded": "done",
    "Failed": "failed",
    "Error": "failed",
}


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """One pod."""

    node: str
    """Id of the node."""
    pod: str
    """Name of the pod."""
    task: str
    """Name of its task; attempts at the same task share it."""
    step: str
    """A step of the pipeline, or 'plan'."""
    chunk: str
    """Its chunk or arm, as the plan names it, or empty."""
    state: State
    message: str
    began: datetime | None
    """When the workflow asked for the pod."""
    ended: datetime | None
    host: str
    """The node of the cluster that it ran on; empty when it never got one."""
    exit_code: int | None
    timing: Json
    """Where its time went, as the pod wrote it; empty when it did not."""
    archived: str = ""
    """Where Argo put its log, as bucket/key; empty when it did not."""

    @property
    def first_job(self) -> str:
        """The first job of its chunk."""
        return self.chunk.rpartition("+")[0] or self.chunk


def name_of(workflow: Json) -> str:
    """The workflow's name."""
    return str(workflow["metadata"]["name"])


def campaign_of(workflow: Json) -> str:
    """The name of its campaign; empty for a workflow of something else."""
    return str((workflow["metadata"].get("labels") or {}).get(CAMPAIGN_LABEL, ""))


def newest_of(workflows: Iterable[Json]) -> Json:
    """The one of these workflows that was made last."""
    return max(workflows, key=lambda item: (item["metadata"]["creationTimestamp"], name_of(item)))


def phase_of(workflow: Json) -> str:
    """Pending, Running, Succeeded, Failed or Error."""
    return str((workflow.get("status") or {}).get("phase") or "Pending")


def submitter_of(workflow: Json) -> str:
    """Who submitted it: the person that an Argo Server named, or the cluster's account; empty if unknown."""
    labels = workflow["metadata"].get("labels") or {}
    for name in ("creator-preferred-username", "creator-email", "creator"):
        if label := labels.get(f"workflows.argoproj.io/{name}"):
            return str(label)
    return str((workflow["metadata"].get("annotations") or {}).get(SUBMITTER, ""))


def parameter_of(workflow: Json, name: str) -> str:
    """What a parameter was given when it was submitted; empty if nothing."""
    return _parameters((workflow.get("spec") or {}).get("arguments")).get(name, "")


def state_of(workflow: Json) -> str:
    """Its state in a word: waiting, running, stopping, stopped, failed or done."""
    words = {"Succeeded": "done", "Failed": "failed", "Error": "failed", "Pending": "waiting"}
    state = words.get(phase_of(workflow), "running")
    if (workflow.get("spec") or {}).get("shutdown"):
        return {"running": "stopping", "waiting": "stopping", "failed": "stopped"}.get(state, state)
    return state


def is_over(workflow: Json) -> bool:
    """Whether nothing more will happen."""
    return phase_of(workflow) in ("Succeeded", "Failed", "Error")


def message_of(workflow: Json) -> str:
    """Argo's message about the whole workflow."""
    return str((workflow.get("status") or {}).get("message") or "")


def time_of(text: Any) -> datetime | None:
    """A time as Kubernetes writes it; None when there is none."""
    if not text:
        return None
    return datetime.strptime(str(text), "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


def nodes_of(workflow: Json) -> dict[str, Json]:
    """The nodes by id; Argo compresses those of large workflows.

    Raises UserError when the site's Argo keeps them in a database.
    """
    status = workflow.get("status") or {}
    if packed := status.get("compressedNodes"):
        nodes: dict[str, Json] = json.loads(gzip.decompress(base64.b64decode(packed)))
        return nodes
    if status.get("offloadNodeStatusVersion") and not status.get("nodes"):
        raise UserError(
            f"{name_of(workflow)}: this Argo keeps the nodes of large workflows in its database; "
            "set ARGO_SERVER and ARGO_TOKEN to ask its server instead"
        )
    return dict(status.get("nodes") or {})


def step_of(node: Json) -> str:
    """The step of a node, by its template; else its own name."""
    reference = node.get("templateRef") or {}
    template = str(reference.get("name") or node.get("templateScope", "").rpartition("/")[2])
    step = template.removeprefix("nameplate-")
    if step in ("", "campaign", template):
        return re.sub(r"[(:].*", "", str(node.get("displayName") or node.get("name") or "?"))
    return step


def pod_name(workflow: str, node: Json) -> str:
    """The name that Argo gives to a node's pod.

    It joins the workflow's name, the template's, and the number at the end of the node's id, cut to what
    Kubernetes accepts. The only pod of a workflow without steps has the workflow's name.
    """
    if node["name"] == workflow:
        return workflow
    template = str((node.get("templateRef") or {}).get("template") or node.get("templateName") or "")
    number = str(node["id"]).rpartition("-")[2]
    return f"{f'{workflow}-{template}'[:242]}-{number}"


def attempts_of(workflow: Json) -> list[Attempt]:
    """Every pod of the workflow, in the order of their requests."""
    name = name_of(workflow)
    attempts = []
    for node in nodes_of(workflow).values():
        if node.get("type") != "Pod" or node.get("phase") in ("Skipped", "Omitted"):
            continue
        inputs = _parameters(node.get("inputs"))
        outputs = node.get("outputs") or {}
        code = outputs.get("exitCode")
        # An attempt's name is its task's, then its number: "(0)".
        retried = (node.get("nodeFlag") or {}).get("retried")
        task = re.sub(r"\(\d+\)$", "", node["name"]) if retried else node["name"]
        attempts.append(
            Attempt(
                node=str(node["id"]),
                pod=pod_name(name, node),
                task=task,
                step=step_of(node),
                chunk=inputs.get("chunk") or inputs.get("arm", ""),
                state=_STATES.get(str(node.get("phase") or ""), "failed"),
                message=str(node.get("message") or ""),
                began=time_of(node.get("startedAt")),
                ended=time_of(node.get("finishedAt")),
                host=str(node.get("hostNodeName") or ""),
                exit_code=int(code) if code is not None and str(code).lstrip("-").isdigit() else None,
                timing=_timing(_parameters(outputs).get("timing", "")),
                archived=_archived_log(outputs),
            )
        )
    start = datetime.min.replace(tzinfo=UTC)
    return sorted(attempts, key=lambda attempt: (attempt.began or start, attempt.node))


def newest_attempts(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The last attempt at each task, in the order of their first."""
    last: dict[str, Attempt] = {}
    for attempt in attempts:
        last[attempt.task] = attempt
    return list(last.values())


def _parameters(part: Any) -> dict[str, str]:
    return {item["name"]: str(item.get("value", "")) for item in (part or {}).get("parameters") or ()}


def _archived_log(outputs: Json) -> str:
    """Where Argo put the log of the main container; a place without a bucket is in Argo's default one."""
    for artifact in outputs.get("artifacts") or ():
        if artifact.get("name") == "main-logs":
            places: list[Json] = [
                artifact[kind] for kind in ("s3", "gcs", "oss", "azure") if kind in artifact
            ]
            parts = [place.get(key) for place in places for key in ("bucket", "container", "key", "blob")]
            return "/".join(str(part) for part in parts if part)
    return ""


def _timing(text: str) -> Json:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
