"""The model: a command that is run for every case, or one process that is asked for every case."""

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from nameplate.campaign.challenge import IMAGE, OUTPUT, words_of
from nameplate.errors import UserError
from nameplate.steps.challenge import MODEL
from nameplate_challenge.process import Died, ModelProcess, TooSlow
from nameplate_challenge.request import Request
from nameplate_challenge.surroundings import Surroundings


class NoScore(Exception):
    """The model has given no score: a row of the ledger."""

    def __init__(self, reason: str, said: str = "") -> None:
        super().__init__(reason)
        self.reason = MODEL + reason
        self.said = said


class Model(Protocol):
    """Who is asked; by one thread at a time, and ``close`` also by another one."""

    prefers_line: bool
    """Whether a score in its answer counts before a file that it has written."""

    def ask(self, request: Request) -> str:
        """What it prints for this case. Raises NoScore."""

    def distrust(self) -> None:
        """Its last answer was none."""

    def close(self) -> None:
        """End it for good."""


class Command:
    """One process a case: a template with {image} and {output}."""

    prefers_line = False

    def __init__(self, template: tuple[str, ...], around: Surroundings) -> None:
        self._template, self._around = template, around
        self._running: ModelProcess | None = None
        self._closed = False

    def ask(self, request: Request) -> str:
        """What the process has printed when it has ended."""
        words = [
            word.replace(IMAGE, str(request.image)).replace(OUTPUT, str(request.output))
            for word in self._template
        ]
        process = self._running = ModelProcess(words, request.folder, self._around.environment, asked=False)
        if self._closed:
            process.close()
        try:
            code = process.ended(time.monotonic() + self._around.seconds)
        except TooSlow as error:
            raise NoScore(_too_slow(self._around.seconds), process.said) from error
        finally:
            process.close()
        if code:
            raise NoScore(_ended(code), process.said)
        return process.printed

    def distrust(self) -> None:
        """Nothing: the next case has a process of its own."""

    def close(self) -> None:
        """End the process of the case that is being asked."""
        self._closed = True
        if self._running is not None:
            self._running.close()


class Server:
    """One process for many cases: a line of JSON in, a line out."""

    prefers_line = True

    def __init__(self, words: tuple[str, ...], around: Surroundings) -> None:
        self._words, self._around = words, around
        self._running: ModelProcess | None = None
        self._closed = False

    def ask(self, request: Request) -> str:
        """Its line for this case.

        Where it has ended since, or because of, an earlier case, a new one is asked once: only that one's end
        is this case's.
        """
        line = request.line()
        while True:
            fresh = self._running is None
            if fresh:
                self._around.folder.mkdir(parents=True, exist_ok=True)
                self._running = ModelProcess(
                    self._words, self._around.folder, self._around.environment, asked=True
                )
            process = self._running
            assert process is not None
            if self._closed:
                process.close()
            seconds = self._around.seconds + (self._around.start_seconds if fresh else 0.0)
            deadline = time.monotonic() + seconds
            try:
                process.send(line, deadline)
                return process.line(deadline)
            except TooSlow as error:
                self.distrust()
                raise NoScore(_too_slow(seconds), process.said) from error
            except Died as error:
                self.distrust()
                if fresh or self._closed:
                    raise NoScore(_ended(process.code), process.said) from error

    def distrust(self) -> None:
        """End it: whatever it says next may belong to this case."""
        if self._running is not None:
            self._running.close()
            self._running = None

    def close(self) -> None:
        """End the process; it is not started again."""
        self._closed = True
        if (process := self._running) is not None:
            process.close()


def _too_slow(seconds: float) -> str:
    return f"no answer within {seconds:g} s"


def _ended(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return "ended without an answer" if not code else f"exit code {code}"


def model_maker(command: str, around: Surroundings, *, serve: bool) -> Callable[[int], Model]:
    """What makes the model of each of several threads, by number.

    A word of the command that names a file here is made absolute, since the process works elsewhere. Raises
    UserError for a command that cannot be taken apart, lacks {image}, or whose program is not there.
    """
    name = "--serve" if serve else "--model"
    try:
        words = words_of(command, serve=serve)
    except ValueError as error:
        raise UserError(f"{name}: {error}") from error
    program = shutil.which(words[0], path=around.environment.get("PATH"))
    if program is None:
        raise UserError(f"{name}: no program {words[0]}")
    placed = (str(Path(program).absolute()), *(_placed(word) for word in words[1:]))
    return lambda number: model_of(placed, replace(around, folder=around.folder / str(number)), serve=serve)


def model_of(words: tuple[str, ...], around: Surroundings, *, serve: bool) -> Model:
    """A model whose command has these words."""
    return Server(words, around) if serve else Command(words, around)


def _placed(word: str) -> str:
    try:
        return str(Path(word).absolute()) if word and Path(word).exists() else word
    except OSError:  # too long for a name
        return word
