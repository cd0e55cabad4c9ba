"""An object store that is asked too much: before a MinIO one request in three is refused with 429."""

import http.client
import http.server
import itertools
import os
import secrets
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3
from installation import until
from minio import Minio

BUCKET = "nameplate"
SLOW_DOWN = b"<Error><Code>TooManyRequests</Code><Message>Please reduce your request rate.</Message></Error>"


@dataclass
class Storm:
    """Its address, the account, and how many requests were answered and refused."""

    endpoint: str
    account: dict[str, str]
    every: int = 3
    refused: int = 0
    answered: int = 0
    counting: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def storm(address: str, port: int = 7071) -> Iterator[Storm]:
    """The store, at an address of this machine at which pods reach it."""
    account = {"AWS_ACCESS_KEY_ID": "site", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        behind = f"127.0.0.1:{probe.getsockname()[1]}"
    weather = Storm(f"http://{address}:{port}", account)
    with tempfile.TemporaryDirectory(prefix="nameplate-storm-") as folder:
        process = subprocess.Popen(
            ["minio", "server", "--quiet", "--address", behind, folder],
            env={
                **os.environ,
                "MINIO_ROOT_USER": account["AWS_ACCESS_KEY_ID"],
                "MINIO_ROOT_PASSWORD": account["AWS_SECRET_ACCESS_KEY"],
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        server = http.server.ThreadingHTTPServer((address, port), _handler(weather, behind))
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        try:
            client = Minio(
                endpoint=behind, access_key=account["AWS_ACCESS_KEY_ID"],
                secret_key=account["AWS_SECRET_ACCESS_KEY"], secure=False,
                http_client=urllib3.PoolManager(retries=urllib3.Retry(0)),
            )  # fmt: skip
            until(30, "the store", lambda: _made(client))
            thread.start()
            yield weather
        finally:
            server.shutdown()
            server.server_close()
            process.terminate()
            process.wait()


def _made(client: Minio) -> bool:
    try:
        client.make_bucket(bucket_name=BUCKET)
    except Exception:
        return False
    return True


def _handler(weather: Storm, behind: str) -> type[http.server.BaseHTTPRequestHandler]:
    number = itertools.count()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            refused = next(number) % weather.every == 0
            with weather.counting:
                weather.refused += refused
                weather.answered += not refused
            if refused:
                self.give(429, [("Content-Type", "application/xml")], SLOW_DOWN)
                return
            connection = http.client.HTTPConnection(behind, timeout=60)
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():  # Host, too: it is signed
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            data = answer.read()
            # Of a question without an answer's body (HEAD) the length is that of the object.
            kept = [
                (k, v) for k, v in answer.getheaders() if k.lower() not in ("transfer-encoding", "connection")
            ]
            if self.command != "HEAD":
                kept = [(k, v) for k, v in kept if k.lower() != "content-length"]
            self.give(answer.status, kept, data)
            connection.close()

        def give(self, status: int, headers: list[tuple[str, str]], data: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                self.send_header(name, value)
            if self.command != "HEAD" and status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = respond

        def log_message(self, *_: object) -> None:
            pass

    return Handler
