from collections.abc import Callable

import pytest

from nameplate_cluster.client import Json
from nameplate_cluster.placement import Node, node_notes, node_problems
from nameplate_cluster.pods import PodNeeds

Kind = Callable[..., PodNeeds]


def machine(
    name: str = "node-1",
    *,
    taints: list[Json] | None = None,
    labels: dict[str, str] | None = None,
    cordoned: bool = False,
    **amounts: str,
) -> Node:
    allocatable = {"cpu": "8", "memory": "32Gi"} | {
        key.replace("gpu", "nvidia.com/gpu"): v for key, v in amounts.items()
    }
    return Node.of(
        {
            "metadata": {"name": name, "labels": labels or {"pool": "small"}},
            "spec": {"taints": taints or [], "unschedulable": cordoned},
            "status": {"allocatable": allocatable},
        }
    )


def test_a_card_that_no_node_has(kind: Kind) -> None:
    pods = [
        kind(resources={"limits": {"amd.com/gpu": 1}}),
        kind("prediction", {"limits": {"amd.com/gpu": 1}}),
    ]
    (problem,) = node_problems(pods, [machine(gpu="4")])
    assert problem.startswith("training in the pool gpu, prediction in the pool gpu: asks for amd.com/gpu")
    assert "they have nvidia.com/gpu" in problem


def test_more_cards_than_a_node_has(kind: Kind) -> None:
    (problem,) = node_problems([kind(resources={"limits": {"nvidia.com/gpu": 8}})], [machine(gpu="4")])
    assert "8 nvidia.com/gpu, and no node has more than 4" in problem
    assert node_problems([kind(resources={"limits": {"nvidia.com/gpu": 4}})], [machine(gpu="4")]) == []


def test_a_pod_that_is_larger_than_every_node(kind: Kind) -> None:
    pod = kind(resources={"requests": {"cpu": "500m", "memory": "64Gi"}})
    (problem,) = node_problems([pod], [machine(), machine("b", memory="48Gi")])
    assert "64 GiB memory" in problem
    assert "at most 8 cpu, 48 GiB memory" in problem


def test_labels_and_taints_keep_a_pod_away(kind: Kind) -> None:
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


def required(*terms: Json) -> Json:
    rules = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"affinity": {"nodeAffinity": rules}}


def rule(key: str, operator: str, *values: str) -> Json:
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize(
    ("wanted", "met"),
    [
        (rule("pool", "In", "small", "big"), True),
        (rule("pool", "In", "big"), False),
        (rule("pool", "NotIn", "big"), True),
        (rule("rack", "NotIn", "a"), True),
        (rule("pool", "NotIn", "small"), False),
        (rule("pool", "Exists"), True),
        (rule("rack", "Exists"), False),
        (rule("rack", "DoesNotExist"), True),
        (rule("pool", "DoesNotExist"), False),
        (rule("cores", "Gt", "8"), True),
        (rule("cores", "Gt", "16"), False),
        (rule("cores", "Lt", "32"), True),
        (rule("pool", "Lt", "32"), False),
    ],
)
def test_required_affinity_is_read_as_the_scheduler_does(wanted: Json, met: bool, kind: Kind) -> None:
    nodes = [machine(labels={"pool": "small", "cores": "16"})]
    assert (node_problems([kind(**required({"matchExpressions": [wanted]}))], nodes) == []) is met


def test_one_term_is_enough_and_all_of_it_is_needed(kind: Kind) -> None:
    small, big = rule("pool", "In", "small"), rule("pool", "In", "big")
    assert (
        node_problems(
            [kind(**required({"matchExpressions": [big]}, {"matchExpressions": [small]}))], [machine()]
        )
        == []
    )
    (problem,) = node_problems([kind(**required({"matchExpressions": [small, big]}))], [machine()])
    assert "the nearest, node-1, is not pool in small and pool in big: set affinity.nodeAffinity" in problem
    named = {"matchFields": [rule("metadata.name", "In", "node-1")]}
    assert node_problems([kind(**required(named))], [machine()]) == []
    assert node_problems([kind(**required(named))], [machine("other")])
    assert node_problems([kind(**required({}))], [machine()])  # an empty term is met by no node
    preferred = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}
    assert node_problems([kind(affinity=preferred)], [machine()]) == []


def test_the_nearest_node_gives_the_reason(kind: Kind) -> None:
    taint = {"key": "gpu", "effect": "NoSchedule"}
    arm = machine("arm", labels={"kubernetes.io/arch": "arm64"})
    nodes = [
        machine("idle", cordoned=True),
        arm,
        machine("gpu", taints=[taint], labels={"kubernetes.io/arch": "amd64"}),
    ]
    pod = kind(nodeSelector={"kubernetes.io/arch": "amd64"})
    (problem,) = node_problems([pod], nodes)
    assert "the nearest, gpu, has the taint gpu:NoSchedule, which they do not tolerate" in problem
    (problem,) = node_problems([pod], nodes[:2])
    assert "the nearest, arm, has kubernetes.io/arch=arm64, not kubernetes.io/arch=amd64" in problem
    (problem,) = node_problems([pod], nodes[:1])
    assert "the nearest, idle, is cordoned: kubectl uncordon idle" in problem
    (problem,) = node_problems([pod], [])
    assert problem == "training in the pool gpu: the cluster has no nodes"


def test_a_node_with_room_that_does_not_admit_goes_before_one_without(kind: Kind) -> None:
    taint = {"key": "gpu", "effect": "NoSchedule"}
    pod = kind(resources={"limits": {"nvidia.com/gpu": 1}})
    (problem,) = node_problems([pod], [machine(), machine("cards", taints=[taint], gpu="4")])
    assert "the nearest, cards, has the taint" in problem


def test_nodes_of_several_architectures_are_told(kind: Kind) -> None:
    both = [machine(name, labels={"kubernetes.io/arch": name}) for name in ("amd64", "arm64")]
    (note,) = node_notes([kind()], both)
    assert note.startswith("nodes of amd64 and arm64 take the pods of training in the pool gpu")
    assert node_notes([kind(nodeSelector={"kubernetes.io/arch": "amd64"})], both) == []
    assert node_notes([kind()], both[:1]) == []


def test_a_label_that_a_node_lacks_is_named(kind: Kind) -> None:
    (problem,) = node_problems([kind(nodeSelector={"disk": "fast"})], [machine()])
    assert "the nearest, node-1, has no label disk=fast: set nodeSelector in the chart's values" in problem
