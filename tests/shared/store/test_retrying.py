"""A store that is asked again while it does not answer."""

import re
from pathlib import Path

import pytest

from nameplate.errors import StoreError, StoreUnreachable
from nameplate.store import NoSuchKey, open_store
from nameplate.store.directory import DirectoryStore
from nameplate.store.retrying import RetryingStore, with_retries
from nameplate.store.store import NoBucket


class _Trouble:
    """Raises the errors it was given, one a call, and then answers."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    def __call__(self) -> str:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return "here"


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nameplate.store.retrying._FIRST_PAUSE", 0.001)


def test_it_asks_again_until_there_is_an_answer() -> None:
    trouble = _Trouble(StoreUnreachable("silent"), NoBucket("no bucket"), StoreUnreachable("silent"))
    assert with_retries(trouble, 10) == "here"
    assert trouble.calls == 4


def test_it_gives_up_when_its_time_is_over_and_says_try_again() -> None:
    for error in (StoreUnreachable("silent"), NoBucket("there is no bucket 'x'")):
        with pytest.raises(StoreUnreachable, match=re.escape(str(error))):
            with_retries(_Trouble(*[error] * 10_000), 0.02)


def test_a_mistake_is_not_repeated() -> None:
    trouble = _Trouble(StoreError("refused"), StoreError("refused"))
    with pytest.raises(StoreError, match="refused"):
        with_retries(trouble, 10)
    assert trouble.calls == 1


def test_a_process_that_is_asked_to_end_does_not_wait() -> None:
    trouble = _Trouble(*[StoreUnreachable("silent")] * 10)
    with pytest.raises(StoreUnreachable, match="silent"):
        with_retries(trouble, 1000, lambda: trouble.calls >= 3)
    assert trouble.calls == 3


def test_it_does_all_that_the_store_behind_it_does(tmp_path: Path) -> None:
    store = RetryingStore(DirectoryStore(tmp_path / "store"), 1)
    store.put("a/b", b"12")
    (tmp_path / "file").write_bytes(b"345")
    store.put_file("a/c", tmp_path / "file")
    assert store.get("a/b") == b"12"
    assert store.sizes("a/") == {"a/b": 2, "a/c": 3}
    assert store.fetch("a/c", tmp_path / "cache").read_bytes() == b"345"
    assert store.exists("a/b")
    store.delete("a/b")
    assert not store.exists("a/b")
    with pytest.raises(NoSuchKey):
        store.get("a/b")
    assert store.folder("work") == tmp_path / "store" / "work"
    assert store.url == str(tmp_path / "store")


def test_a_store_that_is_opened_with_a_timeout_waits_for_a_service_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "someone")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "anything")
    with pytest.raises(StoreUnreachable, match="no answer from the S3 service"):
        open_store("s3://bias/x", timeout=0.2)
