"""Stands for a process of the model's container: ``python relay.py FOLDER VARIABLES COMMAND``.

What is written to it, that process reads; what that prints, it prints; and it ends as that one does. Killed,
it is outlived by a child that has the other one ended, too. ``agent.sh`` is the other side; between them are
a folder that both containers mount, and named pipes in it.
"""

import contextlib
import errno
import json
import os
import select
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

CALLS, READY = "calls", "ready"
_CHUNK = 65_536
_LOOK_SECONDS = 0.02
_END_SECONDS = 5.0
"""That the other side has to see that a call is over, before its folder is deleted."""


def main(arguments: Sequence[str]) -> int:
    """Returns the other process's exit code, or dies of the signal that it died of."""
    exchange, variables, *words = arguments
    os.umask(0)  # the other container may have another user
    call = Path(tempfile.mkdtemp(prefix="call-", dir=exchange))
    call.chmod(0o777)
    for name in ("in", "out", "err"):
        os.mkfifo(call / name)
    (call / "command").write_text(_script(json.loads(variables), words))
    _leave_a_guardian(call)
    # Open for both: a pipe whose other end is not there yet neither blocks nor ends.
    into, out, err = (os.open(call / name, os.O_RDWR | os.O_NONBLOCK) for name in ("in", "out", "err"))
    try:
        calls = os.open(Path(exchange) / CALLS, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as error:
        if error.errno not in (errno.ENXIO, errno.ENOENT):
            raise
        print("the model's container does not run", file=sys.stderr)  # noqa: T201
        return 1
    os.write(calls, f"{call.name}\n".encode())
    code = _pumped(call, into, out, err)
    if 128 < code < 128 + signal.NSIG:  # as a shell says that it died of a signal
        with contextlib.suppress(OSError):
            signal.signal(code - 128, signal.SIG_DFL)
        os.kill(os.getpid(), code - 128)
    return code


def _script(variables: Mapping[str, str], words: Sequence[str]) -> str:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(variables.items())]
    # Whoever writes `started` has opened its pipes.
    here = shlex.quote(str(Path.cwd()))
    return "\n".join([": >started", *lines, f"cd {here}", f"exec {shlex.join(words)}", ""])


def _leave_a_guardian(call: Path) -> None:
    """A child in a session of its own, that sees this process end however it ends."""
    here, there = os.pipe()
    if os.fork():
        os.close(here)  # `there` stays open until this process ends
        return
    os.setsid()
    os.close(there)
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):
            os.close(descriptor)
    os.read(here, 1)
    (call / "end").touch()
    until = time.monotonic() + _END_SECONDS
    while not (call / "code").exists() and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
    shutil.rmtree(call, ignore_errors=True)
    os._exit(0)


def _pumped(call: Path, into: int, out: int, err: int) -> int:
    """Move what is read and printed until the other process has ended; its exit code."""
    readable = {0: into, out: 1, err: 2}
    closed = False
    while not (call / "code").exists():
        found, _, _ = select.select(list(readable), [], [], _LOOK_SECONDS)
        for source in found:
            if not _moved(source, readable[source]) and source == 0:
                readable.pop(0)
        # Not before the other side has opened the pipe: it would wait for a writer for ever.
        if 0 not in readable and not closed and (call / "started").exists():
            os.close(into)
            closed = True
    for source in (out, err):
        while _moved(source, readable[source]):
            pass
    try:
        return int((call / "code").read_text())
    except (OSError, ValueError):
        return 1


def _moved(source: int, target: int) -> bool:
    """Whether there was anything to move."""
    try:
        data = os.read(source, _CHUNK)
    except BlockingIOError:
        return False
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(target, left) :]
        except BlockingIOError:
            select.select([], [target], [], _LOOK_SECONDS)
    return bool(data)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
