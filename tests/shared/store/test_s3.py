"""The S3 store against a real MinIO server, started for these tests."""

import io
import os
import socket
from pathlib import Path
from typing import Any

import pytest

from nameplate.errors import StoreError, StoreUnreachable, UserError
from nameplate.store import NoSuchKey, open_store

pytestmark = pytest.mark.s3


@pytest.mark.usefixtures("s3_account")
def test_put_get_list_delete(tmp_path: Path) -> None:
    store = open_store("s3://bias/one/two")
    store.put("a/b.json", b"{}")
    big = tmp_path / "big"
    big.write_bytes(os.urandom(12_000_000))
    store.put_file("a/c.bin", big)
    assert store.get("a/b.json") == b"{}"
    assert store.exists("a/c.bin")
    assert not store.exists("a/d")
    assert store.sizes("a/") == {"a/b.json": 2, "a/c.bin": 12_000_000}
    assert set(store.sizes("")) == {"a/b.json", "a/c.bin", "nameplate-store.json"}
    assert store.fetch("a/c.bin", tmp_path / "cache").read_bytes() == big.read_bytes()
    assert store.folder("a") is None
    store.delete("a/b.json")
    store.delete("a/b.json")
    with pytest.raises(NoSuchKey, match=r"a/b\.json"):
        store.get("a/b.json")
    with pytest.raises(NoSuchKey):
        store.fetch("a/b.json", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob(".tmp-*"))


@pytest.mark.usefixtures("s3_account")
def test_a_foreign_prefix_is_refused(s3_server: Any) -> None:
    s3_server.client.put_object(bucket_name="bias", object_name="foreign/x", data=io.BytesIO(b"x"), length=1)
    with pytest.raises(StoreError, match="not empty and not a nameplate store"):
        open_store("s3://bias/foreign")


@pytest.mark.usefixtures("s3_account")
def test_an_absent_bucket_is_named() -> None:
    with pytest.raises(StoreError, match="no bucket 'nowhere'"):
        open_store("s3://nowhere/x")


@pytest.mark.usefixtures("s3_account")
def test_wrong_credentials_are_the_users_mistake_and_are_not_printed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-and-not-to-be-shown")
    with pytest.raises(StoreError, match="refused the account in AWS_ACCESS_KEY_ID") as caught:
        open_store("s3://bias/x")
    assert "wrong-and-not-to-be-shown" not in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.usefixtures("s3_account")
def test_no_credentials_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(UserError, match="AWS_SECRET_ACCESS_KEY not set"):
        open_store("s3://bias/x")


def test_a_silent_service_is_worth_another_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    with socket.socket() as silent:  # bound, but nobody listens
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-for-this-test-only")
    with pytest.raises(StoreUnreachable) as caught:
        open_store("s3://bias/x")
    assert caught.value.exit_code == 75
