"""A model's process: bounded in time and in what it may print, and ended with all that it has started."""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from nameplate.errors import UserError

MOST_BYTES = 65_536
"""Of its output that are kept: the last ones."""
MOST_SAID = 200
"""Characters of a line that is shown to a person."""
_LOOK_SECONDS = 0.02
"""Between two looks whether it has ended, while something else holds its pipes open."""
_PIPES_FULL = 4
"""Reads that empty a pipe of the usual size, and one for its end."""
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")


class Died(Exception):
    """It ended before it had answered."""


class TooSlow(Exception):
    """It did not answer in time."""


class ModelProcess:
    """One process in a session of its own, with pipes to it; deadlines are by ``time.monotonic``."""

    def __init__(
        self, words: Sequence[str], folder: Path, environment: Mapping[str, str], *, asked: bool
    ) -> None:
        """Start it in ``folder``; ``asked`` is whether it is written to. Raises UserError if that fails."""
        try:
            self._process = subprocess.Popen(
                words,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise UserError(f"--model: cannot start {words[0]} ({error.strerror})") from error
        self._kept = {"stdout": b"", "stderr": b""}
        self._selector = selectors.DefaultSelector()
        for name in self._kept:
            pipe = getattr(self._process, name)
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)

    def ended(self, deadline: float) -> int:
        """Its exit code when it has ended, negative for a signal. Raises TooSlow at the deadline."""
        while (code := self._process.poll()) is None:
            self._hear(deadline, look=True)
        self._hear_rest()
        return code

    def send(self, line: bytes, deadline: float) -> None:
        """Write a line to it; what it has printed before is dropped. Raises Died or TooSlow."""
        self._hear_rest()
        self._kept["stdout"] = b""
        pipe = self._process.stdin
        assert pipe is not None
        while line:
            try:
                line = line[pipe.write(line) or 0 :]
            except OSError as error:
                raise Died from error
            if line:
                self._hear(deadline, look=True)

    def line(self, deadline: float) -> str:
        """The next line that it prints, or its first ``MOST_BYTES``. Raises Died or TooSlow."""
        while b"\n" not in self._kept["stdout"] and len(self._kept["stdout"]) < MOST_BYTES:
            if self._process.poll() is not None:
                self._hear_rest()
                if b"\n" in self._kept["stdout"]:
                    break
                raise Died
            self._hear(deadline, look=True)
        line, _, self._kept["stdout"] = self._kept["stdout"].partition(b"\n")
        return line.decode(errors="replace")

    @property
    def printed(self) -> str:
        """The end of its standard output."""
        return self._kept["stdout"].decode(errors="replace")

    @property
    def said(self) -> str:
        """The last line of its standard error, fit to be shown."""
        return shown(self._kept["stderr"].decode(errors="replace"))

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._process.poll()

    def close(self) -> None:
        """End it and what it has started; nothing happens the second time."""
        # Also after its own end: what it has started is in its group, and may go on.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _hear(self, deadline: float, *, look: bool) -> None:
        """Take in what it prints within a short time, or until the deadline."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        wait = min(left, _LOOK_SECONDS) if look else left
        if not self._selector.get_map():
            # It has closed its pipes: nothing wakes us but its end.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait)
            return
        self._take(wait)

    def _hear_rest(self) -> None:
        """Take in what is in the pipes now, and not what comes for ever."""
        for _ in range(_PIPES_FULL):
            if not self._selector.get_map() or not self._take(0):
                return

    def _take(self, wait: float) -> bool:
        """Whether there was anything."""
        events = self._selector.select(wait)
        for key, _ in events:
            name = key.data
            try:
                data = os.read(key.fd, MOST_BYTES)
            except BlockingIOError:
                continue
            if not data:
                self._selector.unregister(key.fileobj)
                continue
            room = MOST_BYTES if name == "stderr" or self._process.stdin is None else 2 * MOST_BYTES
            self._kept[name] = (self._kept[name] + data)[-room:]
        return bool(events)


def last_line(text: str) -> str:
    """The last line that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def shown(text: str) -> str:
    """The last line of a text, cut, and with nothing that a terminal would act upon."""
    return _UNPRINTABLE.sub("?", last_line(text))[:MOST_SAID]
