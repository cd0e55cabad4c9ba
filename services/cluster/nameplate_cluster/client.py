"""What the commands ask of a cluster.

Objects of the cluster stay plain JSON (``Json``), not models of some client's version.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Protocol

from nameplate_cluster.controller import Controller

Json = dict[str, Any]

Shutdown = Literal["Stop", "Terminate"]

CAMPAIGN_LABEL = "nameplate.dev/campaign"
SUBMITTER = "nameplate.dev/submitted-by"
"""Annotation of a workflow: who submitted it, as the cluster knows that person. A note, not a proof."""
CAMPAIGN_TEMPLATE = "nameplate-campaign"
REPORT_TEMPLATE = "nameplate-report"
POOLS = "nameplate-pools"
DEFAULT_NAMESPACE = "nameplate"
INSTANCE_LABEL = "workflows.argoproj.io/controller-instanceid"


class Cluster(Protocol):
    """One namespace of a cluster.

    Every call raises an error of ``http_errors``, one readable line; NotAllowed also where this kind of
    connection does not offer what was asked.
    """

    namespace: str
    place: str
    """How the server is named in messages."""

    def whoami(self) -> str:
        """The name that the server has for who asks; empty when it does not say."""

    def create_workflow(self, manifest: Json) -> Json:
        """Create a workflow; returns it with its name."""

    def workflow(self, name: str) -> Json:
        """A workflow with the status of every node."""

    def workflows(self, selector: str) -> list[Json]:
        """The workflows with these labels."""

    def shut_down(self, name: str, how: Shutdown) -> None:
        """End a workflow: Stop lets exit handlers run, Terminate does not."""

    def delete_workflow(self, name: str) -> None:
        """Delete a workflow and its pods."""

    def templates(self) -> dict[str, Json]:
        """The WorkflowTemplates by name."""

    def pod_log(self, workflow: str, pod: str, *, follow: bool = False) -> Iterator[str]:
        """The lines of a pod's main container, without line ends; NotThere when the pod is gone."""

    def pods(self, workflow: str) -> list[Json]:
        """The pods of a workflow that are still there."""

    def nodes(self) -> list[Json]:
        """The nodes of the cluster."""

    def quotas(self) -> list[Json]:
        """The ResourceQuotas of the namespace."""

    def limit_ranges(self) -> list[Json]:
        """The LimitRanges of the namespace."""

    def runtime_class(self, name: str) -> Json:
        """A RuntimeClass of the cluster; NotThere when there is none."""

    def priority_class(self, name: str) -> Json:
        """A PriorityClass of the cluster; NotThere when there is none."""

    def controllers(self) -> list[Controller]:
        """Argo's controllers in the whole cluster."""

    def has_secret(self, name: str) -> bool:
        """Whether the Secret exists; its content is dropped unread."""

    def config_map(self, name: str) -> dict[str, str]:
        """The data of a ConfigMap; NotThere when there is none."""

    def claim(self, name: str) -> Json:
        """A PersistentVolumeClaim; NotThere when there is none."""


def workflow_labels(template: Json, **labels: str) -> dict[str, str]:
    """Labels of a workflow that we create from a template: these, and that of the controller to take it.

    Where Argo's controller has an instance id it looks at workflows with its label alone.
    """
    instance = instance_id(template)
    return labels | ({INSTANCE_LABEL: instance} if instance else {})


def instance_id(template: Json) -> str:
    """The instance id that a controller must have to take workflows of a template; empty for none.

    ARGO_INSTANCEID, as for the argo command; else what the chart wrote to templates (workflow.instanceId).
    """
    label = (template.get("metadata") or {}).get("labels") or {}
    return os.environ.get("ARGO_INSTANCEID", str(label.get(INSTANCE_LABEL, "")))


def in_cluster_namespace() -> str | None:
    """The namespace of the pod that this process runs in; None outside a cluster."""
    try:
        path = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
        return path.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
