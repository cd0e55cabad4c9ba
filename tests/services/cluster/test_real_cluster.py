"""Both ways to a real cluster, where KUBECONFIG names one with Argo Workflows; in a namespace of its own."""

import json
import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from nameplate_cluster.admission import quota_problems, range_problems, with_defaults
from nameplate_cluster.client import Cluster, Json
from nameplate_cluster.http_errors import ClusterUnreachable, NotThere, SignedOut
from nameplate_cluster.kube import Kube
from nameplate_cluster.pods import pods_of
from nameplate_cluster.waiting import wait_of
from nameplate_cluster.watch import follow
from nameplate_cluster.workflow import attempts_of, is_over, name_of, phase_of

pytestmark = pytest.mark.cluster

IMAGE = os.environ.get("NAMEPLATE_TEST_IMAGE", "quay.io/argoproj/argoexec:v4.0.7")
"""An image that the nodes have, with Argo's own program in it."""


@pytest.fixture(scope="module")
def core() -> Any:
    kubernetes = pytest.importorskip("kubernetes")
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no KUBECONFIG")
    try:
        api = kubernetes.config.new_client_from_config()
        kubernetes.client.CustomObjectsApi(api).list_cluster_custom_object(
            "argoproj.io", "v1alpha1", "workflowtemplates", _request_timeout=5
        )
    except Exception as error:
        pytest.skip(f"no cluster with Argo Workflows ({type(error).__name__})")
    return kubernetes.client.CoreV1Api(api)


@pytest.fixture(scope="module")
def namespace(core: Any) -> Iterator[str]:
    name = f"nameplate-test-{uuid.uuid4().hex[:8]}"
    core.create_namespace({"metadata": {"name": name}})
    core.create_namespaced_service_account(name, {"metadata": {"name": "runner"}})
    rbac = __import__("kubernetes").client.RbacAuthorizationV1Api(core.api_client)
    rules = [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    rbac.create_namespaced_role(name, {"metadata": {"name": "executor"}, "rules": rules})
    rbac.create_namespaced_role_binding(
        name,
        {
            "metadata": {"name": "executor"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "executor"},
            "subjects": [{"kind": "ServiceAccount", "name": "runner", "namespace": name}],
        },
    )
    yield name
    core.delete_namespace(name)


@pytest.fixture
def cluster(namespace: str) -> Cluster:
    return Kube.connect(namespace, None)


def one_pod(image: str = IMAGE) -> Json:
    main = {
        "image": image,
        "command": ["argoexec"],
        "args": ["version"],
        "imagePullPolicy": "IfNotPresent",
    }
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "one-", "labels": {"nameplate.dev/campaign": "probe"}},
        "spec": {
            "entrypoint": "main",
            "serviceAccountName": "runner",
            "templates": [{"name": "main", "container": main}],
        },
    }


def test_a_workflow_runs_and_its_log_is_read(cluster: Cluster) -> None:
    name = name_of(cluster.create_workflow(one_pod()))
    workflow = follow(cluster, name, limit_s=120)
    assert phase_of(workflow) == "Succeeded", workflow["status"]
    (attempt,) = attempts_of(workflow)
    assert any("argoexec: v" in line for line in cluster.pod_log(name, attempt.pod))
    assert [name_of(item) for item in cluster.workflows("nameplate.dev/campaign=probe")] == [name]
    cluster.delete_workflow(name)
    for _ in range(20):
        if not cluster.workflows("nameplate.dev/campaign=probe"):
            break
        time.sleep(0.5)
    with pytest.raises(NotThere):
        cluster.workflow(name)


def test_a_workflow_is_stopped_while_it_waits_for_an_image(cluster: Cluster) -> None:
    name = name_of(cluster.create_workflow(one_pod("nameplate/no-such-image:0")))

    def missing(workflow: Json) -> bool:
        return any(wait_of(attempt.message).kind == "image" for attempt in attempts_of(workflow))

    assert missing(follow(cluster, name, until=missing, limit_s=60))
    cluster.shut_down(name, "Terminate")
    assert is_over(follow(cluster, name, limit_s=60))
    cluster.delete_workflow(name)


def test_what_is_there_and_what_is_not(cluster: Cluster, core: Any, namespace: str) -> None:
    core.create_namespaced_secret(namespace, {"metadata": {"name": "store"}, "stringData": {"A": "b"}})
    core.create_namespaced_config_map(namespace, {"metadata": {"name": "place"}, "data": {"A": "b"}})
    core.create_namespaced_resource_quota(
        namespace, {"metadata": {"name": "some"}, "spec": {"hard": {"pods": "50"}}}
    )
    assert (cluster.has_secret("store"), cluster.has_secret("absent")) == (True, False)
    assert cluster.config_map("place") == {"A": "b"}
    with pytest.raises(NotThere):
        cluster.config_map("absent")
    assert [quota["spec"]["hard"] for quota in cluster.quotas()] == [{"pods": "50"}]
    assert all("cpu" in node["status"]["allocatable"] for node in cluster.nodes())
    assert cluster.templates() == {}
    with pytest.raises(NotThere, match="absent"):
        cluster.workflow("absent")
    with pytest.raises(NotThere):
        list(cluster.pod_log("absent", "absent"))


BOUNDS = [
    ("Container", {"max": {"memory": "6Gi"}}),
    ("Container", {"max": {"memory": "8Gi"}}),
    ("Container", {"max": {"cpu": "4"}}),
    ("Container", {"min": {"memory": "128Mi"}}),
    ("Container", {"min": {"memory": "64Mi"}}),
    ("Container", {"min": {"ephemeral-storage": "1Gi"}}),
    ("Container", {"maxLimitRequestRatio": {"memory": "4"}}),
    ("Container", {"maxLimitRequestRatio": {"memory": "8"}}),
    ("Container", {"maxLimitRequestRatio": {"cpu": "8"}}),
    ("Container", {"default": {"cpu": "1"}}),
    ("Container", {"default": {"cpu": "3"}, "max": {"cpu": "4"}}),
    ("Pod", {"max": {"memory": "8Gi"}}),
    ("Pod", {"max": {"memory": "9Gi"}}),
    ("Pod", {"max": {"cpu": "9"}}),
    ("Pod", {"min": {"cpu": "3"}}),
    ("Pod", {"min": {"cpu": "2"}}),
    ("quota", {"limits.cpu": "64"}),
    ("quota", {"requests.cpu": "64", "limits.memory": "64Gi"}),
    ("quota", {"requests.memory": "1Gi"}),
    ("quota", {"limits.ephemeral-storage": "1Ti", "requests.nvidia.com/gpu": "4"}),
    ("quota", {"pods": "0"}),
]
"""Bounds of a namespace, some of which refuse the pod below."""
MAIN = {"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "8Gi"}}
ARGOS = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}


def refusal_of_the_cluster(core: Any, namespace: str) -> str:
    """What the API server says of a pod like ours, which it does not make; empty if it takes it."""
    kubernetes = __import__("kubernetes")
    container = {"name": "main", "image": IMAGE, "resources": MAIN}
    argos = [{"name": name, "image": IMAGE, "resources": ARGOS} for name in ("wait", "init")]
    spec = {"serviceAccountName": "runner", "containers": [container, argos[0]], "initContainers": argos[1:]}
    try:
        core.create_namespaced_pod(namespace, {"metadata": {"name": "probe"}, "spec": spec}, dry_run="All")
    except kubernetes.client.ApiException as error:
        return str(error.body)
    return ""


@pytest.mark.parametrize(("kind", "bound"), BOUNDS, ids=[f"{kind}-{bound}" for kind, bound in BOUNDS])
def test_what_is_said_beforehand_is_what_the_cluster_does(
    kind: str, bound: Json, cluster: Cluster, core: Any, namespace: str
) -> None:
    patch = {
        "containers": [{"name": "wait", "resources": ARGOS}],
        "initContainers": [{"name": "init", "resources": ARGOS}],
    }
    item = {"name": "chunk", "container": {"resources": MAIN}, "podSpecPatch": json.dumps(patch)}
    (pod,) = pods_of({"spec": {"templates": [item]}}, "ingest")
    name = {"metadata": {"name": "bound"}}
    if kind == "quota":
        core.create_namespaced_resource_quota(namespace, name | {"spec": {"hard": bound}})
    else:
        core.create_namespaced_limit_range(namespace, name | {"spec": {"limits": [{"type": kind, **bound}]}})
    try:
        ranges = cluster.limit_ranges()
        (whole,) = with_defaults([pod], ranges)
        problems = range_problems([whole], ranges) + quota_problems([whole], cluster.quotas())
        for _ in range(20):  # the API server hears of new bounds, and of the end of old ones, after a moment
            time.sleep(0.5)
            said = refusal_of_the_cluster(core, namespace)
            if bool(said) == bool(problems):
                break
            time.sleep(0.25)
        assert bool(said) == bool(problems), (said, problems)
    finally:
        if kind == "quota":
            core.delete_namespaced_resource_quota("bound", namespace)
        else:
            core.delete_namespaced_limit_range("bound", namespace)


def test_classes_of_the_cluster(cluster: Cluster) -> None:
    assert cluster.priority_class("system-node-critical")["value"] > 0
    with pytest.raises(NotThere, match="no-such"):
        cluster.priority_class("no-such")
    with pytest.raises(NotThere, match="no-such"):
        cluster.runtime_class("no-such")


def test_argos_controller_and_this_account_are_known(cluster: Cluster) -> None:
    controllers = cluster.controllers()
    assert controllers
    assert all(item.version for item in controllers)
    assert cluster.whoami()


def test_credentials_that_are_not_known(core: Any, namespace: str) -> None:
    kubernetes = __import__("kubernetes")
    known = core.api_client.configuration
    stranger = kubernetes.client.Configuration()
    stranger.host, stranger.ssl_ca_cert = known.host, known.ssl_ca_cert
    stranger.api_key = {"authorization": "Bearer not-a-token"}
    cluster = Kube(kubernetes.client.ApiClient(stranger), namespace, "the cluster")
    with pytest.raises(SignedOut) as caught:
        cluster.templates()
    assert "not-a-token" not in str(caught.value)
    stranger.host = "https://127.0.0.1:9"
    stranger.retries = 0
    with pytest.raises(ClusterUnreachable, match="connection refused"):
        Kube(kubernetes.client.ApiClient(stranger), namespace, "the cluster").templates()
