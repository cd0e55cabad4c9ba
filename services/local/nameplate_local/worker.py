"""A worker process of the local runner: does one job after another, each with its own log."""

import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from nameplate.campaign.cohort_source import CohortSource
from nameplate.errors import NameplateError, StoreError, StoreUnreachable
from nameplate.job.result import Result
from nameplate.job.run import default_scratch, run_job
from nameplate.service.log import log_to_stderr
from nameplate.steps.step import Job
from nameplate.store import Store, open_store

logger = logging.getLogger(__name__)

BUG = 70


@dataclass(frozen=True, kw_only=True)
class Task:
    """A job for a worker, with the results that it needs."""

    job: Job
    results: Mapping[str, Result]
    source: CohortSource | None
    log: Path


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a job failed: the exit code that its process would have had, and one line."""

    exit_code: int
    message: str
    store: bool = False
    """Whether the store itself is at fault, so that no other job could succeed either."""


def work(tasks: Connection, lifeline: Connection, store_url: str) -> None:
    """Do the tasks that arrive until the connection closes.

    ``lifeline`` is a pipe whose other end the runner holds and never writes to. When it closes, the
    runner is gone, even by SIGKILL, and the worker must end too.
    """
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the runner decides; Ctrl-C reaches the whole group
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    threading.Thread(target=_die_with_runner, args=(lifeline,), daemon=True).start()
    store: Store | None = None
    while not stop.is_set():
        try:
            task: Task = tasks.recv()
        except EOFError:
            return
        answer: Result | Failure
        try:
            _redirect(task.log)
            if store is None:
                store = open_store(store_url, create=False)
            answer = run_job(
                task.job,
                store,
                task.results,
                source=task.source,
                scratch_root=default_scratch(store),
                should_stop=stop.is_set,
            )
        except OSError as error:
            logger.exception("failed by the system", extra={"job": task.job.id})
            answer = Failure(exit_code=BUG, message=f"{type(error).__name__}: {error.strerror}")
        except NameplateError as error:
            logger.error("failed", extra={"job": task.job.id, "reason": str(error)})
            at_fault = isinstance(error, StoreError | StoreUnreachable)
            answer = Failure(exit_code=error.exit_code, message=str(error), store=at_fault)
        except Exception as error:
            logger.exception("failed by a bug", extra={"job": task.job.id})
            answer = Failure(exit_code=BUG, message=f"{type(error).__name__}: {error}")
        try:
            tasks.send(answer)
        except OSError:
            return  # the runner has closed: what was done is committed


def _die_with_runner(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except EOFError:
        os._exit(75)


def _redirect(log: Path) -> None:
    """Send everything that the process prints to the job's log, native libraries included."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    log_to_stderr()
