"""Where a process spends its time: every second is counted once."""

import itertools
import json

import pytest

import nameplate.job.timing
from nameplate.job.timing import Timing, seconds_since_start


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock is a second later."""
    ticks = itertools.count()
    monkeypatch.setattr(nameplate.job.timing.time, "monotonic", lambda: float(next(ticks)))


def test_a_block_within_a_block_is_not_counted_twice() -> None:
    timing = Timing()
    with timing.spent("commit_s"):  # looks at second 0 and second 5
        with timing.spent("start_s"):  # 1 and 2
            pass
        with timing.spent("work_s"):  # 3 and 4
            pass
    assert (timing.start_s, timing.work_s, timing.commit_s) == (1, 1, 3)


def test_what_a_failure_took_is_counted_too() -> None:
    timing = Timing()
    with pytest.raises(ValueError, match="wrong"), timing.spent("plan_s"), timing.spent("work_s"):
        raise ValueError("wrong")
    assert (timing.plan_s, timing.work_s) == (2, 1)


def test_blocks_add_up_and_the_line_names_every_part() -> None:
    timing = Timing(start_s=0.5, jobs=2)
    for _ in range(3):
        with timing.spent("start_s"):
            pass
    assert json.loads(timing.json()) == {
        "start_s": 3.5, "plan_s": 0, "work_s": 0, "commit_s": 0, "jobs": 2, "outcome": "done", "told": {},
    }  # fmt: skip


def test_what_several_jobs_tell_adds_up() -> None:
    timing = Timing()
    timing.hear({"trained": 1, "converged": 0})
    timing.hear({"trained": 1, "converged": 1, "advantage_low": -0.012345678})
    told = json.loads(timing.json())["told"]
    assert told == {"trained": 2, "converged": 1, "advantage_low": -0.012345678}


def test_a_process_knows_how_long_it_runs() -> None:
    assert seconds_since_start() > 0
