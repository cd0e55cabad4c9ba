"""Checking a cluster before a campaign is sent there: fetches what ``preflight`` checks."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from nameplate.campaign import Campaign
from nameplate.errors import UserError
from nameplate.plan.chunks import arms_of
from nameplate.plan.plan import plan
from nameplate_cluster.client import CAMPAIGN_LABEL, POOLS, Cluster, Json
from nameplate_cluster.http_errors import NotAllowed, NotThere
from nameplate_cluster.pods import PodNeeds, pods_of
from nameplate_cluster.pools import pool_of, read_pools
from nameplate_cluster.preflight import (
    Node,
    campaign_notes,
    campaign_problems,
    node_problems,
    quota_problems,
    running_problems,
    steps_needed,
    template_problems,
)

T = TypeVar("T")


@dataclass(frozen=True)
class Findings:
    """What stops a submission, and what else a person should know."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def check(cluster: Cluster, campaign: Campaign, text: str, only: str, *, elastic: bool = False) -> Findings:
    """Check the cluster before anything is sent.

    ``elastic`` leaves the nodes out. Raises the cluster's own error when it does not answer at all.
    """
    notes: list[str] = []  # what could not be checked
    steps = steps_needed(campaign, only)
    templates = cluster.templates()
    problems = campaign_problems(campaign, text) + template_problems(templates, steps, cluster.namespace)
    running = cluster.workflows(f"{CAMPAIGN_LABEL}={campaign.name},workflows.argoproj.io/completed!=true")
    problems += running_problems(running, campaign.name, cluster.namespace)
    pools, pool_problems = _pools_of(cluster, campaign, notes)
    problems += pool_problems
    pods = [
        pod
        for step in steps
        if f"nameplate-{step}" in templates
        for pod in pods_of(templates[f"nameplate-{step}"], step, pools)
    ]
    problems += _absent(cluster, pods, notes)
    if not elastic and (nodes := _look(cluster.nodes, notes, "what nodes offer")) is not None:
        problems += node_problems(pods, [Node.of(node) for node in nodes if _is_open(node)])
    if (quotas := _look(cluster.quotas, notes, "quotas")) is not None:
        problems += quota_problems(pods, quotas)
    unseen = [f"not checked, since this account may not look: {', '.join(dict.fromkeys(notes))}"]
    return Findings(tuple(problems), tuple(campaign_notes(campaign) + (unseen if notes else [])))


def _is_open(node: Json) -> bool:
    """Whether pods may be placed on the node: it is not cordoned."""
    return not (node.get("spec") or {}).get("unschedulable")


def _look(ask: Callable[[], T], notes: list[str], what: str) -> T | None:
    """The answer; None and a note when this account may not ask."""
    try:
        return ask()
    except NotAllowed:
        notes.append(what)
        return None


def _pools_of(
    cluster: Cluster, campaign: Campaign, notes: list[str]
) -> tuple[frozenset[str] | None, list[str]]:
    """The pools that the campaign's arms go to; None when they are unknown."""
    try:
        data = _look(lambda: cluster.config_map(POOLS), notes, "pools")
    except NotThere:
        return None, []  # the check of what the pods need says so
    if data is None or "pools.yaml" not in data:
        return None, []
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"ConfigMap {POOLS}"
            path.write_text(data["pools.yaml"], encoding="utf-8")
            pools = read_pools(path)
        return frozenset(pool_of(arm, pools).name for arm in arms_of(plan(campaign, {}, {}))), []
    except UserError as error:
        return None, [f"pools (ConfigMap {POOLS}): {str(error).rpartition('/')[2]}"]


def _absent(cluster: Cluster, pods: list[PodNeeds], notes: list[str]) -> list[str]:
    """Secrets, ConfigMaps and claims that the pods need and the namespace does not have."""
    problems = []
    fix = f"kubectl -n {cluster.namespace} get jobs (the chart's setup creates what it was not given)"
    for name in dict.fromkeys(name for pod in pods for name in pod.secrets):
        if _look(lambda name=name: cluster.has_secret(name), notes, "Secrets") is False:  # type: ignore[misc]
            problems.append(f"the namespace {cluster.namespace} has no Secret {name}: {fix}")
    for name in dict.fromkeys(name for pod in pods for name in pod.config_maps):
        try:
            _look(lambda name=name: cluster.config_map(name), notes, "ConfigMaps")  # type: ignore[misc]
        except NotThere:
            problems.append(
                f"the namespace {cluster.namespace} has no ConfigMap {name}: helm upgrade the chart"
            )
    for name in dict.fromkeys(name for pod in pods for name in pod.claims):
        steps = ", ".join(dict.fromkeys(pod.step for pod in pods if name in pod.claims))
        try:
            claim = _look(lambda name=name: cluster.claim(name), notes, "PersistentVolumeClaims")  # type: ignore[misc]
        except NotThere:
            problems.append(
                f"the namespace {cluster.namespace} has no PersistentVolumeClaim {name}, which the pods of"
                f" {steps} mount: create it, or correct data.existingClaim of the chart"
            )
            continue
        if claim is not None and (trouble := claim_trouble(claim)):
            problems.append(f"the PersistentVolumeClaim {name}, which the pods of {steps} mount, {trouble}")
    return problems


def claim_trouble(claim: Json) -> str:
    """Why pods on several nodes cannot mount the claim; empty if they can."""
    phase = (claim.get("status") or {}).get("phase")
    if phase == "Lost":
        return "has lost its volume"
    modes = set((claim.get("status") or {}).get("accessModes") or claim["spec"].get("accessModes") or ())
    if modes and not modes & {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"}:
        return f"is for one pod at a time ({', '.join(sorted(modes))}): several must mount it at once"
    return ""
