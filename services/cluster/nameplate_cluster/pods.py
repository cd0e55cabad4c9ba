"""What a campaign's pods will ask of the cluster, read from its WorkflowTemplates. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import yaml

from nameplate_cluster.client import Json
from nameplate_cluster.quantity import parse_quantity

AUTHORITY = "authority"
"""The chart's volume with the certificate of the site's own authority."""


@dataclass(frozen=True)
class Container:
    """One container of a pod: what it asks for, as the cluster gets to see it."""

    name: str
    requests: Mapping[str, Fraction]
    limits: Mapping[str, Fraction]
    first: bool = False
    """Whether it is done before the others begin."""


@dataclass(frozen=True, kw_only=True)
class PodNeeds:
    """One kind of pod: what it requests and where it may go."""

    step: str
    pool: str
    """The pool of a step that trains or predicts; empty for other steps."""
    containers: tuple[Container, ...]
    """Argo's own, `init` and `wait`, are among them."""
    selector: Mapping[str, str]
    tolerations: tuple[Json, ...]
    affinity: Json
    runtime_class: str = ""
    priority_class: str = ""
    secrets: tuple[str, ...] = ()
    """Secrets without which its container cannot start."""
    config_maps: tuple[str, ...] = ()
    authorities: tuple[str, ...] = ()
    """ConfigMaps among them that must hold the certificate of an authority."""
    claims: tuple[str, ...] = ()
    """PersistentVolumeClaims that it mounts."""

    @property
    def requests(self) -> dict[str, Fraction]:
        """What the whole pod requests."""
        return _together([(part.first, part.requests) for part in self.containers])

    @property
    def limits(self) -> dict[str, Fraction]:
        """The limits of the whole pod."""
        return _together([(part.first, part.limits) for part in self.containers])

    @property
    def extended(self) -> dict[str, Fraction]:
        """Its requests for resources that not every node has: mostly GPUs."""
        return {name: amount for name, amount in self.requests.items() if "/" in name and amount > 0}

    @property
    def name(self) -> str:
        """The pod in a message."""
        return f"{self.step} in the pool {self.pool}" if self.pool else self.step


def by_problem(problems: Iterable[tuple[str, PodNeeds]]) -> list[str]:
    """One line per problem, with the pods that have it in front."""
    names: dict[str, list[str]] = {}
    for problem, pod in problems:
        names.setdefault(problem, []).append(pod.name)
    return [f"{_listed(list(dict.fromkeys(pods)))}: {problem}" for problem, pods in names.items()]


def _listed(names: list[str], most: int = 6) -> str:
    """The names, the first of them where there are too many for a line."""
    return ", ".join(
        names if len(names) <= most else [*names[: most - 1], f"and {len(names) - most + 1} more"]
    )


def pods_of(
    template: Json, step: str, pools: frozenset[str] | None = None, argo: Mapping[str, Json] = {}
) -> Iterator[PodNeeds]:
    """The kinds of pods of a step's WorkflowTemplate; only of ``pools``, if they are known.

    ``argo`` has what Argo's configuration gives to containers: `executor`, `mainContainer`.
    """
    spec = template.get("spec") or {}
    for item in spec.get("templates") or ():
        container = item.get("container", item.get("script"))
        if container is None:
            continue
        _, dash, pool = str(item["name"]).partition("chunk-")
        if dash and pools is not None and pool not in pools:
            continue
        yield _needs(item, container, spec, step, pool, argo)


def _needs(
    item: Json, container: Json, spec: Json, step: str, pool: str, argo: Mapping[str, Json]
) -> PodNeeds:
    patch = _patch(item.get("podSpecPatch"))
    beside = [*(item.get("sidecars") or ()), *(patch.get("containers") or ())]
    first = [*(item.get("initContainers") or ()), *(patch.get("initContainers") or ())]
    sources = [container, *beside, *first]
    executor = {"resources": (argo.get("executor") or {}).get("resources") or {}}
    main = container if container.get("resources") else (argo.get("mainContainer") or {})
    # Argo takes these from the template or, where it has none, from the workflow; the patch comes last.
    place = {key: item.get(key) or spec.get(key) for key in ("nodeSelector", "tolerations", "affinity")}
    return PodNeeds(
        step=step,
        pool=pool,
        containers=(
            *_containers([{**main, "name": "main"}, {**executor, "name": "wait"}, *beside], first=False),
            *_containers([{**executor, "name": "init"}, *first], first=True),
        ),
        selector={**(place["nodeSelector"] or {}), **(patch.get("nodeSelector") or {})},
        tolerations=tuple(patch.get("tolerations") or place["tolerations"] or ()),
        affinity={**(place["affinity"] or {}), **(patch.get("affinity") or {})},
        runtime_class=str(patch.get("runtimeClassName") or ""),
        priority_class=str(patch.get("priorityClassName") or item.get("priorityClassName") or ""),
        secrets=_named(sources, item, "secretRef", "secretKeyRef", ("secret", "secretName")),
        config_maps=_named(sources, item, "configMapRef", "configMapKeyRef", ("configMap", "name")),
        authorities=tuple(
            volume["configMap"]["name"]
            for volume in item.get("volumes") or ()
            if volume.get("name") == AUTHORITY and "configMap" in volume
        ),
        claims=_named([], item, "", "", ("persistentVolumeClaim", "claimName")),
    )


def _patch(text: Any) -> Json:
    """A podSpecPatch that can be read before the workflow runs; else nothing."""
    if not isinstance(text, str) or "{{" in text:
        return {}
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return value if isinstance(value, dict) else {}


def _together(parts: Iterable[tuple[bool, Mapping[str, Fraction]]]) -> dict[str, Fraction]:
    """What the whole pod takes: all containers together, or the largest init container if that is more."""
    total: dict[str, Fraction] = {}
    largest: dict[str, Fraction] = {}
    for first, amounts in parts:
        for name, amount in amounts.items():
            if first:
                largest[name] = max(largest.get(name, Fraction(0)), amount)
            else:
                total[name] = total.get(name, Fraction(0)) + amount
    return {
        name: max(total.get(name, Fraction(0)), largest.get(name, Fraction(0))) for name in total | largest
    }


def _containers(parts: Iterable[Json], *, first: bool) -> list[Container]:
    """The containers; what is named twice, a patch, is laid over what came before."""
    merged: dict[str, Json] = {}
    for part in parts:
        known = merged.setdefault(str(part.get("name", "")), {"limits": {}, "requests": {}})
        for kind in known:
            known[kind] |= (part.get("resources") or {}).get(kind) or {}
    return [
        # A limit without a request is a request as well.
        Container(name, _amounts(given["limits"] | given["requests"]), _amounts(given["limits"]), first)
        for name, given in merged.items()
    ]


def _amounts(given: Json) -> dict[str, Fraction]:
    amounts = {}
    for name, text in given.items():
        try:
            amounts[str(name)] = parse_quantity(text)
        except ValueError:
            continue  # an Argo parameter: known when the workflow runs
    return amounts


def _named(
    containers: list[Json], item: Json, whole: str, single: str, volume: tuple[str, str]
) -> tuple[str, ...]:
    """Names of Secrets, ConfigMaps or claims that must exist."""
    references = [source.get(whole) for part in containers for source in part.get("envFrom") or ()]
    for part in containers:
        references += [(row.get("valueFrom") or {}).get(single) for row in part.get("env") or ()]
    kind, key = volume
    mounts = [mount.get(kind) for mount in item.get("volumes") or ()]
    names = [reference["name"] for reference in references if reference and not reference.get("optional")]
    names += [mount[key] for mount in mounts if mount and not mount.get("optional")]
    return tuple(dict.fromkeys(names))
