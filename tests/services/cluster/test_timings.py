from collections.abc import Callable
from typing import Any

import pytest

from nameplate_cluster.timings import idle_seconds, scheduled_of, step_times, timing_lines
from nameplate_cluster.workflow import attempts_of


def test_the_account_of_a_real_workflow(recorded: Callable[[str], Any]) -> None:
    rows = {row.step: row for row in step_times(recorded("done"))}
    assert list(rows) == ["plan", "phantom", "cohort", "training", "selection", "prediction", "report"]
    training = rows["training"]
    assert (training.pods, training.jobs) == (1, 2)
    assert training.work == pytest.approx(12.0, abs=0.1)
    assert training.total == pytest.approx(
        training.work + training.start + training.plan + training.commit + training.cluster
    )
    assert rows["plan"].work == 0  # gave no account: all of it is overhead
    assert rows["plan"].beyond == 0


def test_overhead_beyond_five_seconds_a_pod(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    timing = {"parameters": [{"name": "timing", "value": '{"work_s": 60, "start_s": 5, "jobs": 3}'}]}
    one = node("pack(0)", "pack", phase="Succeeded", finishedAt="2026-11-24T06:01:40Z", outputs=timing)
    (row,) = step_times(workflow(one))
    assert row.overhead == 40
    assert row.beyond == pytest.approx(0.35)
    assert row.cluster == 35


def test_waiting_for_room_is_no_overhead(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    timing = {"parameters": [{"name": "timing", "value": '{"work_s": 60}'}]}
    one = node("pack(0)", "pack", phase="Succeeded", finishedAt="2026-11-24T06:02:00Z", outputs=timing)
    whole = workflow(one)
    (attempt,) = attempts_of(whole)
    conditions = [
        {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-24T06:01:00Z"},
        {"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-11-24T06:00:50Z"},
    ]
    assert step_times(workflow({**one, "hostNodeName": ""}))[0].queue == 120  # it never got a node
    scheduled = scheduled_of([{"metadata": {"name": attempt.pod}, "status": {"conditions": conditions}}])
    (row,) = step_times(whole, scheduled)
    assert (row.queue, row.overhead, row.cluster) == (50, 10, 10)
    assert row.beyond == pytest.approx(5 / 70)
    assert not any("deleted by now" in line for line in timing_lines(whole, scheduled))
    assert any("1 pod deleted by now" in line for line in timing_lines(whole))


def test_time_without_any_pod(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    first = node("a(0)", finishedAt="2026-11-24T06:00:10Z", phase="Succeeded")
    second = node(
        "b(0)", startedAt="2026-11-24T06:00:05Z", finishedAt="2026-11-24T06:00:20Z", phase="Succeeded"
    )
    third = node(
        "c(0)", startedAt="2026-11-24T06:00:30Z", finishedAt="2026-11-24T06:00:40Z", phase="Succeeded"
    )
    whole = workflow(first, second, third, phase="Succeeded", finishedAt="2026-11-24T06:00:45Z")
    assert idle_seconds(whole) == 15
    assert any("45 s, of which 15 s" in line for line in timing_lines(whole))


def test_nothing_to_tell_yet(workflow: Callable[..., Any]) -> None:
    assert timing_lines(workflow()) == ["no pod has ended yet"]


def test_a_broken_account_counts_as_none(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    for text in ("", "{", "[1]", '{"work_s": "long"}'):
        timing = {"parameters": [{"name": "timing", "value": text}]}
        one = node("pack(0)", "pack", phase="Succeeded", finishedAt="2026-11-24T06:00:10Z", outputs=timing)
        assert step_times(workflow(one))[0].work == 0
