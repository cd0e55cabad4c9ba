"""A small service that speaks QIDO-RS and WADO-RS, for what a real PACS cannot be made to do."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, Mapping[str, str], bytes]
BOUNDARY = "a--boundary"


@dataclass
class Listed:
    """A study that it has."""

    date: str
    files: Sequence[Path] = ()
    modalities: Sequence[str] = ("CT",)
    images: int | None = None
    """What it says, where that is not the number of files."""
    more: Mapping[str, str] = field(default_factory=dict)
    """Further values by tag."""


class WebPacs:
    """What it has, how it misbehaves, and what it was asked."""

    def __init__(self, studies: Mapping[str, Listed]) -> None:
        self.studies = dict(studies)
        self.longest = 10_000
        """Most studies of a page, whatever was asked for."""
        self.ignores_offset = False
        self.ignores_filters = False
        self.drops = False
        """Whether a second page of one modality is what the offset leaves of the first (Orthanc 1.10)."""
        self.answer: Callable[[str], Answer | None] = lambda path: None
        """In place of its own answer to a path."""
        self.slow_s = 0.0
        """How long it takes to send a study."""
        self.asked: list[tuple[str, dict[str, list[str]], Mapping[str, str]]] = []
        """Path, query and headers of each request."""
        self.fetched_at: list[float] = []
        self.most_at_once = 0
        self._going = 0
        self._lock = threading.Lock()
        self.url = ""

    @property
    def fetched(self) -> list[str]:
        """The studies whose images were asked for, in order."""
        return [path.rpartition("/")[2] for path, _, _ in self.asked if "/studies/" in path]

    def reply(self, path: str, query: dict[str, list[str]]) -> Answer:
        if (given := self.answer(path)) is not None:
            return given
        if path == "/dicom-web/studies":
            found = json.dumps(self._found(query)).encode()
            return 200, {"Content-Type": "application/dicom+json"}, found
        if path.startswith("/dicom-web/studies/"):
            return self._study(path.rpartition("/")[2])
        return 404, {}, b"nothing here"

    def _found(self, query: dict[str, list[str]]) -> list[dict[str, object]]:
        wanted = {name: values[0] for name, values in query.items()}
        first, last = wanted["StudyDate"].split("-")
        modality = wanted.get("ModalitiesInStudy")

        def has(one: Listed) -> bool:
            return modality is None or modality in one.modalities

        matching = [
            (uid, one)
            for uid, one in sorted(self.studies.items())
            if self.ignores_filters or (first <= one.date <= last and has(one))
        ]
        offset = 0 if self.ignores_offset else int(wanted.get("offset", 0))
        limit = min(self.longest, int(wanted.get("limit", 10_000)))
        page = matching[offset : offset + limit]
        if self.drops and modality is not None:
            page = matching[:limit][offset:]
        return [_entry(uid, one) for uid, one in page]

    def _study(self, uid: str) -> Answer:
        with self._lock:
            self.fetched_at.append(time.monotonic())
            self._going += 1
            self.most_at_once = max(self.most_at_once, self._going)
        time.sleep(self.slow_s)
        with self._lock:
            self._going -= 1
        if uid not in self.studies:
            return 404, {}, b"no such study"
        return 200, multipart_type(), multipart([file.read_bytes() for file in self.studies[uid].files])


def multipart_type() -> dict[str, str]:
    return {"Content-Type": f'multipart/related; type="application/dicom"; boundary="{BOUNDARY}"'}


def multipart(parts: Sequence[bytes]) -> bytes:
    """The body of an answer with these files."""
    head = f"\r\n--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return b"".join(head + part for part in parts) + f"\r\n--{BOUNDARY}--\r\n".encode()


def _entry(uid: str, one: Listed) -> dict[str, object]:
    images = len(one.files) if one.images is None else one.images
    told: dict[str, object] = {
        "00080020": {"vr": "DA", "Value": [one.date]},
        "00080061": {"vr": "CS", "Value": list(one.modalities)},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Zebulonius^Quax"}]},
        "0020000D": {"vr": "UI", "Value": [uid]},
        "00201206": {"vr": "IS", "Value": [1]},
        "00201208": {"vr": "IS", "Value": [images]},
    }
    return told | {tag: {"vr": "LO", "Value": [value]} for tag, value in one.more.items()}


@contextmanager
def serving(pacs: WebPacs) -> Iterator[WebPacs]:
    """The service at an address of this machine, as ``pacs.url``."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            pacs.asked.append((parts.path, query, dict(self.headers)))
            status, headers, body = pacs.reply(parts.path, query)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "Content-Length" not in headers:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing of a client that went away."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    pacs.url = f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
    try:
        yield pacs
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
