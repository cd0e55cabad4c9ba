"""A certificate that nobody vouches for, and every refusal of an S3: a mistake, or trouble that may pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import get_args

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from minio.error import MinioAdminException

from nameplate.errors import StoreError, StoreUnreachable
from nameplate.store import open_store
from nameplate.store.connection import Meaning, meaning_of, status_and_code

from .answering import Answer, answering


def test_an_authority_that_is_not_known_is_a_mistake(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert authority.is_file()
    with pytest.raises(StoreError, match=r"verify failed: self.signed certificate;.*SSL_CERT_FILE"):
        open_store("s3://bias/x")


@pytest.mark.usefixtures("authority")
def test_an_authority_of_the_sites_own_is_trusted() -> None:
    store = open_store("s3://bias/x")
    store.put("a/b", b"seen")
    assert store.get("a/b") == b"seen"


REFUSALS = [
    (429, "TooManyRequests", StoreUnreachable),
    (500, "UnknownError", StoreUnreachable),
    (502, "BadGateway", StoreUnreachable),
    (503, "TemporarilyUnavailable", StoreUnreachable),
    (503, "SlowDown", StoreUnreachable),
    (504, "GatewayTimeout", StoreUnreachable),
    (400, "RequestTimeout", StoreUnreachable),
    (409, "OperationAborted", StoreUnreachable),
    (403, "AccessDenied", StoreError),
    (403, "InvalidTokenId", StoreError),
    (403, "SignatureDoesNotMatch", StoreError),
    (403, "RequestTimeTooSkewed", StoreError),
    (400, "InvalidRequest", StoreError),
    (409, "BucketNotEmpty", StoreError),
    (501, "NotImplemented", StoreError),
    (507, "InsufficientStorage", StoreError),
    (403, "QuotaExceeded", StoreError),
]


@contextmanager
def refusing(status: int, body: bytes, kind: str) -> Iterator[str]:
    """An S3 that has the bucket, and answers everything else so; gives its address."""

    def answer(command: str, path: str, _: dict[str, str]) -> Answer:
        if command == "GET" and "list-type=2" in path:
            return Answer(200, b"<ListBucketResult><Name>bias</Name></ListBucketResult>", kind)
        return Answer(status, body, kind)

    with answering(answer) as address:
        yield address


def put_to(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a long secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    # The client itself asks five times before it gives up; its pauses would be all of these tests.
    monkeypatch.setattr(urllib3.Retry, "get_backoff_time", lambda _: 0.0)
    open_store("s3://bias/x").put("a.txt", b"x")


@pytest.mark.parametrize(("status", "code", "expected"), REFUSALS)
def test_trouble_is_told_from_mistakes(
    status: int, code: str, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>m</Message></Error>".encode()
    with refusing(status, body, "application/xml") as address, pytest.raises(expected) as caught:
        put_to(address, monkeypatch)
    assert "a long secret" not in str(caught.value)
    assert ("clock" in str(caught.value)) == (code == "RequestTimeTooSkewed")
    assert ("is full" in str(caught.value)) == (code in ("QuotaExceeded", "InsufficientStorage"))


def test_a_proxys_page_in_place_of_an_answer_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"<html>the gateway is tired</html>"
    with refusing(502, page, "text/html") as address, pytest.raises(StoreUnreachable):
        put_to(address, monkeypatch)


@given(st.integers(100, 599), st.text(max_size=20))
def test_every_answer_has_one_meaning(status: int, code: str) -> None:
    meaning = meaning_of(status, code)
    assert meaning in get_args(Meaning)
    if status == 429:
        assert meaning in ("passing", "full", "clock", "account")


def test_an_answer_of_minios_administration_is_read() -> None:
    error = MinioAdminException("403", '{"Code": "XMinioAdminNoSuchUser"}')
    assert status_and_code(error) == (403, "XMinioAdminNoSuchUser")
    assert status_and_code(MinioAdminException("503", "<html>")) == (503, "HTTP 503")
    assert meaning_of(*status_and_code(MinioAdminException("503", ""))) == "passing"
