"""What a campaign's pods will ask of the cluster, read from its WorkflowTemplates. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import yaml

from nameplate_cluster.client import Json
from nameplate_cluster.quantity import parse_quantity


@dataclass(frozen=True, kw_only=True)
class PodNeeds:
    """One kind of pod: what it requests and where it may go."""

    step: str
    pool: str
    """The pool of a step that trains or predicts; empty for other steps."""
    requests: Mapping[str, Fraction]
    limits: Mapping[str, Fraction]
    selector: Mapping[str, str]
    tolerations: tuple[Json, ...]
    secrets: tuple[str, ...] = ()
    """Secrets without which its container cannot start."""
    config_maps: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    """PersistentVolumeClaims that it mounts."""

    @property
    def extended(self) -> dict[str, Fraction]:
        """Its requests for resources that not every node has: mostly GPUs."""
        return {name: amount for name, amount in self.requests.items() if "/" in name and amount > 0}

    @property
    def name(self) -> str:
        """The pod in a message."""
        return f"{self.step} in the pool {self.pool}" if self.pool else self.step


def pods_of(template: Json, step: str, pools: frozenset[str] | None = None) -> Iterator[PodNeeds]:
    """The kinds of pods of a step's WorkflowTemplate; only of ``pools``, if they are known."""
    spec = template.get("spec") or {}
    for item in spec.get("templates") or ():
        container = item.get("container", item.get("script"))
        if container is None:
            continue
        _, dash, pool = str(item["name"]).partition("chunk-")
        if dash and pools is not None and pool not in pools:
            continue
        yield _needs(item, container, spec, step, pool)


def _needs(item: Json, container: Json, spec: Json, step: str, pool: str) -> PodNeeds:
    patch = _patch(item.get("podSpecPatch"))
    beside = [*(item.get("sidecars") or ()), *(patch.get("containers") or ())]
    first = [*(item.get("initContainers") or ()), *(patch.get("initContainers") or ())]
    sources = [container, *beside, *first]
    return PodNeeds(
        step=step,
        pool=pool,
        requests=_together(container, beside, first, "requests"),
        limits=_together(container, beside, first, "limits"),
        selector={**(spec.get("nodeSelector") or {}), **(item.get("nodeSelector") or {})},
        tolerations=(*(spec.get("tolerations") or ()), *(item.get("tolerations") or ())),
        secrets=_named(sources, item, "secretRef", "secretKeyRef", ("secret", "secretName")),
        config_maps=_named(sources, item, "configMapRef", "configMapKeyRef", ("configMap", "name")),
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


def _together(container: Json, beside: list[Json], first: list[Json], kind: str) -> dict[str, Fraction]:
    """What the whole pod takes: all containers together, or the largest init container if that is more."""
    total: dict[str, Fraction] = {}
    for part in (container, *beside):
        for name, amount in _resources(part, kind).items():
            total[name] = total.get(name, Fraction(0)) + amount
    for part in first:
        for name, amount in _resources(part, kind).items():
            total[name] = max(total.get(name, Fraction(0)), amount)
    return total


def _resources(container: Json, kind: str) -> dict[str, Fraction]:
    """Requests or limits; a limit without a request is a request as well."""
    resources = container.get("resources") or {}
    given = dict(resources.get("limits") or {})
    if kind == "requests":
        given |= resources.get("requests") or {}
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
