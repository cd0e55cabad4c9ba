"""The progress of a running campaign: bars with the time left on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from nameplate.campaign import Campaign
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import Plan
from nameplate.service.clock import clock, rough
from nameplate.steps import prediction
from nameplate.steps.step import Job


class Progress:
    """Counts jobs, learns how long each step takes, and shows both.

    ``estimate`` gives a job's expected seconds until jobs have been measured.
    """

    def __init__(
        self,
        campaign: Campaign,
        estimate: Callable[[Job], float],
        workers: int,
        *,
        terminal: bool | None = None,
    ):
        self._campaign = campaign
        self._prior = estimate
        self._workers = workers
        self._console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._terminal = self._console.is_terminal if terminal is None else terminal
        self._began = time.monotonic()
        self._plan: Plan | None = None
        self._finished: set[str] = set()
        self._measured: dict[str, tuple[float, float]] = {}  # step -> (seconds, prior seconds)
        self._bars: Bars | None = None
        self._rows: dict[str, TaskID] = {}

    def __enter__(self) -> "Progress":
        if self._terminal:
            self._bars = Bars(
                TextColumn("{task.description:<11}"),
                BarColumn(bar_width=32),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                console=self._console,
            )
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def estimate(self, job: Job) -> float:
        """Expected seconds of a job, corrected by how long its step has taken so far.

        A step that has not run yet is corrected like all others together: what slows them, such as a slow
        machine or as many workers as it has cores, slows it too.
        """
        seconds, prior = self._measured.get(job.step, (0.0, 0.0))
        if prior <= 0:
            seconds = sum(seconds for seconds, _ in self._measured.values())
            prior = sum(prior for _, prior in self._measured.values())
        return self._prior(job) * (seconds / prior if prior > 0 else 1.0)

    def plan(self, plan: Plan) -> None:
        """Note a plan, or one that has grown."""
        self._plan = plan
        self._show()

    def skipped(self, job: Job) -> None:
        """A job was committed earlier."""
        self._finished.add(job.id)

    def started(self, job: Job) -> None:
        """A job was given to a worker."""
        self._show(running=job)

    def finished(self, job: Job, seconds: float) -> None:
        """A job is committed."""
        self._finished.add(job.id)
        measured, prior = self._measured.get(job.step, (0.0, 0.0))
        self._measured[job.step] = (measured + seconds, prior + self._prior(job))
        self._show()
        if self._bars is None:
            self._line(f"{job.id}  {seconds:.1f} s")

    def retrying(self, job: Job, message: str) -> None:
        """A job failed for a reason that may pass."""
        self._line(f"{job.id}  will be tried again: {message}")

    def failed(self, job: Job, message: str, log: Path) -> None:
        """A job has failed for good."""
        self._line(f"{job.id}  FAILED: {message}  (log: {log})")

    def say(self, text: str) -> None:
        """Print a plain line."""
        self._console.print(text, markup=False)

    def _line(self, text: str) -> None:
        total = len(self._plan.jobs) if self._plan else 0
        left = self._left()
        self.say(f"[{clock(time.monotonic() - self._began)}] {len(self._finished)}/{total}{left}  {text}")

    def _left(self) -> str:
        if self._plan is None:
            return ""
        waiting = [job for job in self._plan.jobs if job.id not in self._finished]
        rest = sum(self.estimate(job) for job in (*waiting, *self._to_come(self._plan)))
        guessed = sum(self._prior(job) for job in waiting if job.step not in self._measured)
        if guessed > 0.5 * rest and rest > 3600:
            return ""  # hours, and mostly a guess
        return f", about {rough(rest / self._workers)} left" if rest > 0 else ""

    def _to_come(self, plan: Plan) -> Iterator[Job]:
        """Jobs that are not planned yet but must follow: an open cell ends in a prediction.

        Further rounds are not counted: nobody knows yet whether there will be any.
        """
        for cell in plan.open_cells:
            yield prediction.job(self._campaign, cell, "", "", ())

    def _show(self, running: Job | None = None) -> None:
        if self._bars is None or self._plan is None:
            return
        totals: dict[str, list[Job]] = {}
        for job in self._plan.jobs:
            totals.setdefault(job.step, []).append(job)
        for step in STEPS:
            jobs = totals.get(step.name)
            if not jobs:
                continue
            if step.name not in self._rows:
                self._rows[step.name] = self._bars.add_task(step.name, note="", total=len(jobs))
            done = sum(job.id in self._finished for job in jobs)
            note = {"note": running.id.partition("/")[2]} if running and running.step == step.name else {}
            if done == len(jobs):
                note = {"note": ""}
            self._bars.update(self._rows[step.name], total=len(jobs), completed=done, **note)  # type: ignore[arg-type]
        if "campaign" not in self._rows:
            self._rows["campaign"] = self._bars.add_task("campaign", note="")
        self._bars.update(
            self._rows["campaign"],
            total=len(self._plan.jobs),
            completed=sum(job.id in self._finished for job in self._plan.jobs),
            note=f"{clock(time.monotonic() - self._began)}{self._left()}",
        )
