"""``nameplate-challenge attend``: in a model's pod, beside the model's own container, asks the model.

The pod has no way out into the network. Cases come in by HTTP from the pods of the step ``challenge``, and go
to the model's container through a folder that both mount (``relay.py``, ``agent.sh``). One connection is
served at a time.
"""

import contextlib
import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any

from nameplate.campaign.challenge import words_of
from nameplate.service.command import parser_of
from nameplate.service.log import log_to_stderr
from nameplate.steps.challenge import MODEL
from nameplate.whole import whole_file
from nameplate_challenge.model import Model, NoScore, model_of
from nameplate_challenge.question import MOST_IMAGE, MOST_QUESTION, PORT, Answer, Question
from nameplate_challenge.relay import CALLS, READY
from nameplate_challenge.relay import __file__ as relay_file
from nameplate_challenge.request import Request
from nameplate_challenge.surroundings import Surroundings, kept, own_home

IDLE_SECONDS = 300
"""After which a connection that asks nothing is closed, so that the pod is free for another one."""


class Attendant:
    """The model of the question that was asked last, through the folder that its container shares."""

    def __init__(self, exchange: Path) -> None:
        self._exchange = exchange
        self._question: Question | None = None
        self._model: Model | None = None
        self._number = 0
        self._free = threading.Lock()
        os.umask(0)
        (exchange / READY).unlink(missing_ok=True)
        for left in (*exchange.glob("case-*"), *exchange.glob("home")):
            shutil.rmtree(left, ignore_errors=True)
        (exchange / "home").mkdir()
        if not (exchange / CALLS).exists():
            os.mkfifo(exchange / CALLS)
        with whole_file(exchange / "agent.sh") as partial:
            partial.write_text(files("nameplate_challenge").joinpath("agent.sh").read_text())

    @property
    def is_ready(self) -> bool:
        """Whether the model's container has begun to listen."""
        return (self._exchange / READY).exists()

    def take(self) -> bool:
        """Be the only one who asks, if nobody else is."""
        return self._free.acquire(blocking=False)

    def leave(self) -> None:
        """Let others ask."""
        self._free.release()

    def ask(self, question: Question, image: bytes) -> Answer:
        """What the model makes of an image."""
        self._number += 1
        request = Request(self._exchange / f"case-{self._number:06d}", self._number, question.gzip)
        request.folder.mkdir()
        try:
            request.image.write_bytes(image)
            return Answer.of(request, self._model_of(question).ask(request))
        except NoScore as error:
            self.distrust()
            return Answer(
                reason=error.reason.removeprefix(MODEL), said=error.said.replace(str(request.folder), "CASE")
            )
        finally:
            shutil.rmtree(request.folder, ignore_errors=True)

    def distrust(self) -> None:
        """End the process that has answered last."""
        if self._model is not None:
            self._model.distrust()

    def close(self) -> None:
        """End the model for good."""
        if self._model is not None:
            self._model.close()

    def _model_of(self, question: Question) -> Model:
        if self._model is None or question != self._question:
            if self._model is not None:
                self._model.close()
            home = self._exchange / "home"
            variables = own_home(home) | question.environment
            relay = (sys.executable, "-I", relay_file, str(self._exchange), json.dumps(variables))
            words = words_of(question.command, serve=question.serve)
            around = Surroundings(home, kept(), question.seconds, question.start_seconds)
            self._model = model_of((*relay, *words), around, serve=question.serve)
            self._question = question
        return self._model


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    attendant: Attendant
    _has_taken = False

    def setup(self) -> None:
        super().setup()
        # A client whose node is gone says no goodbye.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
            self.connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    def finish(self) -> None:
        if self._has_taken:
            self.attendant.leave()
        with contextlib.suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        """The pod's readiness."""
        self._say(HTTPStatus.OK if self.attendant.is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    def do_POST(self) -> None:
        """A case, or that the last answer was none."""
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 <= length <= MOST_IMAGE + MOST_QUESTION:
            self.close_connection = True
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        line = self.rfile.readline(min(MOST_QUESTION, length))
        image = self.rfile.read(length - len(line))
        question = None if self.path == "/distrust" else _question_in(line)
        if question is None and self.path != "/distrust":
            self._say(HTTPStatus.BAD_REQUEST)
            return
        if not self._has_taken:
            self._has_taken = self.attendant.take()
        if not self._has_taken or not self.attendant.is_ready:
            self.close_connection = True
            self._say(HTTPStatus.SERVICE_UNAVAILABLE)
        elif question is None:
            self.attendant.distrust()
            self._say(HTTPStatus.OK)
        else:
            self._say(HTTPStatus.OK, self.attendant.ask(question, image).model_dump_json().encode())

    def _say(self, status: HTTPStatus, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: a probe a few seconds apart would be all of it."""


def _question_in(line: bytes) -> Question | None:
    """None for a line that is no question."""
    try:
        question = Question.model_validate_json(line)
        words_of(question.command, serve=question.serve)
    except ValueError:
        return None
    return question


class Server(ThreadingHTTPServer):
    """Answers for one model's container; it is not started yet. Port 0 takes a free one."""

    def __init__(self, exchange: Path, port: int) -> None:
        self.attendant = Attendant(exchange)
        super().__init__(("", port), type("Handler", (_Handler,), {"attendant": self.attendant}))

    def server_close(self) -> None:
        """Also ends the model."""
        super().server_close()
        self.attendant.close()


def attend(arguments: Sequence[str]) -> int:
    """The command; it runs until it is stopped."""
    parser = parser_of(
        "nameplate-challenge attend",
        "Run in a model's pod, beside the model's own container, with which it shares a folder: takes cases "
        "by HTTP from the pods of the step challenge and runs the model on them. Writes agent.sh there, "
        "which the model's container runs.",
        "nameplate-challenge attend --exchange /exchange",
    )
    parser.add_argument("--exchange", type=Path, required=True, help="the folder that both containers mount")
    parser.add_argument("--port", type=int, default=PORT, help=f"to listen at (default: {PORT})")
    options = parser.parse_args(arguments)
    log_to_stderr()
    with Server(options.exchange, options.port) as server:
        server.serve_forever()
    return 0
