import json
from collections.abc import Callable

import pytest

from nameplate_cluster.admission import quota_problems, range_problems, with_defaults
from nameplate_cluster.client import Json
from nameplate_cluster.pods import PodNeeds

Kind = Callable[..., PodNeeds]


GIVEN = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
ARGOS = json.dumps(
    {
        "containers": [{"name": "wait", "resources": GIVEN}],
        "initContainers": [{"name": "init", "resources": GIVEN}],
    }
)
"""What the chart gives to Argo's own containers."""


def quota(**hard: str) -> Json:
    return {
        "metadata": {"name": "tight"},
        "spec": {"hard": {key.replace("_", "."): amount for key, amount in hard.items()}},
    }


def limit_range(kind: str = "Container", **bounds: Json) -> Json:
    return {"metadata": {"name": "site"}, "spec": {"limits": [{"type": kind, **bounds}]}}


@pytest.fixture
def pod(kind: Kind) -> PodNeeds:
    resources = {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "8Gi"}}
    return kind(resources=resources, podSpecPatch=ARGOS)


def test_a_quota_that_one_pod_exceeds(pod: PodNeeds) -> None:
    (problem,) = quota_problems([pod], [quota(requests_memory="1Gi")])
    assert problem == (
        "training in the pool gpu: the quota tight allows requests.memory up to 1 GiB, and "
        "one pod asks for 4.06 GiB: raise it"
    )
    assert quota_problems([pod], [quota(cpu="1")])
    assert quota_problems([pod], [quota(limits_memory="4Gi")])
    assert quota_problems([pod], [quota(pods="0")])
    assert quota_problems([pod], [quota(cpu="2100m", pods="1", configmaps="1", limits_memory="9Gi")]) == []
    scoped = quota(cpu="1")
    scoped["spec"]["scopes"] = ["BestEffort"]
    assert quota_problems([pod], [scoped]) == []


def test_a_quota_on_what_containers_do_not_state_refuses_them(pod: PodNeeds, kind: Kind) -> None:
    (problem,) = quota_problems([pod], [quota(limits_cpu="64")])
    assert problem == (
        "training in the pool gpu: the quota tight counts limits.cpu and refuses containers without "
        "(main, wait, init): set pods.resources.limits.cpu in the chart's values, which reaches Argo's own "
        "containers too"
    )
    # A limit is a request as well; Kubernetes asks for no statement of disks and cards.
    limited = kind(resources={"limits": {"cpu": "2"}}, podSpecPatch=ARGOS)
    assert quota_problems([limited], [quota(requests_cpu="64")]) == []
    many = {"limits.ephemeral-storage": "1Ti", "requests.nvidia.com/gpu": "4"}
    assert quota_problems([pod], [quota(**many)]) == []
    # Argo's own containers alone are enough for a refusal.
    (problem,) = quota_problems([limited], [quota(limits_cpu="64")])
    assert "(wait, init)" in problem


def test_a_limit_range_may_give_what_a_quota_asks_for(pod: PodNeeds) -> None:
    (whole,) = with_defaults([pod], [limit_range(default={"cpu": "4"}, defaultRequest={"cpu": "1"})])
    assert quota_problems([whole], [quota(limits_cpu="64")]) == []
    assert whole.limits["cpu"] == 8
    assert whole.requests["cpu"] == pod.requests["cpu"]  # its own are kept
    (first,) = with_defaults([pod], [limit_range(default={"cpu": "1"}), limit_range(default={"cpu": "3"})])
    assert {part.limits["cpu"] for part in first.containers} == {1}
    # Nobody may look at LimitRanges: then there may be one.
    assert quota_problems([pod], [quota(limits_cpu="64")], defaults_known=False) == []


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        (
            {"max": {"memory": "6Gi"}},
            "6 GiB memory at most for a container, and main may take 8 GiB: set",
        ),
        ({"max": {"memory": "8Gi"}}, ""),
        ({"max": {"cpu": "4"}}, "4 cpu at most for a container, and main has no limit"),
        ({"min": {"memory": "128Mi"}}, "wait requests 0.0625 GiB: set workflow.executorResources"),
        ({"min": {"memory": "64Mi"}}, ""),
        ({"min": {"ephemeral-storage": "1Gi"}}, "and init has no request"),
        (
            {"maxLimitRequestRatio": {"memory": "4"}},
            "up to 4 times the request for a container, and wait has",
        ),
        ({"maxLimitRequestRatio": {"memory": "8"}}, ""),
        ({"maxLimitRequestRatio": {"cpu": "8"}}, "main has no limit"),
        ({"default": {"cpu": "1"}}, "a container without a limit 1 cpu, and main requests more"),
    ],
)
def test_bounds_of_a_container(bound: Json, said: str, pod: PodNeeds) -> None:
    ranges = [limit_range(**bound)]
    problems = range_problems(with_defaults([pod], ranges), ranges)
    assert bool(problems) == bool(said)
    if said:
        assert any(said in problem for problem in problems), problems
        assert all(
            problem.startswith("training in the pool gpu: the LimitRange site") for problem in problems
        )


@pytest.mark.parametrize(
    ("bound", "said"),
    [
        ({"max": {"memory": "8Gi"}}, "8 GiB memory at most for a pod, and the whole pod may take 8.5 GiB"),
        ({"max": {"memory": "9Gi"}}, ""),
        ({"max": {"cpu": "9"}}, "the whole pod has no limit"),
        ({"min": {"cpu": "3"}}, "3 cpu at least for a pod, and the whole pod requests 2.01"),
    ],
)
def test_bounds_of_a_pod(bound: Json, said: str, pod: PodNeeds) -> None:
    problems = range_problems([pod], [limit_range("Pod", **bound)])
    assert len(problems) == bool(said)
    assert not said or said in problems[0], problems
    assert range_problems([pod], [limit_range("PersistentVolumeClaim", max={"storage": "1Gi"})]) == []
