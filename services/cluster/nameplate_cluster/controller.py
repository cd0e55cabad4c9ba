"""Argo's controllers: which one would take a campaign's workflow, if any. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

Json = dict[str, Any]

SELECTORS = ("app=workflow-controller", "app.kubernetes.io/component=workflow-controller")
"""Labels of the controller's pods: of Argo's own manifests, and of its Helm chart."""
CONFIGURATION = "workflow-controller-configmap"
"""The ConfigMap with a controller's configuration, unless its options name another."""
OLDEST, TRIED = (3, 7), 4
"""The oldest version that has what the templates use, and the newest major version that was tried."""


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One controller of Argo Workflows."""

    place: str
    """Where it runs, for messages."""
    version: str = ""
    """As its image or its server says; empty when that is no version."""
    watches: str | None = None
    """The one namespace whose workflows it takes; None for all."""
    settings: Mapping[str, Any] | None = field(default=None)
    """Its configuration; None where this account may not read it."""

    @property
    def instance(self) -> str | None:
        """Its instance id, empty without one; None when it is unknown."""
        return None if self.settings is None else str(self.settings.get("instanceID") or "")


def flags_of(pod: Json) -> dict[str, str]:
    """The options of a controller's pod, from its arguments and from ARGO_* variables."""
    containers = pod["spec"]["containers"]
    part = next(
        (item for item in containers if "workflow-controller" in str(item.get("image"))), containers[0]
    )
    words = [str(word) for word in (*(part.get("command") or ()), *(part.get("args") or ()))]
    flags = {
        str(row["name"])[5:].lower().replace("_", "-"): str(row.get("value") or "")
        for row in part.get("env") or ()
        if str(row["name"]).startswith("ARGO_")
    }
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            flags[name] = value if equals else "true" if following.startswith("-") else following or "true"
    tag = re.search(r":v?(\d+\.\d+\.\d+)", str(part.get("image")))
    return flags | ({"version": tag[1]} if tag else {})


def settings_of(data: Mapping[str, str]) -> dict[str, Any]:
    """The configuration in a controller's ConfigMap: a key for each setting, or all in the key `config`."""
    try:
        if "config" in data:
            whole = yaml.safe_load(data["config"])
            return whole if isinstance(whole, dict) else {}
        return {key: yaml.safe_load(text) for key, text in data.items()}
    except yaml.YAMLError:
        return {}


def controller_of(pod: Json, settings: Mapping[str, Any] | None) -> Controller:
    """What a controller's pod says of itself, and its configuration."""
    flags = flags_of(pod)
    home = str(pod["metadata"]["namespace"])
    own = home if flags.get("namespaced", "false") not in ("false", "") else None
    return Controller(
        place=f"the namespace {home}",
        version=flags.get("version", ""),
        watches=flags.get("managed-namespace") or own,
        settings=settings,
    )


def controller_problems(controllers: Sequence[Controller], namespace: str, instance: str) -> list[str]:
    """Why no controller would take a workflow of this namespace that has this instance id."""
    serving = [item for item in controllers if item.watches in (None, namespace)]
    if controllers and not serving:
        seen = "; ".join(f"that in {item.place} watches {item.watches} alone" for item in controllers)
        return [f"no controller of Argo watches the namespace {namespace} ({seen}): install one that does"]
    fitting = [item for item in serving if item.instance in (None, instance)]
    if serving and not fitting:
        there = sorted({item.instance for item in serving if item.instance})
        has = f"workflows get the instance id {instance!r}" if instance else "workflows get no instance id"
        wants = f"takes workflows of {', '.join(there)} alone" if there else "has no instance id"
        change = f"set to {' or '.join(there)}" if there else "leave empty"
        fix = f"{change} workflow.instanceId in the chart's values (for one command: ARGO_INSTANCEID)"
        return [f"{has}, and Argo's controller in {serving[0].place} {wants}: {fix}"]
    old = [item for item in fitting if item.version and _numbers(item.version) < OLDEST]
    if old and len(old) == len(fitting):
        oldest = ".".join(map(str, OLDEST))
        return [
            f"Argo's controller in {item.place} is {item.version}, and the templates need {oldest} or newer: "
            "upgrade Argo Workflows"
            for item in old
        ]
    return []


def controller_notes(controllers: Sequence[Controller]) -> list[str]:
    """What a person should know of the controllers, though it is not a problem."""
    if not controllers:
        return [f"no controller of Argo is seen (no pod with the label {SELECTORS[0]}): is it running?"]
    notes = []
    for item in controllers:
        if not item.version:
            notes.append(f"the version of Argo's controller in {item.place} is not known")
        elif _numbers(item.version)[0] > TRIED:
            notes.append(f"Argo's controller in {item.place} is {item.version}, which has not been tried")
        if _restriction(item) == "Secure":
            notes.append(
                f"Argo's controller in {item.place} is in Secure mode: it ends a running campaign whose "
                "templates change, so do not upgrade the chart meanwhile"
            )
    return notes


def executor_settings(controllers: Sequence[Controller]) -> Mapping[str, Json]:
    """What Argo's configuration gives to containers; nothing where several controllers differ."""
    known = [item.settings or {} for item in controllers]
    return dict(known[0]) if known and all(item == known[0] for item in known) else {}


def _restriction(controller: Controller) -> str:
    rules = (controller.settings or {}).get("workflowRestrictions")
    return str(rules.get("templateReferencing") or "") if isinstance(rules, dict) else ""


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
