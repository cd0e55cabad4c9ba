"""A model in a pod of its own, asked over the cluster's network; ``attendant.py`` is the other side."""

import contextlib
import http.client
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from nameplate.errors import TryAgain
from nameplate_challenge.model import NoScore
from nameplate_challenge.question import MOST_ANSWER, Question, read_answer_line
from nameplate_challenge.request import Request

PATIENCE_SECONDS = 600.0
"""How long nobody may answer at all: a pod that is new pulls its image first."""
MOST_ENDS = 3
"""How often a model's pod may end in the middle of one case before that is the case's fault."""
_PAUSE_SECONDS = 1.0
_SLACK_SECONDS = 60.0
"""What an answer may take beside the model: the image has to travel."""


class RemoteModel:
    """One connection to the model's pods; a pod serves one at a time, and is kept while it lasts."""

    def __init__(self, url: str, question: Question, should_stop: Callable[[], bool]) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._url, self._question, self._should_stop = url, question, should_stop
        self._connection: http.client.HTTPConnection | None = None
        self._closed = False
        self.prefers_line = question.serve

    def ask(self, request: Request) -> str:
        """What the model prints for this case; its files are written beside the image.

        Raises NoScore, and TryAgain when no pod of this model answers.
        """
        body = self._question.model_dump_json().encode() + b"\n" + request.image.read_bytes()
        since = time.monotonic()
        ends = 0
        while True:
            if self._closed or self._should_stop():
                raise TryAgain("asked to stop while a model was asked")
            try:
                status, data = self._post("/ask", body)
            except _Gone as gone:
                ends += gone.after_asking
                if ends >= MOST_ENDS:
                    raise NoScore(f"its pod has ended {ends} times at this case") from gone
                if time.monotonic() - since > PATIENCE_SECONDS:
                    raise TryAgain(
                        f"no model has answered at {self._url} for {PATIENCE_SECONDS:g} s: "
                        "are its pods ready?"
                    ) from gone
                time.sleep(_PAUSE_SECONDS)
                continue
            if status == http.client.SERVICE_UNAVAILABLE:  # it serves another one, or its model is starting
                self._drop()
                since = time.monotonic()
                time.sleep(_PAUSE_SECONDS)
                continue
            return self._taken(request, status, data)

    def _taken(self, request: Request, status: int, data: bytes) -> str:
        try:
            if status != http.client.OK:
                raise ValueError(f"status {status}")
            answer = read_answer_line(data)
            if not answer.reason:
                answer.write(request)
        except ValueError as error:
            self._drop()
            raise NoScore(f"its pod has given {error}") from error
        if answer.reason:
            raise NoScore(answer.reason, answer.said)
        return answer.printed

    def distrust(self) -> None:
        """Let the pod end the process that has answered last."""
        if self._connection is not None:
            with contextlib.suppress(_Gone):
                self._post("/distrust", b"")

    def close(self) -> None:
        """Leave the pod to others; also while it is asked."""
        self._closed = True
        self._drop()

    def _post(self, path: str, body: bytes) -> tuple[int, bytes]:
        after_asking = False
        try:
            if self._connection is None:
                most = self._question.seconds + self._question.start_seconds + _SLACK_SECONDS
                self._connection = http.client.HTTPConnection(self._host, self._port, timeout=most)
                self._connection.connect()
            self._connection.request("POST", path, body)
            after_asking = True
            response = self._connection.getresponse()
            return response.status, response.read(MOST_ANSWER)
        except (OSError, http.client.HTTPException, AttributeError) as error:
            # AttributeError: closed by another thread in the middle.
            self._drop()
            raise _Gone(after_asking) from error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class _Gone(Exception):
    """Nobody is there, or no longer."""

    def __init__(self, after_asking: bool) -> None:
        super().__init__()
        self.after_asking = after_asking
