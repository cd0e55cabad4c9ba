"""Who asks for objects, and what an answer that is none means."""

import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from tests.shared.store.answering import Answer, answering

from nameplate.campaign.sources import BucketSource
from nameplate.errors import TryAgain, UserError
from nameplate_ingest.sources.candidate import NotAsListed
from nameplate_ingest.sources.objects import Listed, Objects

SOURCE = "NAMEPLATE_SOURCE_"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No account of anybody, and no patience."""
    for name in (
        "ACCESS_KEY_ID",
        "SECRET_ACCESS_KEY",
        "SESSION_TOKEN",
        "ENDPOINT_URL",
        "ENDPOINT_URL_S3",
        "REGION",
    ):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setattr(Objects, "patience_s", 0.0)


def set_account(
    monkeypatch: pytest.MonkeyPatch, access: str, secret: str, token: str | None = None, name: str = ""
) -> None:
    monkeypatch.setenv(f"{SOURCE}{name}ACCESS_KEY_ID", access)
    monkeypatch.setenv(f"{SOURCE}{name}SECRET_ACCESS_KEY", secret)
    if token is not None:
        monkeypatch.setenv(f"{SOURCE}{name}SESSION_TOKEN", token)


def put(server: Any, name: str, data: bytes, bucket: str = "bias") -> None:
    server.client.put_object(bucket_name=bucket, object_name=name, data=io.BytesIO(data), length=len(data))


def objects(server: Any, path: str = "bias/mine", **options: Any) -> Objects:
    endpoint = server if isinstance(server, str) else server.endpoint
    return Objects(BucketSource(url=f"s3://{path}", endpoint=endpoint, **options), lambda: False)


@pytest.fixture
def server(s3_server: Any) -> Any:
    """A server with three objects."""
    for name in ("mine/a", "mine/b/c", "others/d"):
        s3_server.client.put_object(
            bucket_name="bias", object_name=name, data=io.BytesIO(b"content"), length=7
        )
    return s3_server


def test_objects_are_listed_read_and_fetched(
    server: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    set_account(monkeypatch, server.access_key, server.secret_key)
    some = objects(server)
    listed = list(some.listed())
    assert [(one.key, one.size) for one in listed] == [("mine/a", 7), ("mine/b/c", 7)]
    assert [some.read(listed[0], *part) for part in ((0, 3), (5, 99), (7, 1))] == [b"con", b"nt", b""]
    some.fetch(listed[1], tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == b"content"
    for missing, error in (
        (Listed("mine/none", 7, listed[0].etag), "source-gone"),
        (Listed("mine/a", 7, "0" * 32), "source-changed"),
    ):
        with pytest.raises(NotAsListed, match=error):
            some.read(missing, 0, 7)
        with pytest.raises(NotAsListed, match=error):
            some.fetch(missing, tmp_path / "none")


def test_a_list_goes_over_pages(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_account(monkeypatch, server.access_key, server.secret_key)
    monkeypatch.setattr("nameplate_ingest.sources.objects._PAGE", 2)
    for number in range(7):
        put(server, f"pages/{number}", b"x")
    assert [one.key for one in objects(server, "bias/pages/").listed()] == [f"pages/{n}" for n in range(7)]


def test_an_account_by_name_with_a_session(
    server: Any, folder_account: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(server, "team/ct/x", b"x")
    keys = [folder_account[f"AWS_{name}"] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")]
    set_account(monkeypatch, keys[0], keys[1], keys[2], name="TRIAL_1_")
    (listed,) = objects(server, "bias/team/ct", account="trial-1").listed()
    assert objects(server, "bias/team/ct", account="trial-1").read(listed, 0, 1) == b"x"
    with pytest.raises(UserError, match=r"AccessDenied.*NAMEPLATE_SOURCE_TRIAL_1_ACCESS_KEY_ID"):
        list(objects(server, "bias/mine", account="trial-1").listed())
    with pytest.raises(UserError, match=r"NAMEPLATE_SOURCE_OTHER_ACCESS_KEY_ID .* not set"):
        objects(server, account="other")
    monkeypatch.delenv(f"{SOURCE}TRIAL_1_SECRET_ACCESS_KEY")
    with pytest.raises(UserError, match="give both or none"):
        objects(server, account="trial-1")


def test_the_account_of_the_store_is_for_its_own_service_alone(
    server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    assert len(list(objects(server).listed())) == 2
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://another.example:9000")
    with pytest.raises(UserError, match=r"AccessDenied.*not set: asked without an account"):
        list(objects(server).listed())


def test_a_public_bucket_needs_no_account(server: Any) -> None:
    rights = {"s3:GetObject": "open/*", "s3:ListBucket": "open"}
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": [action], "Resource": [f"arn:aws:s3:::{what}"]}
            for action, what in rights.items()
        ],
    }
    server.client.make_bucket(bucket_name="open")
    server.client.set_bucket_policy(bucket_name="open", policy=json.dumps(policy))
    put(server, "a", b"x", "open")
    some = objects(server, "open")
    assert [some.read(one, 0, 1) for one in some.listed()] == [b"x"]


@pytest.mark.parametrize(
    ("keys", "path", "said"),
    [
        (("nameplate-test", "wrong"), "bias/mine", "SignatureDoesNotMatch"),
        (("nobody-knows", "wrong-secret"), "bias/mine", "InvalidAccessKeyId"),
        (None, "not-there/mine", "there is no such bucket"),
        (None, "bias/none", "no objects below the prefix"),
    ],
)
def test_mistakes_are_told_in_one_line_without_the_place(
    server: Any, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, str] | None, path: str, said: str
) -> None:
    set_account(monkeypatch, *(keys or (server.access_key, server.secret_key)))
    with pytest.raises(UserError, match=said) as caught:
        list(objects(server, path).listed())
    told = str(caught.value)
    assert told.startswith("source.url: ")
    assert "\n" not in told
    assert not any(secret in told for secret in ("wrong", server.secret_key, path))


@pytest.mark.parametrize("endpoint", ["http://host/a?b", "http://host/%41", "https://"])
def test_an_endpoint_that_is_none(endpoint: str) -> None:
    settings = BucketSource(url="s3://bias/x").model_copy(update={"endpoint": endpoint})
    with pytest.raises(UserError, match=r"source\.endpoint: "):
        Objects(settings, lambda: False)


def error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>m</Message></Error>".encode()


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (503, "SlowDown", TryAgain, r"SlowDown|no answer"),
        (500, "InternalError", TryAgain, r"InternalError|no answer"),
        (403, "RequestTimeTooSkewed", UserError, "clock"),
        (301, "PermanentRedirect", UserError, "another region"),
        (400, "AuthorizationHeaderMalformed", UserError, "another region"),
        (418, "Odd", UserError, "Odd for the list of objects"),
    ],
)
def test_answers_that_a_real_service_gives_seldom(status: int, code: str, kind: type, said: str) -> None:
    with answering(lambda *_: Answer(status, error(code))) as endpoint, pytest.raises(kind, match=said):
        list(objects(endpoint).listed())


def test_nobody_who_answers_may_answer_later() -> None:
    with pytest.raises(TryAgain, match=r"source\.url: no answer.*source\.endpoint"):
        list(objects("http://127.0.0.1:9").listed())
    with (
        answering(lambda *_: Answer(200, b"<html>", "text/html")) as endpoint,
        pytest.raises((TryAgain, UserError)),
    ):
        list(objects(endpoint).listed())


def test_a_certificate_of_nobody_is_not_trusted(authority: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    endpoint = os.environ["AWS_ENDPOINT_URL"]
    with pytest.raises(UserError, match="no objects"):
        list(objects(endpoint).listed())
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UserError, match="SSL_CERT_FILE"):
        list(objects(endpoint).listed())


def test_what_passes_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Objects, "patience_s", 60.0)
    asked: Counter[str] = Counter()

    def answer(command: str, path: str, headers: dict[str, str]) -> Answer:
        asked[path] += 1
        if asked[path] < 3:
            return Answer(400, error("RequestTimeout"))
        return Answer(206, b"content")

    with answering(answer) as endpoint:
        assert objects(endpoint).read(Listed("mine/a", 7, ""), 0, 7) == b"content"
    assert asked.total() == 3


def test_a_service_without_parts_of_objects_is_told() -> None:
    with (
        answering(lambda *_: Answer(200, b"content")) as endpoint,
        pytest.raises(UserError, match="parts of objects"),
    ):
        objects(endpoint).read(Listed("mine/a", 7, ""), 0, 3)


@pytest.mark.parametrize("key", ["a/../b", "../b", "./b", "a/..", "a//b", "a/.b", "a/...", "ü/../x?y#z"])
def test_dots_in_a_key_are_no_way_to_another_one(key: str) -> None:
    """MinIO keeps no such keys, AWS does; what counts is what is asked for."""
    paths = []

    def answer(command: str, path: str, headers: dict[str, str]) -> Answer:
        paths.append(path)
        return Answer(206, b"x")

    with answering(answer) as endpoint:
        assert objects(endpoint).read(Listed(f"mine/{key}", 1, ""), 0, 1) == b"x"
    assert [unquote(path) for path in paths] == [f"/bias/mine/{key}"]
