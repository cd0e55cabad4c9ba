"""Checks before a submission, on what was fetched from the cluster. Pure.

Every check gives one line per problem, with what to do; all are reported at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from nameplate.campaign import Campaign
from nameplate.plan.estimate import cell_estimates
from nameplate.plan.pipeline import ARM_STEPS, STEPS
from nameplate.plan.plan import plan
from nameplate_cluster.client import CAMPAIGN_TEMPLATE, Json
from nameplate_cluster.pods import PodNeeds
from nameplate_cluster.quantity import parse_quantity, show_quantity
from nameplate_cluster.workflow import is_over, name_of

MOST_JOBS = 20_000
MOST_BYTES = 100_000
"""Of a campaign file: Argo passes it as one argument, and Linux takes 128 KiB."""


@dataclass(frozen=True)
class Node:
    """A node, as far as it decides whether a pod fits on it when it is empty."""

    name: str
    allocatable: dict[str, Fraction]
    labels: dict[str, str]
    taints: tuple[Json, ...]

    @classmethod
    def of(cls, node: Json) -> "Node":
        """From the cluster's JSON."""
        amounts = (node.get("status") or {}).get("allocatable") or {}
        return cls(
            name=node["metadata"]["name"],
            allocatable={name: parse_quantity(text) for name, text in amounts.items()},
            labels=dict(node["metadata"].get("labels") or {}),
            taints=tuple((node.get("spec") or {}).get("taints") or ()),
        )

    def admits(self, pod: PodNeeds) -> bool:
        """Whether its labels and taints admit the pod; a node that is being drained does not."""
        if any(self.labels.get(key) != value for key, value in pod.selector.items()):
            return False
        hard = [taint for taint in self.taints if taint.get("effect") in ("NoSchedule", "NoExecute")]
        return all(any(_tolerates(item, taint) for item in pod.tolerations) for taint in hard)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint.get("key"):
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def campaign_problems(campaign: Campaign, text: str) -> list[str]:
    """What makes the campaign itself unfit for one workflow."""
    problems = []
    size = len(text.encode())
    if size > MOST_BYTES:
        problems.append(f"the campaign file has {size:,} bytes, a workflow takes {MOST_BYTES:,}: shorten it")
    if "{{" in text:
        problems.append(
            "the campaign file contains '{{', which Argo would read as a parameter: reword that line"
        )
    rows = cell_estimates(campaign)
    jobs = len(plan(campaign, {}, {}).jobs) + sum(max(0, row.limit - row.first) for row in rows)
    if jobs > MOST_JOBS:
        problems.append(
            f"the grid comes to {jobs:,} jobs at most, a workflow takes {MOST_JOBS:,}: divide the campaign's "
            "experiments or cohorts among several campaigns"
        )
    return problems


def campaign_notes(campaign: Campaign) -> list[str]:
    """What a person should know, though it is not a problem."""
    return [
        f"cohorts.{name}.folder: {cohort.folder} is a path in the pods (values: data.existingClaim)"
        for name, cohort in campaign.cohorts.items()
        if cohort.folder is not None
    ]


def steps_needed(campaign: Campaign, only: str) -> tuple[str, ...]:
    """The steps that will have pods, in order, 'plan' first."""
    names = tuple(step.name for step in STEPS)
    if only in ARM_STEPS:
        return ("plan", *ARM_STEPS)
    if only:
        return ("plan", only)
    known = {job.step for job in plan(campaign, {}, {}).jobs} | {*ARM_STEPS, "report"}
    return ("plan", *(name for name in names if name in known))


def template_problems(templates: Iterable[str], steps: Sequence[str], namespace: str) -> list[str]:
    """Missing templates."""
    existing = set(templates)
    install = f"helm install nameplate charts/nameplate -n {namespace} --create-namespace"
    if CAMPAIGN_TEMPLATE not in existing:
        return [f"the namespace {namespace} has no WorkflowTemplate {CAMPAIGN_TEMPLATE}: {install}"]
    absent = [f"nameplate-{step}" for step in steps if f"nameplate-{step}" not in existing]
    if absent:
        upgrade = install.replace("helm install", "helm upgrade --install")
        return [f"the namespace {namespace} lacks the WorkflowTemplates {', '.join(absent)}: {upgrade}"]
    return []


def running_problems(workflows: Iterable[Json], campaign: str, namespace: str) -> list[str]:
    """A campaign of the same name that is still running."""
    return [
        f"{campaign} is already running as {name_of(workflow)}: nameplate status {campaign} -n {namespace} "
        f"--watch shows it, nameplate stop {campaign} -n {namespace} ends it"
        for workflow in workflows
        if not is_over(workflow)
    ]


def node_problems(pods: Iterable[PodNeeds], nodes: Sequence[Node]) -> list[str]:
    """Pods that no node can take, not even an empty one."""
    problems: dict[str, list[str]] = {}
    for pod in pods:
        problem = _placing_problem(pod, nodes)
        if problem is not None:
            problems.setdefault(problem, []).append(pod.name)
    return [f"{', '.join(dict.fromkeys(names))}: {problem}" for problem, names in problems.items()]


def _placing_problem(pod: PodNeeds, nodes: Sequence[Node]) -> str | None:
    for resource, amount in pod.extended.items():
        here = max((node.allocatable.get(resource, Fraction(0)) for node in nodes), default=Fraction(0))
        if here == 0:
            offered = sorted({name for node in nodes for name in node.allocatable if "/" in name})
            has = f"they have {', '.join(offered)}" if offered else "they have nothing of the kind"
            return (
                f"asks for {resource}, which no node has ({has}); set pools.<name>.gpu in the chart's values "
                "(count 0 trains on CPUs)"
            )
        if here < amount:
            return (
                f"asks for {amount} {resource}, and no node has more than {here}; "
                "lower pools.<name>.gpu.count"
            )
    admitting = [node for node in nodes if node.admits(pod)]
    if not admitting:
        wanted = ", ".join(f"{key}={value}" for key, value in pod.selector.items())
        where = f"with the labels {wanted} " if wanted else ""
        return (
            f"no node {where}takes its pods (labels and taints); set nodeSelector and tolerations in the "
            "chart's values to match the nodes (kubectl describe nodes)"
        )
    if any(_holds(node, pod) for node in admitting):
        return None
    asked = ", ".join(f"{show_quantity(name, pod.requests[name])} {name}" for name in sorted(pod.requests))
    most = {
        name: max(node.allocatable.get(name, Fraction(0)) for node in admitting)
        for name in sorted(pod.requests)
    }
    largest = ", ".join(f"{show_quantity(name, amount)} {name}" for name, amount in most.items())
    return f"asks for {asked}; no node is large enough (at most {largest}): lower its resources.requests"


def _holds(node: Node, pod: PodNeeds) -> bool:
    return all(node.allocatable.get(name, Fraction(0)) >= amount for name, amount in pod.requests.items())


def quota_problems(pods: Iterable[PodNeeds], quotas: Iterable[Json]) -> list[str]:
    """Quotas that a single pod exceeds: it could never start."""
    problems: dict[str, list[str]] = {}
    pods = list(pods)
    for quota in quotas:
        spec = quota.get("spec") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue  # applies to some pods only; the cluster knows better which ones
        for name, text in (spec.get("hard") or {}).items():
            hard = parse_quantity(text)
            for pod in pods:
                amount = _counted(pod, name)
                if amount is not None and amount > hard:
                    resource = name.rpartition("requests.")[2].rpartition("limits.")[2]
                    asked = show_quantity(resource, amount)
                    problem = (
                        f"the quota {quota['metadata']['name']} allows {name} up to "
                        f"{show_quantity(resource, hard)}, and one pod asks for {asked}: raise it"
                    )
                    problems.setdefault(problem, []).append(pod.name)
    return [f"{', '.join(dict.fromkeys(names))}: {problem}" for problem, names in problems.items()]


def _counted(pod: PodNeeds, quota: str) -> Fraction | None:
    """How much of a quota one pod uses up; None for a quota of something else."""
    if quota in ("pods", "count/pods"):
        return Fraction(1)
    kind, dot, resource = quota.partition(".")
    if dot and kind == "limits":
        return pod.limits.get(resource)
    if dot and kind == "requests":
        return pod.requests.get(resource)
    return pod.requests.get(quota) if quota in ("cpu", "memory", "ephemeral-storage") else None
