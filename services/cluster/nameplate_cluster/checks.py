"""Checking a cluster before a campaign is sent there: fetches what ``preflight`` checks."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from nameplate.campaign import Campaign
from nameplate.errors import UserError
from nameplate.plan.chunks import arms_of
from nameplate.plan.plan import plan
from nameplate_cluster.admission import quota_problems, range_problems, with_defaults
from nameplate_cluster.client import CAMPAIGN_LABEL, CAMPAIGN_TEMPLATE, POOLS, Cluster, Json, instance_id
from nameplate_cluster.controller import controller_notes, controller_problems, executor_settings
from nameplate_cluster.difference import difference, shown
from nameplate_cluster.http_errors import NotAllowed, NotThere
from nameplate_cluster.placement import SETTINGS, Node, node_notes, node_problems, with_runtime_classes
from nameplate_cluster.pods import PodNeeds, pods_of
from nameplate_cluster.pools import pool_of, read_pools
from nameplate_cluster.preflight import (
    by_whom,
    campaign_notes,
    campaign_problems,
    planned_workflow,
    running_problems,
    steps_needed,
    template_problems,
)
from nameplate_cluster.workflow import name_of, parameter_of

T = TypeVar("T")


@dataclass(frozen=True)
class Findings:
    """What stops a submission, and what else a person should know."""

    problems: tuple[str, ...]
    notes: tuple[str, ...]
    difference: tuple[str, ...] = ()
    """What differs from the campaign's file that is there, as lines of a diff."""


def check(
    cluster: Cluster,
    campaign: Campaign,
    text: str,
    only: str,
    *,
    elastic: bool = False,
    replace: bool = False,
) -> Findings:
    """Check the cluster before anything is sent.

    ``elastic`` leaves the nodes out, ``replace`` allows another file of the campaign to be there. Raises the
    cluster's own error when it does not answer at all.
    """
    unseen: list[str] = []  # what could not be checked
    steps = steps_needed(campaign, only)
    templates = cluster.templates()
    problems = campaign_problems(campaign, text) + template_problems(templates, steps, cluster.namespace)
    notes = campaign_notes(campaign)
    earlier = cluster.workflows(f"{CAMPAIGN_LABEL}={campaign.name}")
    problems += running_problems(earlier, campaign.name, cluster.namespace)
    owner = planned_workflow(earlier)
    differing = difference(parameter_of(owner, "file"), text) if owner is not None else []
    if owner is not None and differing and not replace:
        known = f"workflow {name_of(owner)}{by_whom(owner)}"
        problems.append(
            f"another file of the campaign {campaign.name} is there ({known}); "
            "it differs as shown: submit with --replace to put this one in its place, or give it another name"
        )
    controllers = _look(cluster.controllers, unseen, "Argo's controller")
    if controllers is not None:
        problems += controller_problems(
            controllers, cluster.namespace, instance_id(templates.get(CAMPAIGN_TEMPLATE) or {})
        )
        notes += controller_notes(controllers)
    pools, pool_problems = _pools_of(cluster, campaign, unseen)
    problems += pool_problems
    argo = executor_settings(controllers or ())
    pods = [
        pod
        for step in steps
        if f"nameplate-{step}" in templates
        for pod in pods_of(templates[f"nameplate-{step}"], step, pools, argo)
    ]
    nodes = None if elastic else _look(cluster.nodes, unseen, "what nodes offer")
    machines = [Node.of(node) for node in nodes or ()]
    claims: dict[str, Json] = {}
    problems += _absent(cluster, pods, claims, unseen)
    waits = {name: claim_note(claim, len(machines)) for name, claim in claims.items()}
    notes += [f"the PersistentVolumeClaim {name} {wait}" for name, wait in waits.items() if wait]
    classes, class_problems = _classes_of(cluster, pods, unseen)
    problems += class_problems
    pods = with_runtime_classes(pods, classes)
    ranges = _look(cluster.limit_ranges, unseen, "LimitRanges")
    pods = with_defaults(pods, ranges or ())
    problems += range_problems(pods, ranges or ())
    if nodes is not None:
        problems += node_problems(pods, machines)
        notes += node_notes(pods, machines)
    if (quotas := _look(cluster.quotas, unseen, "quotas")) is not None:
        problems += quota_problems(pods, quotas, defaults_known=ranges is not None)
    if unseen:
        notes.append(f"not checked, since this account may not look: {', '.join(dict.fromkeys(unseen))}")
    return Findings(tuple(problems), tuple(notes), tuple(shown(differing)))


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


def _classes_of(
    cluster: Cluster, pods: list[PodNeeds], unseen: list[str]
) -> tuple[dict[str, Json], list[str]]:
    """The RuntimeClasses of the pods by name, and classes that are not there: such pods are refused."""
    runtimes: dict[str, Json] = {}
    problems = []
    for name in dict.fromkeys(pod.runtime_class for pod in pods if pod.runtime_class):
        try:
            if (found := _look(partial(cluster.runtime_class, name), unseen, "RuntimeClasses")) is not None:
                runtimes[name] = found
        except NotThere:
            problems.append(f"the cluster has no RuntimeClass {name}: correct runtimeClassName {SETTINGS}")
    for name in dict.fromkeys(pod.priority_class for pod in pods if pod.priority_class):
        try:
            _look(partial(cluster.priority_class, name), unseen, "PriorityClasses")
        except NotThere:
            problems.append(f"the cluster has no PriorityClass {name}: correct priorityClassName {SETTINGS}")
    return runtimes, problems


def _absent(cluster: Cluster, pods: list[PodNeeds], claims: dict[str, Json], unseen: list[str]) -> list[str]:
    """Secrets, ConfigMaps and claims that the pods need and the namespace does not have as they need them.

    Those claims that are there are put into ``claims``.
    """
    problems = []
    fix = f"kubectl -n {cluster.namespace} get jobs (the chart's setup creates what it was not given)"
    for name in dict.fromkeys(name for pod in pods for name in pod.secrets):
        if _look(partial(cluster.has_secret, name), unseen, "Secrets") is False:
            problems.append(f"the namespace {cluster.namespace} has no Secret {name}: {fix}")
    authorities = {name for pod in pods for name in pod.authorities}
    for name in dict.fromkeys(name for pod in pods for name in pod.config_maps):
        try:
            data = _look(partial(cluster.config_map, name), unseen, "ConfigMaps")
        except NotThere:
            repair = (
                authority_fix(name, cluster.namespace) if name in authorities else "helm upgrade the chart"
            )
            problems.append(f"the namespace {cluster.namespace} has no ConfigMap {name}: {repair}")
            continue
        if data is not None and name in authorities and (trouble := authority_trouble(data)):
            repair = authority_fix(name, cluster.namespace)
            problems.append(f"the ConfigMap {name} (objectStore.authority) {trouble}: {repair}")
    for name in dict.fromkeys(name for pod in pods for name in pod.claims):
        steps = ", ".join(dict.fromkeys(pod.step for pod in pods if name in pod.claims))
        try:
            claim = _look(partial(cluster.claim, name), unseen, "PersistentVolumeClaims")
        except NotThere:
            problems.append(
                f"the namespace {cluster.namespace} has no PersistentVolumeClaim {name}, which the pods of"
                f" {steps} mount: create it, or correct data.existingClaim of the chart"
            )
            continue
        if claim is None:
            continue
        claims[name] = claim
        if trouble := claim_trouble(claim):
            problems.append(f"the PersistentVolumeClaim {name}, which the pods of {steps} mount, {trouble}")
    return problems


def authority_fix(name: str, namespace: str) -> str:
    """The command that makes an authority's ConfigMap."""
    return f"kubectl -n {namespace} create configmap {name} --from-file=ca.crt"


def authority_trouble(data: Mapping[str, str]) -> str:
    """Why pods cannot trust what a ConfigMap holds; empty if they can."""
    if "ca.crt" not in data:
        return f"has no ca.crt, the authority's certificate (it has {', '.join(sorted(data)) or 'nothing'})"
    if "-----BEGIN CERTIFICATE-----" not in data["ca.crt"]:
        return "has a ca.crt that holds no certificate (expected PEM, -----BEGIN CERTIFICATE-----)"
    return ""


def claim_trouble(claim: Json) -> str:
    """Why pods on several nodes cannot mount the claim; empty if they can."""
    phase = (claim.get("status") or {}).get("phase")
    if phase == "Lost":
        return "has lost its volume"
    if (claim.get("metadata") or {}).get("deletionTimestamp"):
        return "is being deleted"
    if claim["spec"].get("volumeMode") == "Block":
        return "is a raw block device: it must have a file system (volumeMode: Filesystem)"
    modes = claim_modes(claim)
    if modes and not modes & {"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"}:
        return f"is for one pod at a time ({', '.join(sorted(modes))}): several must mount it at once"
    return ""


def claim_note(claim: Json, nodes: int) -> str:
    """What may keep pods waiting for a claim that they can mount; empty if nothing."""
    if claim_modes(claim) == {"ReadWriteOnce"} and nodes != 1:
        return "is for one node at a time (ReadWriteOnce): pods on other nodes wait"
    if (claim.get("status") or {}).get("phase") == "Pending":
        return "has no volume yet; pods wait for one"
    return ""


def claim_modes(claim: Json) -> set[str]:
    """The access modes of its volume or, without one, those that it asks for."""
    return set((claim.get("status") or {}).get("accessModes") or claim["spec"].get("accessModes") or ())
