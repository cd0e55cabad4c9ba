from collections.abc import Callable

from nameplate_cluster.pods import PodNeeds, by_problem, pods_of

Kind = Callable[..., PodNeeds]


def test_containers_beside_count_and_those_before_do_not_add_up(kind: Kind) -> None:
    patch = (
        '{"containers": [{"name": "wait", "resources": {"requests": {"cpu": "1"}}}],'
        ' "initContainers": [{"name": "init", "resources": {"requests": {"cpu": "2"}}}]}'
    )
    pod = kind(resources={"requests": {"cpu": "500m"}}, podSpecPatch=patch)
    assert pod.requests["cpu"] == 2
    assert kind(resources={"requests": {"cpu": "{{inputs.parameters.cpu}}"}}).requests == {}


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
    assert pod.authorities == ()
    assert pod.pool == ""


def test_pools_that_the_campaign_does_not_use_are_left_out() -> None:
    templates = [{"name": f"chunk-{pool}", "container": {}} for pool in ("a", "b")]
    found = pods_of({"spec": {"templates": templates}}, "training", frozenset({"b"}))
    assert [pod.pool for pod in found] == ["b"]


def test_the_authority_of_the_store_is_known_by_its_volume() -> None:
    volumes = [{"name": "authority", "configMap": {"name": "site-ca"}}]
    (pod,) = pods_of({"spec": {"templates": [{"name": "plan", "container": {}, "volumes": volumes}]}}, "plan")
    assert pod.authorities == ("site-ca",)
    assert pod.config_maps == ("site-ca",)


def test_every_pod_has_argos_own_containers(kind: Kind) -> None:
    assert [part.name for part in kind().containers] == ["main", "wait", "init"]
    resources = {"limits": {"cpu": "1"}}
    template = {"spec": {"templates": [{"name": "plan", "container": {}}]}}
    argo = {"executor": {"resources": resources}, "mainContainer": {"resources": {"requests": {"cpu": "2"}}}}
    (pod,) = pods_of(template, "plan", argo=argo)
    assert [dict(part.limits) for part in pod.containers] == [{}, {"cpu": 1}, {"cpu": 1}]
    assert pod.requests == {"cpu": 3}


def test_where_a_pod_may_go_is_the_templates_or_else_the_workflows(kind: Kind) -> None:
    item = {"name": "plan", "container": {}, "nodeSelector": {"a": "1"}}
    spec = {"templates": [item], "nodeSelector": {"b": "2"}, "tolerations": [{"operator": "Exists"}]}
    (pod,) = pods_of({"spec": spec}, "plan")
    assert (pod.selector, pod.tolerations) == ({"a": "1"}, ({"operator": "Exists"},))
    patched = kind(
        podSpecPatch='{"nodeSelector": {"c": "3"}, "tolerations": [{"key": "x"}]}', **item | {"name": "chunk"}
    )
    assert (patched.selector, patched.tolerations) == ({"a": "1", "c": "3"}, ({"key": "x"},))


def test_pods_with_one_problem_are_one_line(kind: Kind) -> None:
    pods = [kind(step) for step in ("plan", "phantom", "ingest", "plan")]
    where = "in the pool gpu"
    assert by_problem(("too large", pod) for pod in pods) == [
        f"plan {where}, phantom {where}, ingest {where}: too large"
    ]
    (line,) = by_problem(("too large", kind(f"s{number}")) for number in range(9))
    assert line.endswith(f"s4 {where}, and 4 more: too large")
