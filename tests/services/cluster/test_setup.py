"""Secrets, bucket and account of an installation, against a real MinIO and a real API server."""

import base64
import io
import json
import time
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import kubernetes
import pytest
from minio import Minio
from minio.error import S3Error
from tests.shared.store.gateway import gateway

from nameplate.errors import StoreError, StoreUnreachable, TryAgain, UserError
from nameplate.store.retrying import with_retries
from nameplate.store.s3_service import S3Service
from nameplate_cluster import setup as module
from nameplate_cluster.account import ObjectStore, bucket_policy
from nameplate_cluster.credentials import (
    PSEUDONYM_KEYS,
    STORE_KEYS,
    Secrets,
    random_account,
    random_pseudonym_key,
    random_root,
)
from nameplate_cluster.setup import check_main, prepare_store, setup_main

ACCOUNT = ("nameplate", "the-password-of-the-pods")

ACTIONS = {
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:ListBucket",
    "s3:ListBucketMultipartUploads",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
}


def actions(policy: str) -> set[str]:
    return {action for statement in json.loads(policy)["Statement"] for action in statement["Action"]}


def prepare(server: Any, bucket: str, **changes: Any) -> None:
    """Bucket and account, with the administrator of the test's server unless said otherwise."""
    settings: dict[str, Any] = {
        "service": S3Service(endpoint=server.endpoint),
        "bucket": bucket,
        "account": ACCOUNT,
        "account_secret": "nameplate-store",
        "root": (server.access_key, server.secret_key),
        "root_secret": "nameplate-minio",
        "deadline": time.monotonic() + 5,
    }
    prepare_store(**{**settings, **changes})


def client_of(server: Any, account: tuple[str, str] = ACCOUNT) -> Minio:
    return Minio(
        endpoint=server.endpoint.removeprefix("http://"),
        access_key=account[0],
        secret_key=account[1],
        secure=False,
    )


@pytest.mark.s3
def test_a_bucket_is_made_behind_a_gateway_with_a_path(s3_server: Any) -> None:
    account = (s3_server.access_key, s3_server.secret_key)
    with gateway(s3_server) as gate:
        for _ in range(2):
            prepare(s3_server, "gated", service=S3Service(endpoint=gate.endpoint), account=account, root=None)
    assert s3_server.client.bucket_exists(bucket_name="gated")
    with gateway(s3_server, knows=False) as gate, pytest.raises(StoreError, match="the gateway takes"):
        prepare(s3_server, "gated", service=S3Service(endpoint=gate.endpoint), account=account, root=None)


@pytest.mark.s3
def test_the_account_uses_its_bucket_and_no_other(s3_server: Any) -> None:
    account = ("nameplate-ours", "the-password-of-the-pods")
    prepare(s3_server, "ours", account=account)
    s3_server.client.put_object(bucket_name="bias", object_name="x", data=io.BytesIO(b"x"), length=1)
    client = client_of(s3_server, account)
    client.put_object(bucket_name="ours", object_name="a/b", data=io.BytesIO(b"abc"), length=3)
    answer = client.get_object(bucket_name="ours", object_name="a/b")
    assert answer.read() == b"abc"
    answer.close()
    answer.release_conn()
    assert [row.object_name for row in client.list_objects(bucket_name="ours", recursive=True)] == ["a/b"]
    client.remove_object(bucket_name="ours", object_name="a/b")
    forbidden = [
        lambda: client.make_bucket(bucket_name="another"),
        lambda: client.remove_bucket(bucket_name="ours"),
        lambda: list(client.list_objects(bucket_name="bias")),
        lambda: client.stat_object(bucket_name="bias", object_name="x"),
        lambda: client.put_object(bucket_name="bias", object_name="y", data=io.BytesIO(b"y"), length=1),
        lambda: client.remove_object(bucket_name="bias", object_name="x"),
        lambda: client.get_bucket_policy(bucket_name="ours"),
    ]
    for call in forbidden:
        with pytest.raises(S3Error, match="AccessDenied"):
            call()
    assert [bucket.name for bucket in client.list_buckets()] == ["ours"]


@pytest.mark.s3
def test_a_bucket_that_the_account_had_stays_open_to_it(s3_server: Any) -> None:
    account = ("nameplate-moving", "the-password-of-the-pods")
    for bucket in ("first", "second", "first"):
        prepare(s3_server, bucket, account=account)
    buckets = client_of(s3_server, account).list_buckets()
    assert sorted(bucket.name for bucket in buckets) == ["first", "second"]


@pytest.mark.s3
def test_a_second_run_changes_nothing(s3_server: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    prepare(s3_server, "twice")
    assert {record.getMessage() for record in caplog.records} >= {"bucket made", "policy written"}
    admin = ObjectStore(
        S3Service(endpoint=s3_server.endpoint), (s3_server.access_key, s3_server.secret_key), "r"
    ).admin
    before = admin.user_info(ACCOUNT[0]), admin.policy_info("nameplate-twice")
    caplog.clear()
    prepare(s3_server, "twice")
    assert not caplog.records
    assert admin.user_info(ACCOUNT[0]) == before[0]
    assert actions(admin.policy_info("nameplate-twice")) == actions(before[1]) == ACTIONS


@pytest.mark.s3
def test_a_changed_secret_and_a_widened_policy_are_mended(s3_server: Any) -> None:
    prepare(s3_server, "mended")
    store = ObjectStore(
        S3Service(endpoint=s3_server.endpoint), (s3_server.access_key, s3_server.secret_key), "root"
    )
    wide = bucket_policy("mended")
    wide["Statement"][0]["Resource"] = ["arn:aws:s3:::*"]
    store.admin.policy_add(policy_name="nameplate-mended", policy=wide)
    store.admin.user_disable(ACCOUNT[0])
    prepare(s3_server, "mended", account=(ACCOUNT[0], "another-password"))
    assert actions(store.admin.policy_info("nameplate-mended")) == ACTIONS
    assert "arn:aws:s3:::*" not in store.admin.policy_info("nameplate-mended")
    assert client_of(s3_server, (ACCOUNT[0], "another-password")).bucket_exists(bucket_name="mended")
    with pytest.raises(S3Error, match="SignatureDoesNotMatch"):
        client_of(s3_server).bucket_exists(bucket_name="mended")


@pytest.mark.s3
def test_wrong_credentials_of_the_administrator_are_one_line(s3_server: Any) -> None:
    for root in [(s3_server.access_key, "wrong-password"), ("nobody", "wrong-password")]:
        with pytest.raises(StoreError, match="refused the account in the Secret nameplate-minio") as caught:
            prepare(s3_server, "wrong", root=root)
        assert caught.value.exit_code == 2
        assert "\n" not in str(caught.value)
        assert "wrong-password" not in str(caught.value)


@pytest.mark.s3
def test_the_administrator_is_not_the_account_of_the_pods(s3_server: Any) -> None:
    root = (s3_server.access_key, s3_server.secret_key)
    with pytest.raises(UserError, match="use two different users"):
        prepare(s3_server, "same", account=root)


@pytest.mark.s3
def test_another_s3_needs_no_administrator(s3_server: Any) -> None:
    root = (s3_server.access_key, s3_server.secret_key)
    for _ in range(2):
        prepare(s3_server, "plain", account=root, root=None, root_secret="")
    assert s3_server.client.bucket_exists(bucket_name="plain")


@pytest.mark.s3
def test_an_account_that_may_not_make_the_bucket_is_told_so(s3_server: Any) -> None:
    prepare(s3_server, "home")
    with pytest.raises(StoreError, match=r"bucket 'absent'.*Secret nameplate-store") as caught:
        prepare(s3_server, "absent", root=None)
    assert "\n" not in str(caught.value)


@pytest.mark.s3
def test_check_leaves_no_object(s3_account: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.setenv("NAMEPLATE_BUCKET", "bias")
    assert check_main([]) == 0
    assert capsys.readouterr().out == "ok: wrote, read and deleted one object in s3://bias/helm-test\n"
    rows = s3_account.client.list_objects(bucket_name="bias", prefix="helm-test", recursive=True)
    assert not list(rows)
    monkeypatch.setenv("NAMEPLATE_BUCKET", "nowhere")
    assert check_main([]) == 2
    monkeypatch.delenv("NAMEPLATE_BUCKET")
    assert check_main([]) == 2
    assert "NAMEPLATE_BUCKET: not set" in capsys.readouterr().err


def test_a_store_that_does_not_answer_is_waited_for_and_then_left() -> None:
    store = ObjectStore(S3Service(endpoint="http://127.0.0.1:9"), ACCOUNT, "nameplate-store")
    with pytest.raises(StoreUnreachable, match="NetworkPolicy") as caught:
        with_retries(lambda: store.make_bucket("ours"), 0.3)
    assert caught.value.exit_code == 75


def test_wrong_names_are_one_line() -> None:
    with pytest.raises(UserError, match="AWS_ENDPOINT_URL"):
        S3Service(endpoint="minio:9000")
    store = ObjectStore(S3Service(endpoint="http://127.0.0.1:9"), ACCOUNT, "s")
    with pytest.raises(UserError, match=r"objectStore\.bucket"):
        store.make_bucket("No Bucket")


def test_outside_a_pod_setup_says_so(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert setup_main([]) == 2
    assert "runs in a pod" in capsys.readouterr().err


@pytest.fixture(scope="module")
def cluster() -> Iterator[tuple[Any, str]]:
    """The API server of KUBECONFIG and a namespace that is deleted in the end."""
    try:
        kubernetes.config.load_kube_config()
        api = kubernetes.client.CoreV1Api()
        api.list_namespace(limit=1, _request_timeout=(2, 5))
    except Exception:
        pytest.skip("no Kubernetes cluster answers")
    name = f"nameplate-test-{uuid.uuid4().hex[:8]}"
    api.create_namespace({"metadata": {"name": name}})
    yield api, name
    api.delete_namespace(name)
    api.api_client.rest_client.pool_manager.clear()


def test_secrets_are_made_once(cluster: tuple[Any, str]) -> None:
    api, namespace = cluster
    found = Secrets(api, namespace)
    first = found.make("nameplate-store", random_account())
    assert found.make("nameplate-store", random_account()) == first
    assert found.need("nameplate-store", STORE_KEYS) == first
    assert len(first["AWS_SECRET_ACCESS_KEY"]) >= 32
    labels = api.read_namespaced_secret("nameplate-store", namespace).metadata.labels
    assert labels["app.kubernetes.io/part-of"] == "nameplate"


def test_a_secret_that_the_site_brings_must_be_whole(cluster: tuple[Any, str]) -> None:
    api, namespace = cluster
    found = Secrets(api, namespace)
    with pytest.raises(UserError, match=f"Secret {namespace}/site: expected it, with NAMEPLATE_KEY"):
        found.need("site", PSEUDONYM_KEYS)
    data = {"OTHER": base64.b64encode(b"do-not-show").decode()}
    api.create_namespaced_secret(namespace, {"metadata": {"name": "site"}, "data": data})
    for call in (
        lambda: found.need("site", PSEUDONYM_KEYS),
        lambda: found.make("site", random_pseudonym_key()),
    ):
        with pytest.raises(UserError, match="expected a value for NAMEPLATE_KEY") as caught:
            call()
        assert "do-not-show" not in str(caught.value)


def test_an_account_without_rights_is_told_which_role(cluster: tuple[Any, str]) -> None:
    api, namespace = cluster
    configuration = api.api_client.configuration
    stranger = kubernetes.client.Configuration()
    stranger.host, stranger.ssl_ca_cert = configuration.host, configuration.ssl_ca_cert
    with kubernetes.client.ApiClient(stranger) as nobody:
        found = Secrets(kubernetes.client.CoreV1Api(nobody), namespace)
        with pytest.raises(UserError, match="check the Role nameplate-setup"):
            found.make("nameplate-minio", random_root())


def test_an_api_server_that_does_not_answer_is_named() -> None:
    configuration = kubernetes.client.Configuration(host="http://127.0.0.1:9")
    configuration.retries = False
    with kubernetes.client.ApiClient(configuration) as client:
        found = Secrets(kubernetes.client.CoreV1Api(client), "anywhere")
        with pytest.raises(TryAgain, match=r"networkPolicy\.apiServer"):
            found.make("nameplate-store", random_account())


@pytest.mark.s3
def test_setup_whole(
    cluster: tuple[Any, str],
    s3_account: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    api, namespace = cluster
    root = {"MINIO_ROOT_USER": s3_account.access_key, "MINIO_ROOT_PASSWORD": s3_account.secret_key}
    api.create_namespaced_secret(namespace, {"metadata": {"name": "whole-root"}, "stringData": root})
    monkeypatch.setattr(module, "_api", lambda: api)
    monkeypatch.setenv("NAMEPLATE_BUCKET", "whole")
    arguments = [
        "--store-secret=whole-store",
        "--key-secret=whole-key",
        "--minio-secret=whole-root",
        "--given=whole-root",
        f"--namespace={namespace}",
        "--store-timeout=10",
    ]
    for _ in range(2):
        assert setup_main(arguments) == 0
    said = capsys.readouterr()
    account = Secrets(api, namespace).need("whole-store", STORE_KEYS)
    key = Secrets(api, namespace).need("whole-key", PSEUDONYM_KEYS)
    assert client_of(s3_account, tuple(account.values())).bucket_exists(bucket_name="whole")  # type: ignore[arg-type]
    for value in (account["AWS_SECRET_ACCESS_KEY"], key["NAMEPLATE_KEY"], s3_account.secret_key):
        assert value not in said.out + said.err
    events = [json.loads(line)["event"] for line in said.err.splitlines()]
    assert events.count("ready") == 2
    assert events.count("secret made") == 2


class KubernetesOfADictionary:
    """The part of CoreV1Api that setup asks, with these Secrets."""

    def __init__(self, **secrets: dict[str, str]) -> None:
        self.secrets = secrets

    def read_namespaced_secret(self, name: str, namespace: str, **_: Any) -> Any:
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in self.secrets[name].items()}
        return SimpleNamespace(data=encoded)


@pytest.fixture
def limited(
    s3_server: Any, folder_account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """A temporary account that may use one folder of the bucket `bias`, and the chart's settings for it."""
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    monkeypatch.setenv("NAMEPLATE_BUCKET", "bias")
    monkeypatch.setenv("NAMEPLATE_PREFIX", "team/ct/")
    return folder_account


@pytest.mark.s3
def test_setup_and_check_need_no_more_than_a_temporary_account_of_a_prefix(
    limited: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    key = {"NAMEPLATE_KEY": "0" * 64}
    monkeypatch.setattr(module, "_api", lambda: KubernetesOfADictionary(site=limited, key=key))
    arguments = ["--store-secret=site", "--given=site", "--key-secret=key", "--given=key"]
    assert setup_main(arguments) == 0, capsys.readouterr().err
    for name, value in limited.items():
        monkeypatch.setenv(name, value)
    assert check_main([]) == 0
    assert "s3://bias/team/ct/helm-test" in capsys.readouterr().out
    without = {name: value for name, value in limited.items() if name != "AWS_SESSION_TOKEN"}
    monkeypatch.setattr(module, "_api", lambda: KubernetesOfADictionary(site=without, key=key))
    assert setup_main(arguments) == 2
    assert "refused the account in the Secret site" in capsys.readouterr().err


@pytest.mark.s3
def test_setup_may_be_the_identity_of_its_pod(
    limited: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setattr(module, "_api", lambda: KubernetesOfADictionary(key={"NAMEPLATE_KEY": "0" * 64}))
    for name in limited:
        monkeypatch.delenv(name, raising=False)
    arguments = ["--store-secret=", "--key-secret=key", "--given=key"]
    assert setup_main(arguments) == 2
    assert "the identity of nameplate-setup: AWS_ACCESS_KEY_ID" in capsys.readouterr().err
    for name, value in limited.items():  # what a ServiceAccount's identity comes to
        monkeypatch.setenv(name, value)
    assert setup_main(arguments) == 0
