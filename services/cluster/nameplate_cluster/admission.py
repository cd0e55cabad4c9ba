"""Whether a namespace admits a campaign's pods: its LimitRanges and ResourceQuotas. Pure.

The order is the API server's: LimitRanges give defaults, then their bounds are looked at, then the quotas.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from nameplate_cluster.client import Json
from nameplate_cluster.pods import Container, PodNeeds, by_problem
from nameplate_cluster.quantity import parse_quantity, show_quantity

ARGOS = ("init", "wait")
COUNTED = ("cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory")
"""What every container must state where a quota counts it."""


def _bounds(ranges: Iterable[Json], kind: str) -> Iterator[tuple[str, Json]]:
    """Name and content of every bound of this kind, Container or Pod."""
    for item in ranges:
        for limit in (item.get("spec") or {}).get("limits") or ():
            if limit.get("type") == kind:
                yield item["metadata"]["name"], limit


def with_defaults(pods: Iterable[PodNeeds], ranges: Sequence[Json]) -> list[PodNeeds]:
    """The pods with what the namespace's LimitRanges give to containers that say nothing."""
    limits: dict[str, Fraction] = {}
    requests: dict[str, Fraction] = {}
    for _, bound in _bounds(ranges, "Container"):
        # The first LimitRange that says something has said it.
        limits = _amounts(bound.get("default")) | limits
        requests = _amounts(bound.get("defaultRequest")) | requests
    return [
        replace(
            pod,
            containers=tuple(
                replace(part, limits={**limits, **part.limits}, requests={**requests, **part.requests})
                for part in pod.containers
            ),
        )
        for pod in pods
    ]


def range_problems(pods: Iterable[PodNeeds], ranges: Sequence[Json]) -> list[str]:
    """Bounds of LimitRanges that the pods, completed by ``with_defaults``, do not keep."""
    found = []
    for pod in pods:
        for name, bound in _bounds(ranges, "Container"):
            for part in pod.containers:
                where = "workflow.executorResources" if part.name in ARGOS else "its resources"
                for problem in _beyond(part, bound, f"a container, and {part.name}"):
                    found.append((_range_problem(name, problem, where), pod))
                for resource in _amounts(bound.get("default")):
                    limit = part.limits[resource]
                    if part.requests.get(resource, Fraction(0)) > limit:
                        given = f"{show_quantity(resource, limit)} {resource}"
                        problem = f"a container without a limit {given}, and {part.name} requests more"
                        found.append((_range_problem(name, problem, where), pod))
        for name, bound in _bounds(ranges, "Pod"):
            whole = Container("pod", pod.requests, pod.limits)
            for problem in _beyond(whole, bound, "a pod, and the whole pod"):
                found.append((_range_problem(name, problem, "its resources"), pod))
    return by_problem(found)


def _range_problem(name: str, problem: str, where: str) -> str:
    return (
        f"the LimitRange {name} allows {problem}: set {where} in the chart's values, or change the LimitRange"
    )


def _beyond(part: Container, bound: Json, whose: str) -> Iterator[str]:
    """What of a container, or of a whole pod, is beyond the bound."""
    for resource, most in _amounts(bound.get("max")).items():
        allowed = f"{show_quantity(resource, most)} {resource} at most for {whose}"
        if resource not in part.limits:
            yield f"{allowed} has no limit"
        elif max(part.limits[resource], part.requests.get(resource, Fraction(0))) > most:
            yield f"{allowed} may take {show_quantity(resource, part.limits[resource])}"
    for resource, least in _amounts(bound.get("min")).items():
        allowed = f"{show_quantity(resource, least)} {resource} at least for {whose}"
        if resource not in part.requests:
            yield f"{allowed} has no request"
        elif part.requests[resource] < least:
            yield f"{allowed} requests {show_quantity(resource, part.requests[resource])}"
        elif part.limits.get(resource, least) < least:
            yield f"{allowed} has a limit of {show_quantity(resource, part.limits[resource])}"
    for resource, most in _amounts(bound.get("maxLimitRequestRatio")).items():
        allowed = f"a limit of {resource} up to {float(most):g} times the request for {whose}"
        request, limit = part.requests.get(resource), part.limits.get(resource)
        if not request or not limit:
            yield f"{allowed} has no {'limit' if request else 'request'}"
        elif limit / request > most:
            yield f"{allowed} has {float(limit / request):.3g} times"


def quota_problems(
    pods: Iterable[PodNeeds], quotas: Iterable[Json], *, defaults_known: bool = True
) -> list[str]:
    """Quotas that refuse a pod, however empty the namespace is.

    Without ``defaults_known`` a LimitRange that was not seen may give what containers do not state.
    """
    found: list[tuple[str, PodNeeds]] = []
    pods = list(pods)
    for quota in quotas:
        spec = quota.get("spec") or {}
        if spec.get("scopes") or spec.get("scopeSelector"):
            continue  # applies to some pods only; the cluster knows better which ones
        for name, text in (spec.get("hard") or {}).items():
            for pod in pods:
                if defaults_known and (problem := _unstated(pod, quota["metadata"]["name"], name)):
                    found.append((problem, pod))
                if problem := _too_much(pod, quota["metadata"]["name"], name, parse_quantity(text)):
                    found.append((problem, pod))
    return by_problem(found)


def _unstated(pod: PodNeeds, quota: str, name: str) -> str | None:
    """A quota on what some containers do not state: it refuses them, whatever its amount."""
    kind, resource = _counted(name)
    silent = [part.name for part in pod.containers if resource not in _stated(part, kind)]
    if name not in COUNTED or not silent:
        return None
    return (
        f"the quota {quota} counts {name} and refuses containers without ({', '.join(silent)}): set "
        f"pods.resources.{kind}.{resource} in the chart's values, which reaches Argo's own containers too"
    )


def _too_much(pod: PodNeeds, quota: str, name: str, hard: Fraction) -> str | None:
    """A quota that one pod exceeds."""
    kind, resource = _counted(name)
    if name in ("pods", "count/pods"):
        amount: Fraction | None = Fraction(1)
    else:
        amount = (pod.limits if kind == "limits" else pod.requests).get(resource)
    if amount is None or amount <= hard:
        return None
    return (
        f"the quota {quota} allows {name} up to {show_quantity(resource, hard)}, and one pod asks for "
        f"{show_quantity(resource, amount)}: raise it"
    )


def _counted(quota: str) -> tuple[str, str]:
    """Of a quota's key: requests or limits, and the resource."""
    kind, dot, resource = quota.partition(".")
    return (kind, resource) if dot and kind in ("requests", "limits") else ("requests", quota)


def _stated(part: Container, kind: str) -> Mapping[str, Fraction]:
    return part.limits if kind == "limits" else part.requests


def _amounts(given: Json | None) -> dict[str, Fraction]:
    return {name: parse_quantity(text) for name, text in (given or {}).items()}
