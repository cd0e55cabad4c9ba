"""Where a process spends its time, how it ended, and what its jobs told.

`nameplate status --timings` adds the times up over the pods of a campaign; Argo makes metrics of the rest.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

Part = Literal["start_s", "plan_s", "work_s", "commit_s"]
Outcome = Literal["done", "mistake", "try-again", "bug"]


@dataclass(kw_only=True)
class Timing:
    """Where a process spent its time, in seconds: its work, and everything around it."""

    start_s: float = 0.0
    """From the start of the process until it could begin (interpreter, imports)."""
    plan_s: float = 0.0
    """Opening the store, reading the campaign and its plan, checking what is committed."""
    work_s: float = 0.0
    """Inside the steps' own functions, reading inputs and writing outputs included."""
    commit_s: float = 0.0
    """Checking whether a job is current, and committing it."""
    jobs: int = 0
    outcome: Outcome = "done"
    """How the process ends, as its exit code says it: 0, 2, 75 or any other."""
    told: dict[str, float] = field(default_factory=dict)
    """What the jobs that were done told of themselves, added up."""

    def hear(self, told: Mapping[str, float]) -> None:
        """Add what one job told."""
        for name, number in told.items():
            self.told[name] = self.told.get(name, 0.0) + number

    @contextmanager
    def spent(self, part: Part) -> Iterator[None]:
        """Count the time of a block as one part, without the nested blocks that are counted themselves."""
        began, counted = time.monotonic(), self._counted()
        try:
            yield
        finally:
            own = time.monotonic() - began - (self._counted() - counted)
            setattr(self, part, getattr(self, part) + own)

    def _counted(self) -> float:
        return self.start_s + self.plan_s + self.work_s + self.commit_s

    def json(self) -> str:
        """One line of JSON."""
        rounded = {
            k: round(value, 2) if isinstance(value, float) else value for k, value in asdict(self).items()
        }
        return json.dumps(rounded)


def seconds_since_start() -> float:
    """How long this process has been running, according to the kernel; 0 if unknown."""
    try:
        # Field 22 counts ticks since boot; the name in field 2 may hold spaces and ends with a bracket.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, AttributeError):
        return 0.0
