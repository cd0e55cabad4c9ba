"""Workflows as a real cluster told them (Argo 4.0, the chart's templates), and a cluster that is played."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nameplate_cluster.client import Json
from nameplate_cluster.controller import Controller
from nameplate_cluster.http_errors import NotAllowed, NotThere
from nameplate_cluster.pods import PodNeeds, pods_of

FOLDER = Path(__file__).parent / "workflows"


@pytest.fixture
def recorded() -> Callable[[str], Any]:
    """Reads a recorded workflow (done, no-credentials, stopped) or the list of waiting ones."""
    return lambda name: json.loads((FOLDER / f"{name}.json").read_text())


class PlayedCluster:
    """Answers from what a test gives it; remembers what it was told."""

    def __init__(self) -> None:
        self.namespace = "hospital"
        self.place = "the played cluster"
        self.story: list[Json] = []
        """What ``workflow`` answers, one after the other; the last one stays."""
        self.listed: list[Json] = []
        self.there: dict[str, Json] = {}
        self.logs: dict[str, list[str]] = {}
        self.secrets: set[str] | None = None
        self.maps: dict[str, dict[str, str]] | None = None
        self.machines: list[Json] | None = None
        self.limits: list[Json] | None = None
        self.ranges: list[Json] | None = []
        self.argo: list[Controller] | None = [Controller(place="argo", version="4.0.7", settings={})]
        self.who = "ada"
        self.classes: dict[str, Json] | None = None
        self.pods_there: list[Json] | None = None
        self.claims: dict[str, Json] | None = None
        self.told: list[Any] = []

    def whoami(self) -> str:
        return self.who

    def create_workflow(self, manifest: Json) -> Json:
        self.told.append(("create", manifest))
        return {"metadata": {"name": manifest["metadata"]["generateName"] + "x7k2p"}}

    def workflow(self, name: str) -> Json:
        return self.story.pop(0) if len(self.story) > 1 else self.story[0]

    def workflows(self, selector: str) -> list[Json]:
        self.told.append(("list", selector))
        return self.listed

    def shut_down(self, name: str, how: str) -> None:
        self.told.append((how, name))

    def delete_workflow(self, name: str) -> None:
        self.told.append(("delete", name))

    def templates(self) -> dict[str, Json]:
        return self.there

    def pod_log(self, workflow: str, pod: str, *, follow: bool = False) -> Iterator[str]:
        if pod not in self.logs:
            raise NotThere(f'pods "{pod}" not found')
        yield from self.logs[pod]

    def pods(self, workflow: str) -> list[Json]:
        if self.pods_there is None:
            raise NotAllowed("pods")
        return self.pods_there

    def nodes(self) -> list[Json]:
        if self.machines is None:
            raise NotAllowed("nodes")
        return self.machines

    def quotas(self) -> list[Json]:
        if self.limits is None:
            raise NotAllowed("quotas")
        return self.limits

    def limit_ranges(self) -> list[Json]:
        if self.ranges is None:
            raise NotAllowed("LimitRanges")
        return self.ranges

    def runtime_class(self, name: str) -> Json:
        return self._class(name)

    def priority_class(self, name: str) -> Json:
        return self._class(name)

    def _class(self, name: str) -> Json:
        if self.classes is None:
            raise NotAllowed("classes")
        if name not in self.classes:
            raise NotThere(name)
        return self.classes[name]

    def controllers(self) -> list[Controller]:
        if self.argo is None:
            raise NotAllowed("pods")
        return self.argo

    def has_secret(self, name: str) -> bool:
        if self.secrets is None:
            raise NotAllowed("Secrets")
        return name in self.secrets

    def config_map(self, name: str) -> dict[str, str]:
        if self.maps is None:
            raise NotAllowed("ConfigMaps")
        if name not in self.maps:
            raise NotThere(name)
        return self.maps[name]

    def claim(self, name: str) -> Json:
        if self.claims is None:
            raise NotAllowed("PersistentVolumeClaims")
        if name not in self.claims:
            raise NotThere(name)
        return self.claims[name]


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> PlayedCluster:
    """A played cluster, on which nobody has to wait."""
    for module in ("watch", "fetch_report"):
        monkeypatch.setattr(f"nameplate_cluster.{module}.time.sleep", lambda seconds: None)
    return PlayedCluster()


def pod_node(name: str, step: str = "plan", **fields: Any) -> Json:
    """A node of a pod, as Argo writes it."""
    return {
        "id": f"wf-{abs(hash(name)) % 10**8}",
        "name": f"wf.{name}",
        "displayName": name,
        "type": "Pod",
        "templateRef": {"name": f"nameplate-{step}", "template": "chunk"},
        "startedAt": "2026-11-24T06:00:00Z",
        "hostNodeName": "node-1",
        **fields,
    }


def workflow_of(*nodes: Json, phase: str = "Running", **status: Any) -> Json:
    """A workflow of these nodes."""
    return {
        "metadata": {
            "name": "wf",
            "creationTimestamp": "2026-11-24T06:00:00Z",
            "labels": {"nameplate.dev/campaign": "demo"},
        },
        "spec": {},
        "status": {
            "phase": phase,
            "startedAt": "2026-11-24T06:00:00Z",
            "nodes": {node["id"]: node for node in nodes},
            **status,
        },
    }


@pytest.fixture
def node() -> Callable[..., Json]:
    return pod_node


@pytest.fixture
def workflow() -> Callable[..., Json]:
    return workflow_of


def kind_of_pod(step: str = "training", resources: Json | None = None, **fields: Any) -> PodNeeds:
    """A pod of the pool `gpu` with these resources; ``fields`` are of its template."""
    container = {"name": "main", "resources": resources or {}}
    item = {"name": "chunk-gpu", "container": container, **fields}
    (pod,) = pods_of({"spec": {"templates": [item]}}, step)
    return pod


@pytest.fixture
def kind() -> Callable[..., PodNeeds]:
    return kind_of_pod
