import json

import pytest
import urllib3
from hypothesis import given
from hypothesis import strategies as st

from nameplate_cluster.http_errors import (
    ClusterUnreachable,
    NotAllowed,
    NotThere,
    Refused,
    SignedOut,
    message_of,
    refusal_of,
    unreachable_of,
)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (401, SignedOut, 2),
        (403, NotAllowed, 2),
        (404, NotThere, 2),
        (422, Refused, 2),
        (429, ClusterUnreachable, 75),
        (503, ClusterUnreachable, 75),
    ],
)
def test_what_a_status_means(status: int, kind: type, code: int) -> None:
    error = refusal_of(status, '{"message": "because"}', doing="do it", place="there", login="log in")
    assert type(error) is kind
    assert error.exit_code == code
    assert "\n" not in str(error)


def test_messages_of_both_servers() -> None:
    assert message_of(json.dumps({"kind": "Status", "message": "pods\n not found"})) == "pods not found"
    assert message_of(b'{"code": 16, "message": "token not valid"}') == "token not valid"
    assert message_of('{"error": {"grpc_code": 5, "message": "not found"}}') == "not found"
    assert message_of("<html>") == "<html>"
    assert message_of(None) == ""


@given(st.binary(max_size=500))
def test_any_body_gives_one_line(body: bytes) -> None:
    assert "\n" not in message_of(body)


def test_broken_connections() -> None:
    pool = urllib3.HTTPConnectionPool("h", 1)
    refused = urllib3.exceptions.NewConnectionError(pool, "[Errno 111] Connection refused")  # type: ignore[arg-type]
    error = unreachable_of(urllib3.exceptions.MaxRetryError(pool, "/x", refused), place="the cluster")
    assert isinstance(error, ClusterUnreachable)
    assert "connection refused" in str(error)
    assert "0x" not in str(error)
    certificate = urllib3.exceptions.SSLError("certificate verify failed: self-signed certificate")
    error = unreachable_of(urllib3.exceptions.MaxRetryError(pool, "/x", certificate), place="the cluster")
    assert error.exit_code == 2
