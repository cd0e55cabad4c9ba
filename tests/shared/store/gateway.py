"""A gateway with an S3 service below a path of its own: what is known of such gateways, on this machine.

It checks the signature over the whole path, as S3Proxy (service-path), SeaweedFS (X-Forwarded-Prefix) and
others do, and asks a real MinIO behind it with an account of its own. ``knows`` False is the plain proxy that
takes the path away before a service that does not know of it.
"""

import http.client
import http.server
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from urllib.parse import SplitResult, urlsplit

from minio.credentials import Credentials
from minio.signer import sign_v4_s3

PATH = "/gate/s3"


@dataclass
class Gateway:
    """Its address with the path, and what it was asked."""

    endpoint: str
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    """Method, whole path, headers."""


@contextmanager
def gateway(server: Any, *, knows: bool = True) -> Iterator[Gateway]:
    """A gateway before ``server``, a MinIO of conftest.py."""
    behind = urlsplit(server.endpoint)
    account = Credentials(server.access_key, server.secret_key)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "connection"}
            gate.asked.append((self.command, self.path, headers))
            where = urlsplit(self.path)
            path = where.path.removeprefix(PATH)
            if path == where.path:
                self.give(404, {}, b"")
                return
            if knows:
                if not _is_signed(self.command, where, headers, account):
                    self.give(403, {}, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
                    return
                headers = _signed_anew(self.command, where._replace(path=path), headers, body)
            connection = http.client.HTTPConnection(behind.netloc)
            connection.putrequest(self.command, path + f"?{where.query}" * bool(where.query), True, True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            self.give(answer.status, dict(answer.getheaders()), answer.read())
            connection.close()

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = respond

        def give(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            length = headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(body))
            for name, value in headers.items():
                if name not in ("Content-Length", "Transfer-Encoding", "Connection", "Date", "Server"):
                    self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the base class names it so)
            pass

    def _signed_anew(method: str, where: SplitResult, headers: dict[str, str], body: bytes) -> dict[str, str]:
        kept = {k: v for k, v in headers.items() if k.lower() not in ("authorization", "host")}
        kept = {k: v for k, v in kept.items() if not k.lower().startswith("x-amz-content-sha256")}
        digest = sha256(body).hexdigest()
        now = datetime.now(UTC)
        kept = {k: v for k, v in kept.items() if k.lower() != "x-amz-date"}
        kept |= {"Host": behind.netloc, "x-amz-content-sha256": digest, "x-amz-date": f"{now:%Y%m%dT%H%M%SZ}"}
        return dict(
            sign_v4_s3(
                method=method, url=where, region="us-east-1", headers=kept, credentials=account,
                content_sha256=digest, date=now,
            )
        )  # fmt: skip

    http_server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    gate = Gateway(f"http://127.0.0.1:{http_server.server_port}{PATH}")
    thread = threading.Thread(target=http_server.serve_forever)
    thread.start()
    try:
        yield gate
    finally:
        http_server.shutdown()
        thread.join()
        http_server.server_close()


def _is_signed(method: str, where: SplitResult, headers: dict[str, str], account: Credentials) -> bool:
    """Whether the request is signed by the account, over the path as it came."""
    given = {name.lower(): value for name, value in headers.items()}
    found = re.search(r"SignedHeaders=([^,]+)", given.get("authorization", ""))
    if found is None:
        return False
    signed = sign_v4_s3(
        method=method,
        url=where,
        region="us-east-1",
        headers={name: given.get(name, "") for name in found[1].split(";")},
        credentials=account,
        content_sha256=given["x-amz-content-sha256"],
        date=datetime.strptime(given["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
    )
    return bool(signed["Authorization"] == given["authorization"])
