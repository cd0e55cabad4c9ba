from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from nameplate_cluster.http_errors import ClusterUnreachable
from nameplate_cluster.watch import ImageAlarm, View, follow, is_held, status_text, with_queues
from nameplate_cluster.workflow import attempts_of

NOW = datetime(2026, 11, 24, 7, 0, 0, tzinfo=UTC)


def test_a_finished_campaign(recorded: Callable[[str], Any]) -> None:
    lines = status_text(recorded("done"), NOW)
    assert lines[0] == "demo: done after 2:12 (workflow nameplate-demo-59dwf)"
    assert lines[-1] == "  steps not listed were done by an earlier run"
    assert lines[1] == "  submitted by system-serviceaccount-hospital-nameplate-submitter"
    assert [line.split()[0] for line in lines[3:-1]] == [
        "plan", "phantom", "cohort", "training", "selection", "prediction", "report",
    ]  # fmt: skip
    assert lines[4].split() == ["phantom", "3", "0", "0", "0", "0"]


def test_a_stopped_campaign_says_so(recorded: Callable[[str], Any]) -> None:
    lines = status_text(recorded("stopped"), NOW)
    assert lines[0].startswith("demo: stopped after ")
    assert any(line.strip().startswith("failed: phantom/study/000+60: ") for line in lines)


def test_what_a_pod_says_goes_before_what_argo_says(recorded: Callable[[str], Any]) -> None:
    workflow = recorded("no-credentials")
    node = next(key for key, value in workflow["status"]["nodes"].items() if value["type"] == "Pod")
    assert "exit code 2" in status_text(workflow, NOW)[-1]
    assert status_text(workflow, NOW, {node: "access denied"})[-1] == "  failed: plan: access denied"


def test_waiting_pods_are_counted_by_reason(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    message = "Unschedulable: 0/9 nodes are available: 9 Insufficient nvidia.com/gpu"
    nodes = [node(f"training({n})", "training", phase="Pending", message=message) for n in range(3)]
    lines = status_text(workflow(*nodes), NOW)
    assert (
        "  3 pods of training: no node has room: 0/9 nodes are available: 9 Insufficient nvidia.com/gpu"
        in lines
    )


def test_a_workflow_that_waits_as_a_whole(workflow: Callable[..., Any]) -> None:
    waiting = workflow(
        phase="Pending", message="Waiting for hospital/Mutex/nameplate-demo lock. Lock status: 0/1"
    )
    assert "  waits for its turn (nameplate-demo)" in status_text(waiting, NOW)


def test_plain_lines_are_said_once(
    node: Callable[..., Any], workflow: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with View(terminal=False) as view:
        for _ in range(3):
            view.show(workflow(node("plan(0)", phase="Running")))
        view.show(workflow(node("plan(0)", phase="Succeeded")))
    said = capsys.readouterr().out.splitlines()
    assert [line.partition("] ")[2] for line in said] == ["plan       1 running", "plan       1 done"]


def test_a_cluster_that_is_silent_for_a_while_is_forgiven(
    cluster: Any, node: Callable[..., Any], workflow: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [workflow(node("plan(0)")), None, None, workflow(phase="Succeeded")]

    def answer(name: str) -> Any:
        found = answers.pop(0)
        if found is None:
            raise ClusterUnreachable("no answer")
        return found

    monkeypatch.setattr(cluster, "workflow", answer)
    assert follow(cluster, "wf")["status"]["phase"] == "Succeeded"
    assert not answers


def test_the_alarm_rings_for_what_will_not_come_by_itself(
    node: Callable[..., Any], workflow: Callable[..., Any]
) -> None:
    missing = workflow(
        node("plan(0)", phase="Pending", message='ErrImagePull: Back-off pulling image "a/b:1"')
    )
    crowded = workflow(node("plan(0)", phase="Pending", message="Unschedulable: 0/1 nodes are available"))
    alarm = ImageAlarm(20)
    assert alarm.trouble(missing, 0) is None
    assert alarm.trouble(missing, 19) is None
    found = alarm.trouble(missing, 20)
    assert found is not None
    assert found[1].text == "the image a/b:1 cannot be pulled"
    assert alarm.trouble(crowded, 100) is None
    assert alarm.trouble(missing, 110) is None  # counted anew after it had gone


def _gated(pod: str) -> Any:
    gates = [{"name": "kueue.x-k8s.io/admission"}]
    return {
        "metadata": {"name": pod, "labels": {"kueue.x-k8s.io/queue-name": "ct"}},
        "spec": {"schedulingGates": gates},
    }


def test_a_pod_in_a_queue_is_told_from_one_that_is_being_started(
    cluster: Any, node: Callable[..., Any], workflow: Callable[..., Any]
) -> None:
    waiting = workflow(*(node(f"training({n})", "training", phase="Pending") for n in range(2)))
    pods = [attempt.pod for attempt in attempts_of(waiting)]
    assert with_queues(cluster, waiting) == waiting  # this account may not look at pods
    cluster.pods_there = [_gated(pods[0]), {"metadata": {"name": pods[1]}, "spec": {}}, _gated("another")]
    told = with_queues(cluster, waiting)
    assert "  1 pod of training: held by a queue (ct)" in status_text(told, NOW)
    assert is_held(attempts_of(told)[:1])
    assert not is_held(attempts_of(told)[1:])
    assert not is_held([])


def test_pods_are_looked_at_only_when_one_waits_without_a_word(
    cluster: Any, node: Callable[..., Any], workflow: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "pods", None)
    told = workflow(node("a", phase="Running"), node("b", phase="Pending", message="ContainerCreating"))
    assert with_queues(cluster, told) is told
