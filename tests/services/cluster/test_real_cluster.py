"""Both ways to a real cluster, where KUBECONFIG names one with Argo Workflows; in a namespace of its own."""

import os
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from nameplate_cluster.client import Cluster, Json
from nameplate_cluster.http_errors import ClusterUnreachable, NotThere, SignedOut
from nameplate_cluster.kube import Kube
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
