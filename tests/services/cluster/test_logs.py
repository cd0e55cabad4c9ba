import json
from collections.abc import Callable
from typing import Any

import pytest

from nameplate.errors import UserError
from nameplate_cluster.logs import belongs, is_argos, last_reason, parse_line, pods_for, readable, show_logs
from nameplate_cluster.workflow import attempts_of

ARGO = 'time=2026-11-24T06:18:00.322Z level=INFO msg="index config" indexWorkflowSemaphoreKeys=true'


def entry(event: str, **fields: Any) -> str:
    return json.dumps({"time": "2026-11-24T06:18:00Z", "level": "info", "event": event, **fields})


def test_the_pod_whose_batch_begins_with_the_job(recorded: Callable[[str], Any]) -> None:
    attempts = attempts_of(recorded("done"))
    (found,) = pods_for(attempts, "phantom/study/001")
    assert found.chunk == "phantom/study/001+1"
    assert pods_for(attempts, "phantom/study/001+1") == [found]


def test_a_job_in_the_middle_of_a_batch_may_be_in_any_pod_of_its_step(recorded: Callable[[str], Any]) -> None:
    attempts = attempts_of(recorded("done"))
    found = pods_for(attempts, "training/spheres/study/easy/GE/g0/s001")
    assert [attempt.step for attempt in found] == ["training"]
    assert len(pods_for(attempts, "phantom/study/009")) == 3
    assert len(pods_for(attempts, "selection")) == 2


def test_what_is_neither_a_step_nor_a_job(recorded: Callable[[str], Any]) -> None:
    with pytest.raises(UserError, match="expected a step"):
        pods_for(attempts_of(recorded("done")), "trainning")


def test_lines_of_one_job_for_a_person(cluster: Any, recorded: Callable[[str], Any]) -> None:
    workflow = recorded("done")
    job = "training/spheres/study/easy/GE/g0/s001"
    pod = pods_for(attempts_of(workflow), "training")[0].pod
    cluster.logs[pod] = [ARGO, entry("epoch", job=job, loss=1 / 3), entry("epoch", job="other"), "plain"]
    said: list[str] = []
    assert show_logs(cluster, workflow, job, follow=False, raw=False, say=said.append) == 0
    assert said == [f"2026-11-24T06:18:00Z info    {job}: epoch loss=0.333333"]
    said.clear()
    show_logs(cluster, workflow, "training", follow=False, raw=False, say=said.append)
    assert len(said) == 3
    assert said[-1] == "plain"
    said.clear()
    show_logs(cluster, workflow, "training", follow=False, raw=True, say=said.append)
    assert said == cluster.logs[pod]


def test_following_ends_with_the_job(cluster: Any, recorded: Callable[[str], Any]) -> None:
    workflow = recorded("done")
    cluster.story = [workflow]
    pod = pods_for(attempts_of(workflow), "phantom/study/001")[0].pod
    cluster.logs[pod] = [entry("start", job="phantom/study/001")]
    said: list[str] = []
    show_logs(cluster, workflow, "phantom/study/001", follow=True, raw=False, say=said.append)
    assert len(said) == 1


def test_a_log_that_is_gone(cluster: Any, recorded: Callable[[str], Any]) -> None:
    with pytest.raises(UserError, match="goes with the pod"):
        show_logs(cluster, recorded("done"), "phantom", follow=False, raw=False, say=print)
    with pytest.raises(UserError, match="or not yet"):
        show_logs(cluster, recorded("no-credentials"), "phantom", follow=False, raw=False, say=print)


def test_the_reason_of_a_failure() -> None:
    lines = [
        entry("failed", level="error", reason="first"),
        entry("failed", level="error", reason="no bucket"),
        ARGO,
        "Error: exit status 2",
    ]
    assert last_reason(lines) == "no bucket"
    assert last_reason(["Traceback", "KeyError: 'x'", "Error: exit status 1"]) == "KeyError: 'x'"
    assert last_reason(["nameplate: s3://b/x: no bucket", ARGO]) == "s3://b/x: no bucket"
    assert last_reason([ARGO]) is None


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["{waited}", "{spent}", "nameplate: refused (AccessDenied)"], "refused (AccessDenied)"),
        (["{waited}", "{failed}", "{spent}"], "the disk is full"),
        (["{failed}", "{spent}", "a warning of some library"], "the disk is full"),
        (["nameplate: an earlier try", "{failed}"], "the disk is full"),
        (["{waited}", "Traceback", "KeyError: 'x'", "{spent}"], "KeyError: 'x'"),
        (["{waited}", "{spent}"], "no answer"),
        (["{spent}"], None),
    ],
)
def test_an_earlier_trouble_that_it_got_over_is_not_the_reason(lines: list[str], reason: str | None) -> None:
    known = {
        "{waited}": entry("no answer yet; trying again", level="warning", reason="no answer"),
        "{failed}": entry("failed", level="error", job="ingest/study/000", reason="the disk is full"),
        "{spent}": entry("time spent", jobs=0),
    }
    assert last_reason([*(known.get(line, line) for line in lines), ARGO, "Error: exit status 2"]) == reason


def test_lines_that_are_not_ours() -> None:
    assert is_argos(ARGO)
    assert parse_line("{not json") is None
    assert parse_line('{"level": 3}') is None
    assert not belongs(None, "a/b")
    assert belongs(None, "training")


def test_tracebacks_stay_readable() -> None:
    text = readable({"time": "T", "level": "error", "event": "bug", "traceback": "Traceback:\n  line"})
    assert text.splitlines() == ["T error   bug", "Traceback:", "  line"]


def test_a_log_that_argo_keeps_is_named(
    cluster: Any, node: Callable[..., Any], workflow: Callable[..., Any]
) -> None:
    """As Argo writes it with archiveLogs, its store named in full or only the key in its default one."""
    kept = {"name": "main-logs", "s3": {"key": "wf/plan/main.log"}}
    done = workflow(node("plan(0)", phase="Succeeded", outputs={"artifacts": [kept]}))
    with pytest.raises(UserError, match=r"plan: its pods are gone; .* artifact store: wf/plan/main.log$"):
        show_logs(cluster, done, "plan", follow=False, raw=False, say=print)
    kept["s3"] = {"bucket": "logs", "key": "wf/plan/main.log"}
    (attempt,) = attempts_of(done)
    assert attempt.archived == "logs/wf/plan/main.log"
