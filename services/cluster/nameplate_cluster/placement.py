"""Whether a campaign's pods find a node, as the cluster's scheduler would decide on empty nodes. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from nameplate_cluster.client import Json
from nameplate_cluster.pods import PodNeeds, by_problem
from nameplate_cluster.quantity import parse_quantity, show_quantity

ARCHITECTURE = "kubernetes.io/arch"
SETTINGS = "in the chart's values (pods, or the step's or pool's own)"


@dataclass(frozen=True)
class Obstacle:
    """Why a node does not take a pod that it has room for."""

    rank: int
    """The higher, the nearer the node is to taking it: the scheduler's checks in their order."""
    text: str
    """What the node has or lacks."""
    fix: str


@dataclass(frozen=True)
class Node:
    """A node, as far as it decides whether a pod fits on it when it is empty."""

    name: str
    allocatable: dict[str, Fraction]
    labels: dict[str, str]
    taints: tuple[Json, ...]
    cordoned: bool

    @classmethod
    def of(cls, node: Json) -> "Node":
        """From the cluster's JSON."""
        amounts = (node.get("status") or {}).get("allocatable") or {}
        spec = node.get("spec") or {}
        return cls(
            name=node["metadata"]["name"],
            allocatable={name: parse_quantity(text) for name, text in amounts.items()},
            labels=dict(node["metadata"].get("labels") or {}),
            taints=tuple(spec.get("taints") or ()),
            cordoned=bool(spec.get("unschedulable")),
        )

    def holds(self, pod: PodNeeds) -> bool:
        """Whether it has room for the pod when it is empty."""
        return all(self.allocatable.get(name, Fraction(0)) >= amount for name, amount in pod.requests.items())

    def obstacle(self, pod: PodNeeds) -> Obstacle | None:
        """What keeps the pod away, whatever the node's size; None when it is admitted."""
        if self.cordoned:
            return Obstacle(0, "is cordoned", f"kubectl uncordon {self.name}")
        for key, value in pod.selector.items():
            if self.labels.get(key) != value:
                has = f"has {key}={self.labels[key]}, not" if key in self.labels else "has no label"
                return Obstacle(1, f"{has} {key}={value}", f"set nodeSelector {SETTINGS}")
        terms = _required(pod.affinity)
        if terms is not None and not any(self._meets(term) for term in terms):
            wanted = " or ".join(_shown(term) for term in terms) or "nothing"
            return Obstacle(2, f"is not {wanted}", f"set affinity.nodeAffinity {SETTINGS}")
        for taint in self.taints:
            hard = taint.get("effect") in ("NoSchedule", "NoExecute")
            if hard and not any(_tolerates(item, taint) for item in pod.tolerations):
                value = f"={taint['value']}" if taint.get("value") else ""
                text = (
                    f"has the taint {taint.get('key')}{value}:{taint['effect']}, which they do not tolerate"
                )
                return Obstacle(3, text, f"set tolerations {SETTINGS}")
        return None

    def _meets(self, term: Json) -> bool:
        """Whether the node meets all of one term; an empty one is met by no node."""
        labels, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
        named = {"metadata.name": self.name}
        met = [_matches(rule, self.labels) for rule in labels] + [_matches(rule, named) for rule in fields]
        return bool(met) and all(met)


def _required(affinity: Json) -> list[Json] | None:
    """The terms of the required node affinity, one of which must be met; None without one."""
    rules = (affinity.get("nodeAffinity") or {}).get("requiredDuringSchedulingIgnoredDuringExecution")
    return None if rules is None else list(rules.get("nodeSelectorTerms") or ())


def _matches(rule: Json, labels: dict[str, str]) -> bool:
    value, wanted = labels.get(rule["key"]), [str(item) for item in rule.get("values") or ()]
    match rule["operator"]:
        case "In":
            return value in wanted
        case "NotIn":
            return value not in wanted
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    try:
        more = int(value or "") - int(wanted[0])
    except (ValueError, IndexError):
        return False
    return more > 0 if rule["operator"] == "Gt" else more < 0


def _shown(term: Json) -> str:
    rules = [*(term.get("matchExpressions") or ()), *(term.get("matchFields") or ())]
    words = {
        "In": "in",
        "NotIn": "not in",
        "Exists": "present",
        "DoesNotExist": "absent",
        "Gt": ">",
        "Lt": "<",
    }
    shown = []
    for rule in rules:
        values = ", ".join(map(str, rule.get("values") or ()))
        shown.append(f"{rule['key']} {words.get(rule['operator'], rule['operator'])} {values}".strip())
    return " and ".join(shown)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in (None, "", taint.get("effect")):
        return False
    if not toleration.get("key"):
        return toleration.get("operator") == "Exists"
    if toleration["key"] != taint.get("key"):
        return False
    return toleration.get("operator") == "Exists" or toleration.get("value", "") == taint.get("value", "")


def with_runtime_classes(pods: Iterable[PodNeeds], classes: Mapping[str, Json]) -> list[PodNeeds]:
    """The pods with the nodes that their RuntimeClass, where it is known, sends them to."""
    found = []
    for pod in pods:
        adds = classes.get(pod.runtime_class, {}).get("scheduling") or {}
        selector = {**pod.selector, **(adds.get("nodeSelector") or {})}
        tolerations = (*pod.tolerations, *(adds.get("tolerations") or ()))
        found.append(replace(pod, selector=selector, tolerations=tolerations))
    return found


def node_problems(pods: Iterable[PodNeeds], nodes: Sequence[Node]) -> list[str]:
    """Pods that no node can take, not even an empty one."""
    found = [(_placing_problem(pod, nodes), pod) for pod in pods]
    return by_problem((problem, pod) for problem, pod in found if problem is not None)


def _placing_problem(pod: PodNeeds, nodes: Sequence[Node]) -> str | None:
    if not nodes:
        return "the cluster has no nodes"
    for resource, amount in pod.extended.items():
        here = max(node.allocatable.get(resource, Fraction(0)) for node in nodes)
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
    large = [(node, node.obstacle(pod)) for node in nodes if node.holds(pod)]
    if large:
        obstacles = [(node, obstacle) for node, obstacle in large if obstacle is not None]
        if len(obstacles) < len(large):
            return None
        node, nearest = max(obstacles, key=lambda item: item[1].rank)
        return f"no node takes its pods; the nearest, {node.name}, {nearest.text}: {nearest.fix}"
    # The largest of those that would admit it or, where none does, of all.
    admitting = [node for node in nodes if node.obstacle(pod) is None] or nodes
    asked = ", ".join(f"{show_quantity(name, pod.requests[name])} {name}" for name in sorted(pod.requests))
    most = {
        name: max(node.allocatable.get(name, Fraction(0)) for node in admitting)
        for name in sorted(pod.requests)
    }
    largest = ", ".join(f"{show_quantity(name, amount)} {name}" for name, amount in most.items())
    return f"asks for {asked}; no node is large enough (at most {largest}): lower its resources.requests"


def node_notes(pods: Iterable[PodNeeds], nodes: Sequence[Node]) -> list[str]:
    """Pods that may go to nodes of several architectures, where an image is mostly built for one."""
    mixed: dict[str, list[str]] = {}
    for pod in pods:
        open_to = {node.labels.get(ARCHITECTURE) for node in nodes if node.obstacle(pod) is None} - {None}
        if len(open_to) > 1:
            mixed.setdefault(" and ".join(sorted(map(str, open_to))), []).append(pod.name)
    return [
        f"nodes of {kinds} take the pods of {', '.join(dict.fromkeys(names))}: unless the images are built "
        f"for all of them, set pods.nodeSelector.{ARCHITECTURE} in the chart's values"
        for kinds, names in mixed.items()
    ]
