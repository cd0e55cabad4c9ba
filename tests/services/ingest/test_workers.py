"""Real processes that are killed: what they cost, and what they leave.

The tasks are expressions, and the function that all of them share is ``eval``: a spawned process can
import both.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from operator import call
from pathlib import Path

import pytest

from nameplate.errors import TryAgain
from nameplate_ingest.workers import Died, Workers

DIE = "__import__('os').kill(__import__('os').getpid(), 9)"
PARENT = """
import os, sys, time
from operator import call
from nameplate_ingest.workers import Workers

with Workers(2, eval) as workers:
    # In one piece: two processes write at the same time.
    say = "__import__('os').write(1, str(__import__('os').getpid()).encode() + bytes([10]))"
    task = say + " and __import__('time').sleep(600)"
    for _ in workers.run(call, [task, task]):
        pass
"""


def is_running(process: int) -> bool:
    """Whether a process does anything: one that ended and waits for its parent does not count."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until_gone(processes: list[int]) -> None:
    end = time.monotonic() + 60
    while any(map(is_running, processes)):
        assert time.monotonic() < end, "a worker outlives its parent"
        time.sleep(0.02)


def run(tasks: list[str], count: int = 2) -> dict[str, object]:
    with Workers(count, eval) as workers:
        return dict(workers.run(call, tasks))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_every_task_is_done_once(count: int) -> None:
    tasks = [f"{number} + 1" for number in range(10)]
    assert run(tasks, count) == {task: eval(task) for task in tasks}


def test_a_task_that_kills_its_process_costs_only_itself() -> None:
    tasks = ["1 + 1", DIE, "2 + 2", "3 + 3", "4 + 4"]
    assert run(tasks) == {"1 + 1": 2, DIE: Died(), "2 + 2": 4, "3 + 3": 6, "4 + 4": 8}


def test_a_task_whose_process_dies_once_is_done_when_it_is_alone(tmp_path: Path) -> None:
    mark = repr(str(tmp_path / "mark"))
    once = f"'done' if __import__('os').path.exists({mark}) else (open({mark}, 'w').close(), {DIE})"
    assert run([once, "1", "2", "3"]) == {once: "done", "1": 1, "2": 2, "3": 3}


def test_an_idle_worker_that_dies_is_replaced() -> None:
    with Workers(1, eval) as workers:
        ((_, process),) = workers.run(call, ["__import__('os').getpid()"])
        assert isinstance(process, int)
        os.kill(process, signal.SIGKILL)
        wait_until_gone([process])
        assert dict(workers.run(call, ["5"])) == {"5": 5}


def test_an_exception_of_a_task_is_raised_here_and_ends_the_processes() -> None:
    seen: list[int] = []
    tasks = ["__import__('os').getpid()", "__import__('time').sleep(600)", "1 / 0"]

    def run_and_note() -> None:
        with Workers(2, eval) as workers:
            for _, result in workers.run(call, tasks):
                seen.append(result)

    with pytest.raises(ZeroDivisionError):
        run_and_note()
    assert seen
    wait_until_gone(seen)


def test_tasks_are_taken_only_when_a_process_is_free() -> None:
    taken: list[int] = []

    def tasks() -> object:
        for number in range(6):
            taken.append(number)
            yield str(number)

    with Workers(2, eval) as workers:
        for done, _ in enumerate(workers.run(call, tasks()), start=1):  # type: ignore[arg-type]
            assert len(taken) <= done + 2


def test_processes_that_cannot_start_end_the_run(tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\ncat > /dev/null\nexit 3\n")
    broken.chmod(0o755)
    multiprocessing.set_executable(str(broken))
    try:
        with pytest.raises(TryAgain, match="worker process"):
            run(["1"])
    finally:
        multiprocessing.set_executable(sys.executable)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_no_process_outlives_the_one_that_started_it(how: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        processes = [int(parent.stdout.readline()) for _ in range(2)]
        assert all(map(is_running, processes))
        parent.send_signal(how)
        wait_until_gone(processes)
    assert parent.returncode != 0


def test_a_signal_to_the_whole_group_is_the_parents_business() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    processes = [int(parent.stdout.readline()) for _ in range(2)]
    os.killpg(parent.pid, signal.SIGINT)
    wait_until_gone(processes)
    _, errors = parent.communicate(timeout=60)
    # One traceback, of the parent.
    assert errors.count("Traceback") == errors.count("KeyboardInterrupt") == 1
