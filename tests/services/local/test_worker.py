"""A worker: what it answers for a job that is done and for each way to fail, and when it ends.

A step function of these tests takes the place of the phantom's, by a folder that comes first on the worker's
path; what it does is told by the number of the job's shard.
"""

import json
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign import parse_campaign
from nameplate.job.result import Result, read_result
from nameplate.plan.plan import plan
from nameplate.store import Store, open_store
from nameplate_local.worker import BUG, Failure, Task, work

GOOD, USER, STORE, AWAY, AGAIN, LOST, BROKEN = range(7)
STEP = """
import os
from nameplate.errors import CohortError, StoreError, StoreUnreachable, TryAgain

ERRORS = [
    None,
    CohortError("too few exams"),
    StoreError("the disk is full"),
    StoreUnreachable("no answer"),
    TryAgain("a checkpoint is written"),
    FileNotFoundError(2, "No such file or directory", "/data/Miller^Anna"),
    KeyError("a bug"),
]

def phantom(settings, inputs, outputs):
    os.write(1, b"printed by a library\\n")
    if (error := ERRORS[settings.shard]) is not None:
        raise error
    outputs.write("made/a", b"x")
"""


@dataclass(frozen=True)
class Worker:
    """A worker, with the runner's ends of its pipes."""

    process: BaseProcess
    tasks: Connection
    lifeline: Connection
    store: Store
    task: Callable[[int], Task]

    def answer(self, what: int) -> Any:
        """What it answers to a job."""
        self.tasks.send(self.task(what))
        assert self.tasks.poll(60)
        return self.tasks.recv()

    def log(self, what: int) -> list[str]:
        """Lines of the job's log."""
        return self.task(what).log.read_text().splitlines()


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> Iterator[Callable[[], Worker]]:
    """Start a worker of its own store."""
    job = plan(parse_campaign(tiny_text, "tiny"), {}, {}).job("phantom/study/000")
    started: list[Worker] = []

    def start() -> Worker:
        folder = tmp_path_factory.mktemp("worker")
        package = folder / "path" / "nameplate_phantom"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "phantom_step.py").write_text(STEP)
        store = open_store(str(folder / "store"))

        def task(what: int) -> Task:
            settings = job.settings.model_copy(update={"shard": what})
            changed = replace(job, id=f"phantom/study/{what:03d}", settings=settings)
            return Task(job=changed, results={}, source=None, log=folder / "logs" / f"{what}.log")

        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        lifeline, their_lifeline = context.Pipe()
        process = context.Process(target=work, args=(theirs, their_lifeline, store.url), daemon=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "path", [str(folder / "path"), *sys.path])
            process.start()
        theirs.close()
        their_lifeline.close()
        started.append(Worker(process, ours, lifeline, store, task))
        return started[-1]

    yield start
    for worker in started:
        worker.tasks.close()
        worker.process.join(30)
        worker.lifeline.close()
        worker.process.kill()
        worker.process.join()


@pytest.fixture(scope="module")
def worker(start: Callable[[], Worker]) -> Worker:
    """One worker for many jobs: it outlives those that fail."""
    return start()


def test_a_job_that_is_done_is_committed_and_answered(worker: Worker) -> None:
    result = worker.answer(GOOD)
    assert isinstance(result, Result)
    assert result == read_result(worker.store, "phantom/study/000")
    assert worker.store.get("made/a") == b"x"


@pytest.mark.parametrize(
    ("what", "failure"),
    [
        (USER, Failure(exit_code=2, message="too few exams")),
        (AGAIN, Failure(exit_code=75, message="a checkpoint is written")),
        (STORE, Failure(exit_code=2, message="the disk is full", store=True)),
        (AWAY, Failure(exit_code=75, message="no answer", store=True)),
        (BROKEN, Failure(exit_code=BUG, message="KeyError: 'a bug'")),
    ],
)
def test_a_failure_says_whose_fault_it_is(worker: Worker, what: int, failure: Failure) -> None:
    assert worker.answer(what) == failure
    assert read_result(worker.store, f"phantom/study/{what:03d}") is None


def test_the_name_of_a_file_is_in_the_log_and_not_in_the_message(worker: Worker) -> None:
    assert worker.answer(LOST) == Failure(
        exit_code=BUG, message="FileNotFoundError: No such file or directory"
    )
    assert "Miller^Anna" in worker.log(LOST)[-1]


def test_each_job_has_its_own_log_with_what_libraries_print_and_the_traceback(worker: Worker) -> None:
    for what in (USER, BROKEN):
        worker.task(what).log.unlink(missing_ok=True)
        worker.answer(what)
        start, printed, end = worker.log(what)
        assert json.loads(start)["job"] == json.loads(end)["job"] == f"phantom/study/{what:03d}"
        assert printed == "printed by a library"
        assert ("traceback" in json.loads(end)) == (what == BROKEN)


def test_a_place_that_is_no_store_is_the_fault_of_the_store(start: Callable[[], Worker]) -> None:
    worker = start()
    Path(worker.store.url, "nameplate-store.json").unlink()
    failure = worker.answer(GOOD)
    assert (failure.exit_code, failure.store) == (2, True)
    worker.tasks.close()
    worker.process.join(30)
    assert worker.process.exitcode == 0  # nothing more to do


def test_a_worker_ends_with_its_runner_and_not_with_ctrl_c(start: Callable[[], Worker]) -> None:
    worker = start()
    assert isinstance(worker.answer(GOOD), Result)
    assert worker.process.pid is not None
    os.kill(worker.process.pid, signal.SIGINT)
    assert worker.answer(USER).message == "too few exams"
    worker.lifeline.close()
    worker.process.join(30)
    assert worker.process.exitcode == 75
