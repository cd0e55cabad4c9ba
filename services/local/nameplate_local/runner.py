"""The local runner: walks the plan with a pool of processes on one machine."""

import fcntl
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.campaign.cohort_source import CohortSource, digests_of
from nameplate.campaign.sources import SourceSettings
from nameplate.errors import StoreError, StoreUnreachable, TryAgain
from nameplate.job.current import is_asked_again
from nameplate.job.result import Result
from nameplate.job.state import State
from nameplate.plan.pipeline import step_named
from nameplate.steps import ingest
from nameplate.steps.step import Job
from nameplate.store import Store
from nameplate.store.store import WORK
from nameplate.whole import delete_partial
from nameplate_local.progress import Progress
from nameplate_local.worker import Failure, Task, work

RETRY_SECONDS = 2.0


@dataclass(frozen=True, kw_only=True)
class FailedJob:
    """A job that did not succeed, with the log to read."""

    job: Job
    exit_code: int
    message: str
    log: Path


@dataclass(kw_only=True)
class Outcome:
    """The result of a run of the campaign."""

    done: int = 0
    """Jobs that this run did."""
    current: int = 0
    """Jobs that were committed earlier."""
    failed: list[FailedJob] = field(default_factory=list)
    waiting: int = 0
    """Jobs that could not start because one they need failed."""


@dataclass(kw_only=True)
class _Worker:
    process: BaseProcess
    tasks: Connection
    lifeline: Connection
    task: Task | None = None
    started: float = 0.0


class LocalRunner:
    """Runs a campaign's jobs in ``workers`` processes until nothing is left to do."""

    def __init__(
        self,
        campaign: Campaign,
        store: Store,
        *,
        sources: Mapping[str, CohortSource],
        logs: Path,
        workers: int,
        progress: Progress,
    ) -> None:
        self.store = store
        self.sources = sources
        self.logs = logs
        self.size = workers
        self.progress = progress
        self.state = State(campaign, store, digests_of(sources))
        self.outcome = Outcome()
        self._failed: set[str] = set()
        self._attempts: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._workers: list[_Worker] = []

    def run(self) -> Outcome:
        """Do everything that can be done; KeyboardInterrupt is raised after the workers have saved."""
        with _locked(self.store):
            try:
                self._loop()
            except BaseException:
                self._close(signal.SIGTERM)
                raise
            self._close(None)
        return self.outcome

    def _loop(self) -> None:
        self.progress.plan(self.state.plan)
        while True:
            self.state.add_committed(
                among=lambda job: not is_asked_again(self.store, job), on_added=self._skipped
            )
            self.progress.plan(self.state.plan)
            running = {worker.task.job.id for worker in self._workers if worker.task}
            ready = [job for job in self.state.plan.jobs if job.id not in running and self._is_ready(job)]
            self._dispatch(ready)
            if not any(worker.task for worker in self._workers):
                if not ready:
                    break
                time.sleep(0.2)  # all jobs left wait for their next attempt
                continue
            self._collect(timeout=0.5)
        left = [job for job in self.state.plan.jobs if job.id not in self.state.results]
        self.outcome.waiting = sum(job.id not in self._failed for job in left)

    def _skipped(self, job: Job) -> None:
        self.outcome.current += 1
        self.progress.skipped(job)

    def _is_ready(self, job: Job) -> bool:
        return job.id not in self.state.results and job.id not in self._failed and self.state.has_needs(job)

    def _dispatch(self, ready: list[Job]) -> None:
        now = time.monotonic()
        due = [job for job in ready if self._not_before.get(job.id, 0.0) <= now]
        # Selections first: they take no time, and say which further runs there are. Then long jobs: a long
        # one that starts last would keep one worker busy while others idle.
        due.sort(key=lambda job: (job.step != "selection", -self.progress.estimate(job)))
        for job in due:
            if self._asks_too_much(job):
                continue
            worker = self._idle()
            if worker is None:
                return
            task = Task(
                job=job,
                results={need: self.state.results[need] for need in job.needs},
                source=self.sources.get(job.cohort or ""),
                log=self.logs / f"{job.id}.log",
            )
            try:
                worker.tasks.send(task)
            except OSError:  # it died while idle: the job stays ready for another worker
                self._workers.remove(worker)
                continue
            worker.task = task
            worker.started = now
            self.progress.started(job)

    def _asks_too_much(self, job: Job) -> bool:
        """Whether as many jobs as its source's server allows at once are running, of whichever cohort."""
        if job.step != ingest.STEP.name or (asked := self._settings_of(job)) is None or asked.at_once is None:
            return False
        running = [worker.task.job for worker in self._workers if worker.task]
        servers = [of.server for one in running if one.step == job.step and (of := self._settings_of(one))]
        return servers.count(asked.server) >= asked.at_once

    def _settings_of(self, job: Job) -> SourceSettings | None:
        source = self.sources.get(job.cohort or "")
        return source.settings if source is not None else None

    def _idle(self) -> _Worker | None:
        self._workers = [w for w in self._workers if w.task is not None or w.process.is_alive()]
        for worker in self._workers:
            if worker.task is None:
                return worker
        if len(self._workers) < self.size:
            self._workers.append(self._start())
            return self._workers[-1]
        return None

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        lifeline, their_lifeline = context.Pipe()
        process = context.Process(target=work, args=(theirs, their_lifeline, self.store.url), daemon=True)
        process.start()
        theirs.close()
        their_lifeline.close()
        return _Worker(process=process, tasks=ours, lifeline=lifeline)

    def _collect(self, timeout: float) -> None:
        """Take the answers of the workers."""
        busy = {
            id(thing): worker
            for worker in self._workers
            if worker.task
            for thing in (worker.tasks, worker.process.sentinel)
        }
        things = [t for w in self._workers if w.task for t in (w.tasks, w.process.sentinel)]
        ended = {id(busy_worker): busy_worker for t in wait(things, timeout) if (busy_worker := busy[id(t)])}
        for worker in ended.values():
            task = worker.task
            assert task is not None
            seconds = time.monotonic() - worker.started
            try:
                answer = worker.tasks.recv() if worker.tasks.poll() else None
            except (EOFError, ConnectionResetError):
                answer = None
            worker.task = None
            if answer is None:
                worker.process.join()
                self._workers.remove(worker)
                answer = Failure(exit_code=137, message=_death(worker.process.exitcode))
            if isinstance(answer, Result):
                self.outcome.done += 1
                self.state.add_result(task.job, answer)
                self.progress.finished(task.job, seconds)
            else:
                self._failure(task, answer)

    def _failure(self, task: Task, failure: Failure) -> None:
        """Try again if the machine is at fault; otherwise the job, and all that need it, have failed."""
        job = task.job
        self._attempts[job.id] = attempts = self._attempts.get(job.id, 0) + 1
        allowed = {TryAgain.exit_code: step_named(job.step).retries, 137: 1}.get(failure.exit_code, 0)
        if attempts <= allowed:
            self._not_before[job.id] = time.monotonic() + RETRY_SECONDS * 2 ** (attempts - 1)
            self.progress.retrying(job, failure.message)
            return
        if failure.store:
            kind = StoreUnreachable if failure.exit_code == TryAgain.exit_code else StoreError
            raise kind(failure.message)
        self._failed.add(job.id)
        self.outcome.failed.append(
            FailedJob(job=job, exit_code=failure.exit_code, message=failure.message, log=task.log)
        )
        self.progress.failed(job, failure.message, task.log)

    def _close(self, sent: signal.Signals | None) -> None:
        """End the workers; given a signal, they save their work first."""
        for worker in self._workers:
            if sent is not None and worker.process.pid is not None and worker.process.is_alive():
                os.kill(worker.process.pid, sent)
            worker.tasks.close()
        deadline = time.monotonic() + 30
        for worker in self._workers:
            worker.process.join(max(0.1, deadline - time.monotonic()))
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.lifeline.close()


def _death(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        name = signal.Signals(-exit_code).name
        hint = "; the machine may be out of memory" if name == "SIGKILL" else ""
        return f"the process was ended by {name}{hint}"
    return f"the process ended with exit code {exit_code}"


@contextmanager
def _locked(store: Store) -> Iterator[None]:
    """Allow one runner at a time on a directory store; on S3, two runners merely do work twice."""
    folder = store.folder(WORK)
    if folder is None:
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StoreError(f"{store.url}: another run is using it") from None
        # Left behind by a killed run.
        shutil.rmtree(folder / "scratch", ignore_errors=True)
        delete_partial(folder.parent)
        yield
