from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign import Campaign
from nameplate.campaign.overrides import load_with_overrides
from nameplate_cluster.checks import claim_trouble
from nameplate_cluster.client import Json
from nameplate_cluster.pods import PodNeeds, pods_of
from nameplate_cluster.preflight import (
    MOST_BYTES,
    Node,
    campaign_problems,
    node_problems,
    quota_problems,
    running_problems,
    steps_needed,
    template_problems,
)

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def demo() -> tuple[Campaign, str]:
    return load_with_overrides(ROOT / "campaigns" / "demo.yaml", [])


def machine(name: str = "node-1", *, taints: list[Json] | None = None, **amounts: str) -> Node:
    allocatable = {"cpu": "8", "memory": "32Gi"} | {
        key.replace("gpu", "nvidia.com/gpu"): v for key, v in amounts.items()
    }
    return Node.of(
        {
            "metadata": {"name": name, "labels": {"pool": "small"}},
            "spec": {"taints": taints or []},
            "status": {"allocatable": allocatable},
        }
    )


def kind(step: str = "training", resources: Json | None = None, **fields: Any) -> PodNeeds:
    container = {"name": "main", "resources": resources or {}}
    item = {"name": "chunk-gpu", "container": container, **fields}
    (pod,) = pods_of({"spec": {"templates": [item]}}, step)
    return pod


def test_a_campaign_that_fits(demo: tuple[Campaign, str]) -> None:
    assert campaign_problems(*demo) == []


def test_a_campaign_file_that_argo_cannot_carry(demo: tuple[Campaign, str]) -> None:
    campaign, text = demo
    problems = campaign_problems(campaign, text + "# {{x}}\n" + "#" * MOST_BYTES)
    assert len(problems) == 2
    assert "a workflow takes 100,000" in problems[0]
    assert "'{{'" in problems[1]


def test_a_grid_beyond_the_limits(demo: tuple[Campaign, str]) -> None:
    changes = [f"experiments.{name}.rounds.limit=1900" for name in ("manufacturer", "spheres", "skull")]
    campaign, text = load_with_overrides(ROOT / "campaigns" / "demo.yaml", changes)
    (problem,) = campaign_problems(campaign, text)
    assert problem.startswith("the grid comes to ")


def test_steps_that_will_have_pods(demo: tuple[Campaign, str]) -> None:
    campaign, _ = demo
    assert steps_needed(campaign, "")[:3] == ("plan", "phantom", "ingest")
    assert steps_needed(campaign, "")[-1] == "report"
    assert steps_needed(campaign, "synthesis") == ("plan", "synthesis")
    assert steps_needed(campaign, "prediction") == ("plan", "training", "selection", "prediction")


def test_absent_templates_name_the_command_that_brings_them() -> None:
    (problem,) = template_problems([], ["plan"], "hospital")
    assert "helm install nameplate charts/nameplate -n hospital --create-namespace" in problem
    (problem,) = template_problems(["nameplate-campaign"], ["plan", "ingest"], "hospital")
    assert "nameplate-plan, nameplate-ingest" in problem
    assert template_problems(["nameplate-campaign", "nameplate-plan"], ["plan"], "hospital") == []


def test_a_campaign_that_is_running_is_named(workflow: Callable[..., Any]) -> None:
    (problem,) = running_problems([workflow(), workflow(phase="Failed")], "demo", "hospital")
    assert "wf" in problem
    assert "nameplate stop demo -n hospital" in problem


def test_a_card_that_no_node_has() -> None:
    pods = [
        kind(resources={"limits": {"amd.com/gpu": 1}}),
        kind("prediction", {"limits": {"amd.com/gpu": 1}}),
    ]
    (problem,) = node_problems(pods, [machine(gpu="4")])
    assert problem.startswith("training in the pool gpu, prediction in the pool gpu: asks for amd.com/gpu")
    assert "they have nvidia.com/gpu" in problem


def test_more_cards_than_a_node_has() -> None:
    (problem,) = node_problems([kind(resources={"limits": {"nvidia.com/gpu": 8}})], [machine(gpu="4")])
    assert "8 nvidia.com/gpu, and no node has more than 4" in problem
    assert node_problems([kind(resources={"limits": {"nvidia.com/gpu": 4}})], [machine(gpu="4")]) == []


def test_a_pod_that_is_larger_than_every_node() -> None:
    pod = kind(resources={"requests": {"cpu": "500m", "memory": "64Gi"}})
    (problem,) = node_problems([pod], [machine(), machine("b", memory="48Gi")])
    assert "64 GiB memory" in problem
    assert "at most 8 cpu, 48 GiB memory" in problem


def test_containers_beside_count_and_those_before_do_not_add_up() -> None:
    patch = (
        '{"containers": [{"name": "wait", "resources": {"requests": {"cpu": "1"}}}],'
        ' "initContainers": [{"name": "init", "resources": {"requests": {"cpu": "2"}}}]}'
    )
    pod = kind(resources={"requests": {"cpu": "500m"}}, podSpecPatch=patch)
    assert pod.requests["cpu"] == 2
    assert kind(resources={"requests": {"cpu": "{{inputs.parameters.cpu}}"}}).requests == {}


def test_labels_and_taints_keep_a_pod_away() -> None:
    taint = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
    nodes = [machine(taints=[taint])]
    (problem,) = node_problems([kind()], nodes)
    assert "tolerations" in problem
    for toleration in (
        {"key": "gpu", "operator": "Exists"},
        {"operator": "Exists"},
        {"key": "gpu", "value": "yes", "effect": "NoSchedule"},
    ):
        assert node_problems([kind(tolerations=[toleration])], nodes) == []
    assert node_problems([kind(tolerations=[{"key": "gpu", "value": "no"}])], nodes)
    (problem,) = node_problems([kind(nodeSelector={"pool": "big"})], [machine()])
    assert "pool=big" in problem
    assert node_problems([kind(nodeSelector={"pool": "small"})], [machine()]) == []


def test_a_quota_that_one_pod_exceeds() -> None:
    def quota(**hard: str) -> Json:
        return {
            "metadata": {"name": "tight"},
            "spec": {"hard": {k.replace("_", "."): v for k, v in hard.items()}},
        }

    pod = kind(resources={"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "8Gi"}})
    (problem,) = quota_problems([pod], [quota(requests_memory="1Gi")])
    assert problem == (
        "training in the pool gpu: the quota tight allows requests.memory up to 1 GiB, and "
        "one pod asks for 4 GiB: raise it"
    )
    assert quota_problems([pod], [quota(cpu="1")])
    assert quota_problems([pod], [quota(limits_memory="4Gi")])
    assert quota_problems([pod], [quota(pods="0")])
    assert quota_problems([pod], [quota(cpu="2", pods="1", configmaps="1", limits_memory="8Gi")]) == []
    scoped = quota(cpu="1")
    scoped["spec"]["scopes"] = ["BestEffort"]
    assert quota_problems([pod], [scoped]) == []


def test_secrets_and_config_maps_of_a_pod() -> None:
    item = {
        "name": "plan",
        "container": {
            "envFrom": [{"secretRef": {"name": "store"}}, {"configMapRef": {"name": "place"}}],
            "env": [
                {"name": "A", "valueFrom": {"secretKeyRef": {"name": "key", "key": "K"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "maybe", "key": "K", "optional": True}}},
                {"name": "C", "value": "x"},
            ],
        },
        "volumes": [
            {"name": "v", "configMap": {"name": "files"}},
            {"name": "t", "emptyDir": {}},
            {"name": "d", "persistentVolumeClaim": {"claimName": "ncct"}},
        ],
    }
    (pod,) = pods_of({"spec": {"templates": [item, {"name": "arm", "steps": []}]}}, "plan")
    assert pod.secrets == ("store", "key")
    assert pod.config_maps == ("place", "files")
    assert pod.claims == ("ncct",)
    assert pod.pool == ""


def test_pools_that_the_campaign_does_not_use_are_left_out() -> None:
    templates = [{"name": f"chunk-{pool}", "container": {}} for pool in ("a", "b")]
    found = pods_of({"spec": {"templates": templates}}, "training", frozenset({"b"}))
    assert [pod.pool for pod in found] == ["b"]


@pytest.mark.parametrize(
    ("claim", "trouble"),
    [
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Bound"}}, ""),
        ({"spec": {"accessModes": ["ReadOnlyMany"]}, "status": {"phase": "Pending"}}, ""),
        ({"spec": {"accessModes": ["ReadWriteOnce"]}}, ""),
        ({"spec": {"accessModes": ["ReadWriteOncePod"]}}, "one pod at a time"),
        ({"spec": {"accessModes": ["ReadWriteMany"]}, "status": {"phase": "Lost"}}, "lost its volume"),
    ],
)
def test_a_claim_that_several_pods_cannot_mount(claim: Json, trouble: str) -> None:
    assert trouble in claim_trouble(claim)
    assert bool(trouble) == bool(claim_trouble(claim))
