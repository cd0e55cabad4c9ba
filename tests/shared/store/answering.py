"""An HTTP service of this machine that answers as a test says: what a real S3 does not do when asked to."""

import http.server
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One response."""

    status: int
    body: bytes = b""
    kind: str = "application/xml"


@contextmanager
def answering(answer: Callable[[str, str, dict[str, str]], Answer]) -> Iterator[str]:
    """The address of a service whose answers depend on command, path and headers."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            given = answer(self.command, self.path, dict(self.headers.items()))
            self.send_response(given.status)
            self.send_header("Content-Type", given.kind)
            self.send_header("Content-Length", str(len(given.body)))
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_PUT = do_HEAD = do_POST = respond

        def log_message(self, format: str, *_: object) -> None:  # noqa: A002 (the base class names it so)
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
