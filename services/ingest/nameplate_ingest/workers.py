"""Processes that do tasks: one that dies costs its task, and none outlives the process that started it."""

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, TypeVar

from nameplate.errors import TryAgain

T = TypeVar("T")
R = TypeVar("R")

_PR_SET_PDEATHSIG = 1
_GRACE_S = 5.0
"""How long an idle worker may take to end before it is killed."""
_MOST_FAILED_STARTS = 2
"""In a row; then it is not the tasks that end the processes."""


@dataclass(frozen=True, slots=True)
class Died:
    """In place of a task's result: the process that did it died, and so did another one alone with it."""


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    tasks: Connection
    lifeline: Connection
    """Held open, never written to: when it closes, the worker knows that we are gone."""
    task: Any = None
    ready: bool = False


class Workers:
    """Up to ``count`` spawned processes, or this process alone if ``count`` is 0.

    ``context`` is what all tasks share; each process gets it once. To be used in a ``with`` block: at its
    end the processes are gone, and after an error or Ctrl-C they are killed at once.
    """

    def __init__(self, count: int, context: Any) -> None:
        self.count = count
        self._context = context
        self._workers: list[_Worker] = []
        self._failed_starts = 0

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        for worker in self._workers:
            self._end(worker, kill=kind is not None)
        self._workers = []

    def run(
        self, function: Callable[[Any, T], R], tasks: Iterable[T], on_start: Callable[[T], None] | None = None
    ) -> Iterator[tuple[T, R | Died]]:
        """Each task with ``function(context, task)``, in the order in which they finish.

        A task whose process dies is tried once more at the end, when no other is running: what killed it
        may have been the memory that all took together. Tasks are taken from the iterable only when a
        process is free. An exception of the function is raised here. ``on_start`` is called for each task
        that this process does itself. Raises TryAgain if no process can be started.
        """
        if not self.count:
            for task in tasks:
                if on_start:
                    on_start(task)
                yield task, function(self._context, task)
            return
        again: deque[T] = deque()
        yield from self._together(function, iter(tasks), again)
        for task in again:
            twice: deque[T] = deque()
            yield from self._together(function, iter((task,)), twice)
            if twice:
                yield task, Died()

    def _together(
        self, function: Callable[[Any, T], R], tasks: Iterator[T], died: deque[T]
    ) -> Iterator[tuple[T, R]]:
        """Results of the tasks; those whose process died are appended to ``died``."""
        more = True
        while True:
            while more and sum(worker.task is not None for worker in self._workers) < self.count:
                try:
                    task = next(tasks)
                except StopIteration:
                    more = False
                    break
                self._give(function, task)
            busy = [worker for worker in self._workers if worker.task is not None]
            if not busy:
                return
            wait([thing for worker in busy for thing in (worker.tasks, worker.process.sentinel)])
            for worker in busy:
                yield from self._collect(worker, died)

    def _give(self, function: Callable[[Any, T], R], task: T) -> None:
        while True:
            worker = next((worker for worker in self._workers if worker.task is None), None)
            if worker is None:
                worker = self._start()
            try:
                worker.tasks.send((function, task))
            except OSError:  # it died while it had nothing to do: the task goes to another one
                self._drop(worker)
                continue
            worker.task = (task,)
            return

    def _collect(self, worker: _Worker, died: deque[T]) -> Iterator[tuple[T, R]]:
        """What one worker has to say, if anything."""
        try:
            if not worker.tasks.poll():
                if worker.process.is_alive():
                    return
                raise EOFError
            failed, value = worker.tasks.recv()
        except (EOFError, OSError):
            died.append(worker.task[0])
            self._drop(worker)
            return
        if not worker.ready:
            worker.ready = True
            self._failed_starts = 0
            return
        (task,), worker.task = worker.task, None
        if failed:
            raise value
        yield task, value

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")  # a fork can hang if the caller has threads
        ours, theirs = context.Pipe()
        lifeline, their_lifeline = context.Pipe()
        arguments = (theirs, their_lifeline, os.getpid(), self._context)
        process = context.Process(target=_serve, args=arguments, daemon=True)
        # Ctrl-C reaches the whole group of processes; one that is just starting would print a traceback.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
        try:
            process.start()
        except OSError as error:
            raise TryAgain(f"a worker process cannot be started ({error.strerror})") from error
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        their_lifeline.close()
        worker = _Worker(process, ours, lifeline)
        self._workers.append(worker)
        return worker

    def _drop(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        self._end(worker, kill=True)
        self._failed_starts += not worker.ready
        if self._failed_starts >= _MOST_FAILED_STARTS:
            raise TryAgain(f"{self._failed_starts} worker processes ended before they could do anything")

    def _end(self, worker: _Worker, *, kill: bool) -> None:
        if kill:
            worker.process.kill()
        worker.tasks.close()
        worker.process.join(_GRACE_S)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        worker.lifeline.close()
        worker.process.close()


def _serve(tasks: Connection, lifeline: Connection, parent: int, context: Any) -> None:
    """Do the tasks that arrive until the connection closes."""
    # The process that started us decides, even where a signal reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT,))
    _die_with(parent, lifeline)
    try:
        tasks.send((False, None))  # ready
        while True:
            function, task = tasks.recv()
            try:
                answer = False, function(context, task)
            except Exception as error:
                answer = True, error
            tasks.send(answer)
    except (EOFError, OSError):
        return


def _die_with(parent: int, lifeline: Connection) -> None:
    """End this process when its parent ends, even by SIGKILL."""
    threading.Thread(target=_watch, args=(lifeline,), daemon=True).start()
    if sys.platform == "linux":
        # Also while native code keeps the thread from running.
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(TryAgain.exit_code)


def _watch(lifeline: Connection) -> None:
    try:
        lifeline.recv_bytes()
    except (EOFError, OSError):
        os._exit(TryAgain.exit_code)
