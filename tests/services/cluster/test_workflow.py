import base64
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from nameplate.errors import UserError
from nameplate_cluster.workflow import attempts_of, is_over, newest_attempts, nodes_of, pod_name, step_of


def test_pods_of_a_finished_campaign(recorded: Callable[[str], Any]) -> None:
    workflow = recorded("done")
    attempts = attempts_of(workflow)
    assert is_over(workflow)
    assert [attempt.step for attempt in attempts] == [
        "plan", "phantom", "phantom", "phantom", "cohort",
        "selection", "training", "selection", "prediction", "report",
    ]  # fmt: skip
    training = next(attempt for attempt in attempts if attempt.step == "training")
    assert training.chunk == "training/spheres/study/easy/GE/g0/s000+2"
    assert training.first_job == "training/spheres/study/easy/GE/g0/s000"
    assert training.timing["jobs"] == 2
    assert training.exit_code == 0
    # The name that `kubectl get pods` showed for it.
    assert training.pod.startswith("nameplate-demo-59dwf-chunk-default-")


def test_a_failed_plan(recorded: Callable[[str], Any]) -> None:
    (attempt,) = attempts_of(recorded("no-credentials"))
    assert (attempt.step, attempt.state, attempt.exit_code) == ("plan", "failed", 2)


def test_attempts_at_one_task_are_told_apart(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    again = {"nodeFlag": {"retried": True}}
    first = node("phantom(0:phantom/a/000+1)(0)", "phantom", phase="Failed", **again)
    later = node("phantom(0:phantom/a/000+1)(1)", "phantom", phase="Running", **again)
    later["startedAt"] = "2026-11-24T06:01:00Z"
    other = node("phantom(1:phantom/a/001+1)(0)", "phantom", phase="Pending", **again)
    attempts = attempts_of(workflow(first, later, other))
    assert len(attempts) == 3
    assert sorted(attempt.state for attempt in newest_attempts(attempts)) == ["running", "waiting"]


def test_nodes_of_large_workflows_are_packed(node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    whole = workflow(node("plan(0)"))
    nodes = whole["status"].pop("nodes")
    whole["status"]["compressedNodes"] = base64.b64encode(gzip.compress(json.dumps(nodes).encode())).decode()
    assert nodes_of(whole) == nodes
    del whole["status"]["compressedNodes"]
    whole["status"]["offloadNodeStatusVersion"] = "fnv:1"
    with pytest.raises(UserError, match="ARGO_SERVER"):
        nodes_of(whole)


def test_names_of_pods() -> None:
    assert pod_name("wf", {"name": "wf", "id": "wf"}) == "wf"
    node = {"name": "wf.a", "id": "wf-77", "templateName": "chunk"}
    assert pod_name("wf", node) == "wf-chunk-77"
    assert len(pod_name("w" * 250, {**node, "id": "w-1234567890"})) == 253


def test_a_pod_inside_a_templates_own_steps_is_of_that_templates_step() -> None:
    node = {"name": "x", "templateName": "chunk-gpu", "templateScope": "namespaced/nameplate-training"}
    assert step_of(node) == "training"
    assert step_of({"name": "hello", "displayName": "hello(0:a)(0)", "templateScope": "local/wf"}) == "hello"


def test_a_workflow_that_argo_has_not_seen_yet() -> None:
    assert attempts_of({"metadata": {"name": "new"}}) == []
    assert not is_over({"metadata": {"name": "new"}})
