import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate.campaign import parse_campaign
from nameplate.campaign.overrides import load_with_overrides
from nameplate.errors import NameplateError, TryAgain, UserError
from nameplate.plan.estimate import cell_estimates
from nameplate_cluster import plan_pod
from nameplate_cluster.checks import Findings, check
from nameplate_cluster.client import INSTANCE_LABEL, workflow_labels
from nameplate_cluster.controller import Controller
from nameplate_cluster.fetch_report import manifest_of as report_manifest
from nameplate_cluster.listing import submitter_of
from nameplate_cluster.preflight import steps_needed
from nameplate_cluster.stop import stop
from nameplate_cluster.submit import manifest_of, plan_lines, submit
from nameplate_cluster.workflow import attempts_of

DEMO = load_with_overrides(Path(__file__).parents[3] / "campaigns" / "demo.yaml", [])
POOLS = "- {name: default, experiments: [], training_sets: []}\n"


@pytest.fixture
def ready(cluster: Any) -> Any:
    """A cluster on which the demo can run."""
    container = {"envFrom": [{"secretRef": {"name": "nameplate-store"}}]}
    template = {"spec": {"templates": [{"name": "chunk", "container": container}]}}
    names = [*steps_needed(DEMO[0], ""), "campaign"]
    cluster.there = {f"nameplate-{name}": template for name in names}
    cluster.secrets = {"nameplate-store"}
    cluster.maps = {"nameplate-pools": {"pools.yaml": POOLS}}
    cluster.machines = [
        {"metadata": {"name": "a"}, "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}},
    ]
    cluster.limits = []
    return cluster


def test_the_plan_in_short() -> None:
    lines = plan_lines(DEMO[0], "", 40)
    assert lines[1].startswith("  jobs        phantom 12, ingest 12")
    first = sum(row.first for row in cell_estimates(DEMO[0]))
    assert f"{first} in the first round" in lines[2]
    assert len(lines) == 5


def test_nothing_speaks_against_it(ready: Any) -> None:
    findings = check(ready, *DEMO, "")
    assert findings.problems == ()
    assert findings.notes == ()


def test_all_problems_are_reported_at_once(ready: Any, workflow: Callable[..., Any]) -> None:
    ready.secrets = set()
    ready.listed = [workflow()]
    ready.maps["nameplate-pools"]["pools.yaml"] = "- {name: default, experiments: [spheres]}\n"
    item = {"name": "chunk-default", "container": {"resources": {"limits": {"nvidia.com/gpu": 1}}}}
    ready.there["nameplate-training"] = {"spec": {"templates": [item]}}
    problems = check(ready, *DEMO, "").problems
    assert len(problems) == 4
    for part in (
        "already running",
        "no pool takes",
        "no Secret nameplate-store",
        "nvidia.com/gpu, which no node has",
    ):
        assert any(part in problem for problem in problems), part
    assert not any("nvidia" in problem for problem in check(ready, *DEMO, "", elastic=True).problems)


def test_a_claim_that_is_not_there_is_refused(ready: Any) -> None:
    item = {
        "name": "chunk",
        "container": {},
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "ncct"}}],
    }
    ready.there["nameplate-ingest"] = {"spec": {"templates": [item]}}
    assert check(ready, *DEMO, "").notes[-1].endswith("PersistentVolumeClaims")
    ready.claims = {}
    (problem,) = check(ready, *DEMO, "").problems
    assert problem.startswith(
        "the namespace hospital has no PersistentVolumeClaim ncct, which the pods of ingest"
    )
    ready.claims = {"ncct": {"spec": {"accessModes": ["ReadWriteOncePod"]}}}
    (problem,) = check(ready, *DEMO, "").problems
    assert "one pod at a time" in problem
    ready.claims = {"ncct": {"spec": {"accessModes": ["ReadOnlyMany"]}}}
    assert check(ready, *DEMO, "").problems == ()


def test_what_may_not_be_looked_at_is_said(ready: Any) -> None:
    ready.secrets = ready.maps = ready.machines = ready.limits = ready.ranges = ready.argo = None
    findings = check(ready, *DEMO, "")
    assert findings.problems == ()
    assert findings.notes == (
        "not checked, since this account may not look: Argo's controller, pools, what nodes offer, Secrets, "
        "LimitRanges, quotas",
    )


def test_what_the_namespace_or_argo_would_refuse_is_told_before(
    ready: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARGO_INSTANCEID", raising=False)
    ready.argo = [Controller(place="argo", version="4.0.7", settings={"instanceID": "lab"})]
    ready.limits = [{"metadata": {"name": "tight"}, "spec": {"hard": {"limits.cpu": "64"}}}]
    findings = check(ready, *DEMO, "")
    assert any("set to lab workflow.instanceId" in problem for problem in findings.problems)
    assert any("(main, wait, init)" in problem for problem in findings.problems)
    monkeypatch.setenv("ARGO_INSTANCEID", "lab")
    bound = {"type": "Container", "default": {"cpu": "1"}}
    ready.ranges = [{"metadata": {"name": "site"}, "spec": {"limits": [bound]}}]
    assert check(ready, *DEMO, "").problems == ()
    bound["max"] = {"cpu": "500m"}
    (problem,) = check(ready, *DEMO, "", elastic=True).problems[:1]
    assert "the LimitRange site allows 0.5 cpu at most for a container" in problem
    ready.ranges = None  # one that gives a default may be there
    assert check(ready, *DEMO, "").problems == ()


def test_classes_that_are_not_there_are_refused(ready: Any) -> None:
    item = {
        "name": "chunk",
        "container": {},
        "priorityClassName": "low",
        "podSpecPatch": '{"runtimeClassName": "nvidia"}',
    }
    ready.there["nameplate-ingest"] = {"spec": {"templates": [item]}}
    ready.machines[0]["spec"] = {"taints": [{"key": "card", "effect": "NoSchedule"}]}
    assert check(ready, *DEMO, "", elastic=True).notes[-1].endswith("RuntimeClasses, PriorityClasses")
    ready.classes = {}
    first, second = check(ready, *DEMO, "", elastic=True).problems
    assert first.startswith("the cluster has no RuntimeClass nvidia: correct runtimeClassName in the chart's")
    assert second.startswith("the cluster has no PriorityClass low: correct priorityClassName in the chart's")
    ready.classes = {"low": {}, "nvidia": {}}
    assert any("phantom, ingest, " in problem for problem in check(ready, *DEMO, "").problems)
    # What a RuntimeClass tolerates its pods tolerate.
    ready.classes["nvidia"] = {"scheduling": {"tolerations": [{"key": "card", "operator": "Exists"}]}}
    (problem,) = check(ready, *DEMO, "").problems
    assert "card:NoSchedule" in problem
    assert "ingest" not in problem


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"ca.crt": "-----BEGIN CERTIFICATE-----"}, ""),
        (
            {"tls.crt": "x"},
            "has no ca.crt, the authority's certificate (it has tls.crt): kubectl -n hospital",
        ),
        ({"ca.crt": "x"}, "holds no certificate"),
        (
            None,
            "the namespace hospital has no ConfigMap site-ca: kubectl -n hospital create configmap site-ca",
        ),
    ],
)
def test_an_authority_without_its_certificate(ready: Any, data: dict[str, str] | None, said: str) -> None:
    volume = {"name": "authority", "configMap": {"name": "site-ca"}}
    item = {"name": "chunk", "container": {}, "volumes": [volume]}
    ready.there["nameplate-ingest"] = {"spec": {"templates": [item]}}
    ready.maps |= {} if data is None else {"site-ca": data}
    problems = check(ready, *DEMO, "").problems
    assert len(problems) == bool(said)
    assert all(said in problem for problem in problems), problems


def planned(
    workflow: Any, node: Any, text: str, made: str, *, state: str = "Succeeded", **metadata: Any
) -> Any:
    """A workflow over, whose plan ended in this state."""
    found = workflow(node("plan(0)", phase=state), phase="Succeeded" if state == "Succeeded" else "Failed")
    found["metadata"] |= {"name": f"wf-{made}", "creationTimestamp": f"2026-11-{made}T06:00:00Z", **metadata}
    found["spec"]["arguments"] = {"parameters": [{"name": "file", "value": text}]}
    return found


def test_another_file_of_the_campaign_is_shown_and_refused(
    ready: Any, node: Callable[..., Any], workflow: Callable[..., Any]
) -> None:
    other = DEMO[1].replace("seed: ", "seed: 4")
    by = {"annotations": {"nameplate.dev/submitted-by": "grace"}}
    ready.listed = [
        planned(workflow, node, DEMO[1], "20"),
        planned(workflow, node, other, "21", **by),
        planned(workflow, node, DEMO[1], "22", state="Failed"),  # was refused: its file is not there
        planned(workflow, node, "", "23"),  # submitted by name: the file that was there
    ]
    findings = check(ready, *DEMO, "")
    (problem,) = findings.problems
    assert problem.startswith(
        "another file of the campaign demo is there (workflow wf-21, submitted by grace); it differs as "
        "shown: submit with --replace"
    )
    assert len(findings.difference) == 2
    assert findings.difference[0].startswith("-seed: 4")
    asked = check(ready, *DEMO, "", replace=True)
    assert asked.problems == ()
    assert asked.difference == findings.difference
    # The same file again is no question, nor one with another comment.
    ready.listed = [planned(workflow, node, "# by grace\n" + DEMO[1], "24")]
    assert check(ready, *DEMO, "") == Findings((), ())


def test_a_folder_is_one_of_the_pods(ready: Any) -> None:
    raw = yaml.safe_load(DEMO[1])
    del raw["cohorts"]["study"]["phantom"]
    raw["cohorts"]["study"]["folder"] = "/data/ct"
    text = yaml.safe_dump(raw)
    (note,) = check(ready, parse_campaign(text, "x"), text, "").notes
    assert note.startswith("cohorts.study.folder: /data/ct is a path in the pods")


def test_the_workflow_that_is_made() -> None:
    manifest = manifest_of(*DEMO, "training", {})
    assert manifest["spec"]["workflowTemplateRef"] == {"name": "nameplate-campaign"}
    assert manifest["metadata"]["labels"] == {"nameplate.dev/campaign": "demo"}
    values = {row["name"]: row["value"] for row in manifest["spec"]["arguments"]["parameters"]}
    assert values == {"campaign": "demo", "file": DEMO[1], "only": "training"}
    assert len(json.dumps(manifest)) < 256 * 1024
    assert "annotations" not in manifest["metadata"]
    asked = manifest_of(*DEMO, "", {}, replace=True, who="ada")
    assert asked["metadata"]["annotations"] == {"nameplate.dev/submitted-by": "ada"}
    assert {"name": "replace", "value": "yes"} in asked["spec"]["arguments"]["parameters"]


def test_submit_returns_once_the_plan_is_done(
    ready: Any, node: Callable[..., Any], workflow: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ready.story = [
        workflow(phase="Pending"),
        workflow(node("plan(0)", phase="Pending", message="ContainerCreating")),
        workflow(node("plan(0)", phase="Running")),
        workflow(node("plan(0)", phase="Succeeded")),
    ]
    assert submit(ready, *DEMO, only="", watch=False, replace=True) == 0
    ((_, manifest),) = ready.told
    assert manifest == manifest_of(*DEMO, "", {}, replace=True, who="ada")
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "submitted: workflow nameplate-demo-x7k2p in hospital"
    assert "plan: running" in said
    assert said[-1].startswith("planned;")


def test_a_wait_in_a_queue_is_not_counted(
    ready: Any,
    node: Callable[..., Any],
    workflow: Callable[..., Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The plan may take no time at all; its pod is held back for longer."""
    monkeypatch.setattr("nameplate_cluster.plan_pod.PLAN_S", -1.0)
    held = workflow(node("plan(0)", phase="Pending"))
    (attempt,) = attempts_of(held)
    gate = {"schedulingGates": [{"name": "kueue.x-k8s.io/admission"}]}
    ready.pods_there = [{"metadata": {"name": attempt.pod}, "spec": gate}]
    ready.story = [held, held, held, workflow(node("plan(0)", phase="Succeeded"))]
    assert submit(ready, *DEMO, only="", watch=False) == 0
    assert "plan: held by a queue (kueue.x-k8s.io/admission)" in capsys.readouterr().out.splitlines()
    ready.pods_there = []
    ready.story = [held]
    with pytest.raises(TryAgain, match="not done after"):
        submit(ready, *DEMO, only="", watch=False)


def test_who_submits_is_noted(ready: Any, node: Callable[..., Any], workflow: Callable[..., Any]) -> None:
    ready.story = [workflow(node("plan(0)", phase="Succeeded"))]
    submit(ready, *DEMO, only="", watch=False)
    (manifest,) = (rest[0] for what, *rest in ready.told if what == "create")
    assert submitter_of(manifest) == "ada"
    assert "annotations" not in manifest_of(*DEMO, "", {})["metadata"]


def test_watching_ends_with_the_workflow(
    ready: Any, recorded: Callable[[str], Any], capsys: pytest.CaptureFixture[str]
) -> None:
    ready.story = [recorded("done")]
    assert submit(ready, *DEMO, only="", watch=True) == 0
    assert "demo: done after 2:12" in capsys.readouterr().out


def test_an_interrupted_watch_leaves_the_workflow_alone(
    ready: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(ready, "workflow", interrupted)
    assert submit(ready, *DEMO, only="", watch=True) == 130
    assert "keeps running" in capsys.readouterr().out
    assert [what for what, *_ in ready.told] == ["create"]


def test_a_failed_plan_is_told_in_its_own_words(ready: Any, recorded: Callable[[str], Any]) -> None:
    failed = recorded("no-credentials")
    ready.story = [failed]
    pod = attempts_of(failed)[0].pod
    ready.logs[pod] = [json.dumps({"event": "failed", "reason": "s3://bias: access denied"})]
    with pytest.raises(NameplateError, match="the plan failed: s3://bias: access denied") as caught:
        plan_pod.await_plan(ready, "wf", "demo")
    assert caught.value.exit_code == 2
    ready.logs.clear()
    with pytest.raises(NameplateError, match="exit code 2"):
        plan_pod.await_plan(ready, "wf", "demo")


def test_a_store_that_is_silent_may_be_tried_again(
    ready: Any, node: Callable[..., Any], workflow: Callable[..., Any]
) -> None:
    failed = node("plan(0)", phase="Failed", outputs={"exitCode": "75"}, message="Error (exit code 75)")
    ready.story = [workflow(failed, phase="Failed")]
    with pytest.raises(NameplateError, match="may succeed") as caught:
        plan_pod.await_plan(ready, "wf", "demo")
    assert caught.value.exit_code == 75


def test_an_image_that_cannot_be_pulled_ends_it(
    ready: Any, node: Callable[..., Any], workflow: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_pod, "IMAGE_S", 0.0)
    message = 'ImagePullBackOff: Back-off pulling image "nameplate/cluster:9"'
    ready.story = [workflow(node("plan(0)", phase="Pending", message=message))]
    with pytest.raises(UserError, match=r"the image nameplate/cluster:9 cannot be pulled.*image.registry"):
        plan_pod.await_plan(ready, "wf", "demo")
    assert ready.told == [("Terminate", "wf")]


def test_a_plan_that_does_not_begin(
    ready: Any, node: Callable[..., Any], workflow: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_pod, "PLAN_S", 0.0)
    ready.story = [
        workflow(node("plan(0)", phase="Pending", message="Unschedulable: 0/1 nodes are available"))
    ]
    with pytest.raises(TryAgain, match="no node has room"):
        plan_pod.await_plan(ready, "wf", "demo")


def test_a_workflow_that_no_controller_takes(
    ready: Any,
    workflow: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(plan_pod, "PLAN_S", 0.0)
    monkeypatch.setattr(plan_pod, "UNSEEN_S", 0.0)
    unseen = workflow()
    unseen["status"] = {}
    ready.story = [unseen]
    with pytest.raises(TryAgain):
        plan_pod.await_plan(ready, "wf", "demo")
    said = capsys.readouterr().out
    assert "no controller has taken this workflow" in said
    assert "ARGO_INSTANCEID" in said
    ready.story = [workflow()]
    with pytest.raises(TryAgain):
        plan_pod.await_plan(ready, "wf", "demo")
    assert "no controller" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "installed", "label"),
    [
        (None, "", None),
        ("hospital", "", "hospital"),
        (None, "site", "site"),
        ("hospital", "site", "hospital"),
    ],
)
def test_a_controller_with_an_instance_id_is_named_to_it(
    asked: str | None, installed: str, label: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARGO_INSTANCEID", raising=False)
    if asked:
        monkeypatch.setenv("ARGO_INSTANCEID", asked)
    template = {"metadata": {"labels": {INSTANCE_LABEL: installed} if installed else {}}}
    expected = {INSTANCE_LABEL: label} if label else {}
    assert workflow_labels(template, kind="x") == {"kind": "x"} | expected
    assert report_manifest("demo", template)["metadata"]["labels"] == expected
    made = manifest_of(*DEMO, "", template)["metadata"]["labels"]
    assert made == {"nameplate.dev/campaign": "demo"} | expected


def test_stopping(ready: Any, workflow: Callable[..., Any], capsys: pytest.CaptureFixture[str]) -> None:
    ready.story = [workflow(), workflow(phase="Failed")]
    assert stop(ready, workflow(), "demo", now=False) == 0
    assert ready.told == [("Stop", "wf")]
    assert "has stopped; nameplate submit" in capsys.readouterr().out
    stop(ready, workflow(phase="Succeeded"), "demo", now=True)
    assert "is already over" in capsys.readouterr().out
    assert len(ready.told) == 1
