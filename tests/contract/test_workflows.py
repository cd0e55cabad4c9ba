"""The chart's workflows are pipeline.py: its steps, order, fan-out, commands and retries."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import HELM, ROOT, rendered, violations

from nameplate.campaign import load_campaign
from nameplate.job.state import State
from nameplate.plan.pipeline import ARM_STEPS, STEPS, step_named
from nameplate.store.directory import DirectoryStore
from nameplate_cluster.plan_step import outputs_of
from nameplate_cluster.pools import Pool

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

ARGO = shutil.which("argo")
EXAMPLES = sorted((ROOT / "charts/nameplate/examples").glob("*.yaml"))
RUNS = sorted((ROOT / "argo").glob("*.yaml"))
Json = dict[str, Any]
LINUX = {"kubernetes.io/os": "linux"}


def _templates(*arguments: str) -> dict[str, Json]:
    found = rendered(*arguments)
    return {thing["metadata"]["name"]: thing for thing in found if thing["kind"] == "WorkflowTemplate"}


@pytest.fixture(scope="module")
def templates() -> dict[str, Json]:
    return _templates()


@pytest.fixture(scope="module", params=["defaults", *EXAMPLES], ids=lambda p: getattr(p, "stem", p))
def any_templates(request: pytest.FixtureRequest) -> dict[str, Json]:
    return _templates() if request.param == "defaults" else _templates("-f", str(request.param))


def _pods(templates: dict[str, Json]) -> list[tuple[str, Json]]:
    """Every template that is a pod, with the step that it is of."""
    return [
        (name.removeprefix("nameplate-"), template)
        for name, thing in templates.items()
        for template in thing["spec"]["templates"]
        if "container" in template
    ]


def _tasks(templates: dict[str, Json]) -> dict[str, Json]:
    (campaign,) = templates["nameplate-campaign"]["spec"]["templates"]
    return {task["name"]: task for task in campaign["dag"]["tasks"]}


def _before(tasks: dict[str, Json], name: str) -> set[str]:
    """All tasks that come before one."""
    found: set[str] = set()
    for earlier in (tasks[name].get("depends") or "").split(" && "):
        if earlier:
            found |= {earlier, *_before(tasks, earlier)}
    return found


def test_one_template_a_step_and_the_plan_and_the_campaign(templates: dict[str, Json]) -> None:
    assert set(templates) == {f"nameplate-{name}" for name in ("plan", "campaign", *(s.name for s in STEPS))}


def test_every_step_runs_its_service_with_the_command_of_its_chunks(any_templates: dict[str, Json]) -> None:
    for step, template in _pods(any_templates):
        service = "cluster" if step == "plan" else step_named(step).service
        container = template["container"]
        assert re.search(rf"(^|/)nameplate[/-]{service}:0\.1\.0(-cuda)?$", container["image"])
        if step in ("training", "prediction"):
            assert ("cuda" in container["image"]) == ("gpu" in str(container["resources"]))
        command = {"plan": "plan", "selection": "arm"}.get(step, "chunk")
        if template["name"] == "export":
            command = "export"
        assert container["command"] == [f"nameplate-{service}", command]
        assert any(
            arg.startswith("--store=s3://$(NAMEPLATE_BUCKET)/$(NAMEPLATE_PREFIX){{")
            for arg in container["args"]
        )
        if command in ("chunk", "arm"):
            assert "--digest={{inputs.parameters.digest}}" in container["args"]
            assert "--timing=/tmp/nameplate/timing" in container["args"]


def test_the_order_is_that_of_the_pipeline(any_templates: dict[str, Json]) -> None:
    tasks = _tasks(any_templates)
    arms = {name for name in tasks if name.startswith("arms-")}
    assert arms
    assert set(tasks) == {"plan", *arms, *(s.name for s in STEPS if s.name not in ARM_STEPS)}
    for step in STEPS:
        mine = arms if step.name in ARM_STEPS else {step.name}
        for name in mine:
            before = _before(tasks, name)
            assert "plan" in before
            for need in step.needs:
                if need in ARM_STEPS:
                    assert name in arms or arms <= before, (name, need)
                elif need != step.name:
                    assert need in before, (name, need)
    for name in arms:
        # No arm waits for another one.
        assert not _before(tasks, name) & arms


def test_every_step_fans_out_over_the_chunks_that_the_plan_names(any_templates: dict[str, Json]) -> None:
    tasks = _tasks(any_templates)
    for name, task in tasks.items():
        if name == "plan":
            continue
        assert task["withParam"] == f"{{{{tasks.plan.outputs.parameters.{name}}}}}"
        given = {p["name"]: p["value"] for p in task["arguments"]["parameters"]}
        item = "arm" if name.startswith("arms-") else "chunk"
        assert given[item] == "{{item}}"


def test_an_arm_selects_trains_and_predicts_in_its_own_pool(any_templates: dict[str, Json]) -> None:
    training = {t["name"]: t for t in any_templates["nameplate-training"]["spec"]["templates"]}
    prediction = {t["name"] for t in any_templates["nameplate-prediction"]["spec"]["templates"]}
    pools = {name.removeprefix("arm-") for name in training if name.startswith("arm-")}
    assert {f"arms-{pool}" for pool in pools} == {t for t in _tasks(any_templates) if t.startswith("arms-")}
    for pool in pools:
        assert {f"chunk-{pool}", f"arm-{pool}"} <= set(training)
        assert f"chunk-{pool}" in prediction
        steps = [step for group in training[f"arm-{pool}"]["steps"] for step in group]
        assert [step["name"] for step in steps] == ["selection", "training", "prediction", "again"]
        targets = [step.get("template") or step["templateRef"]["template"] for step in steps]
        assert targets == ["selection", f"chunk-{pool}", f"chunk-{pool}", f"arm-{pool}"]


def test_the_plan_has_an_output_for_everything_that_runs(tmp_path: Path) -> None:
    campaign = load_campaign(ROOT / "campaigns" / "demo.yaml")
    state = State(campaign, DirectoryStore(tmp_path), {})
    for arguments in ((), ("-f", str(ROOT / "charts/nameplate/examples/gpu-per-manufacturer.yaml"))):
        found = rendered(*arguments)
        (plan,) = next(t for t in found if t["metadata"]["name"] == "nameplate-plan")["spec"]["templates"]
        pools = yaml.safe_load(
            next(t for t in found if t["metadata"]["name"] == "nameplate-pools")["data"]["pools.yaml"]
        )
        made = tuple(
            Pool(
                name=pool["name"],
                experiments=tuple(pool["experiments"]),
                training_sets=tuple(pool["training_sets"]),
            )
            for pool in pools
        )
        every = tuple(step.name for step in STEPS)
        outputs = outputs_of(campaign, state, made, only=every, target_seconds=60, most=None)
        declared = {p["name"]: p["valueFrom"]["path"] for p in plan["outputs"]["parameters"]}
        assert declared == {name: f"/tmp/nameplate/{name}" for name in ("digest", "timing", *outputs)}


def _is_tried_again(expression: str, *, status: str, code: int, message: str, retries: int) -> bool:
    """Evaluate a retry expression of Argo's for one failed attempt."""
    python = re.sub(r"(lastRetry\.message) contains (\"[^\"]*\")", r"(\2 in \1)", expression)
    python = python.replace("||", " or ").replace("&&", " and ").replace("!(", "not (")
    python = python.replace("asInt(", "int(").replace("lastRetry.", "lastRetry_")
    names = {"lastRetry_status": status, "lastRetry_exitCode": str(code), "lastRetry_message": message}
    return bool(eval(python, {"__builtins__": {}}, {**names, "retries": str(retries), "int": int}))


@pytest.mark.parametrize(
    ("status", "code", "message", "retries", "again", "plan"),
    [
        ("Failed", 2, "Error (exit code 2)", 0, False, False),
        ("Failed", 70, "Error (exit code 70)", 0, False, False),
        ("Failed", 1, "Error (exit code 1)", 0, False, False),
        ("Failed", 75, "Error (exit code 75)", 0, True, False),
        ("Failed", 75, "Error (exit code 75)", 2, True, False),
        ("Failed", 143, "Error (exit code 143)", 1, True, True),
        ("Error", -1, "pod deleted", 0, True, True),
        ("Failed", -1, "The node was low on resource: ephemeral-storage.", 1, True, True),
        ("Failed", -1, "Pod was rejected: UnexpectedAdmissionError", 0, True, True),
        ("Failed", -1, "Pod was terminated in response to imminent node shutdown.", 0, True, True),
        ("Failed", -1, "Pod was active on the node longer than the specified deadline", 0, False, False),
        ("Failed", -1, "Step exceeded its deadline", 0, False, False),
        ("Failed", 137, "Error (exit code 137)", 0, True, True),
        ("Failed", 137, "Error (exit code 137)", 6, True, True),
        ("Failed", 75, "Error (exit code 75)", 50, True, False),
        ("Error", -1, "pod deleted", 50, True, True),
        # A pod that perhaps never ran cannot say that it is enough.
        ("Error", -1, 'pods "x" is forbidden: failed quota: must specify limits', 2, True, True),
        ("Error", -1, 'pods "x" is forbidden: failed quota: must specify limits', 3, False, False),
        ("Error", 64, "Error (exit code 64): failed to put file", 3, False, False),
        ("Failed", 137, "OOMKilled (exit code 137)", 0, False, False),
    ],
)
def test_machines_are_tried_again_and_mistakes_are_not(
    templates: dict[str, Json], status: str, code: int, message: str, retries: int, again: bool, plan: bool
) -> None:
    for step, template in _pods(templates):
        if template["name"] == "export":
            assert "retryStrategy" not in template
            continue
        retry = template["retryStrategy"]
        assert retry["retryPolicy"] == "Always"
        chunk = template["container"]["command"][-1] == "chunk"
        assert int(retry["limit"]) == (100 if chunk else 3)
        assert ("--attempt={{retries}}" in template["container"]["args"]) == chunk
        if chunk:
            assert f"--retries={step_named(step).retries}" in template["container"]["args"]
        # Without a bound it would be days soon.
        assert retry["backoff"]["cap"] == "1m"
        # A retried pod must not get the rest of somebody's time as its deadline.
        assert "maxDuration" not in retry["backoff"]
        found = _is_tried_again(
            retry["expression"], status=status, code=code, message=message, retries=retries
        )
        assert found == (plan if step == "plan" else again), step


def test_how_often_a_pod_is_tried_again_is_a_value() -> None:
    found = _templates(
        "--set", "workflow.retries=5,workflow.maxAttempts=40,steps.synthesis.retries=0,steps.plan.retries=1",
        "--set", "pools.default.retries=7,pools.default.prediction.retries=8",
    )  # fmt: skip
    for step, template in _pods(found):
        if template["name"] == "export":
            continue
        own = {"synthesis": 0, "plan": 1, "training": 7, "prediction": 8}.get(step, 5)
        retry, chunk = template["retryStrategy"], template["container"]["command"][-1] == "chunk"
        assert retry["limit"] == ("40" if chunk else str(own)), step
        assert f"asInt(retries) < {own})" in retry["expression"], step
        assert (f"--retries={own}" in template["container"]["args"]) == chunk, step


def test_a_wait_is_not_counted_against_the_timeout_and_ends_with_the_campaigns_deadline() -> None:
    """Argo's own counts from the request for a pod, and a pending pod that may be tried again escapes it."""
    found = _templates("--set", "steps.plan.timeout=90s,steps.pack.timeout=30m,workflow.deadline=48h")
    deadlines = {}
    for step, template in _pods(found):
        assert "timeout" not in template, step
        deadlines[step] = json.loads(template["podSpecPatch"]).get("activeDeadlineSeconds")
    assert set(deadlines) == {"plan", *(step.name for step in STEPS)}
    assert (deadlines["plan"], deadlines["pack"], deadlines["training"]) == (90, 1800, 72 * 3600)
    assert found["nameplate-campaign"]["spec"]["activeDeadlineSeconds"] == 48 * 3600
    endless = _templates("--set", "workflow.deadline=")["nameplate-campaign"]["spec"]
    assert "activeDeadlineSeconds" not in endless


def test_no_dollar_of_a_person_is_expanded_into_a_secret(any_templates: dict[str, Json]) -> None:
    """Kubernetes expands $(NAME) in arguments from every variable of the container, secret ones too."""
    for step, template in _pods(any_templates):
        container = template["container"]
        texts = [*container["args"], *(item.get("value", "") for item in container.get("env", []))]
        for text in texts:
            for name in ("campaign", "only", "file"):
                assert f"{{{{inputs.parameters.{name}}}}}" not in text, (step, text)


def test_every_pod_keeps_restricted_argos_own_containers_included(any_templates: dict[str, Json]) -> None:
    for step, template in _pods(any_templates):
        patch = json.loads(template["podSpecPatch"])
        main = {"name": "main", **template["container"]}
        spec = {
            "securityContext": template["securityContext"],
            "containers": [main, *patch["containers"]],
            "initContainers": patch["initContainers"],
            "volumes": template["volumes"],
        }
        assert [c["name"] for c in (*patch["containers"], *patch["initContainers"])] == ["wait", "init"]
        # Where the cluster chooses the user, the pod names none.
        chosen = "runAsUser" not in template["securityContext"]
        assert [v for v in violations(spec) if not (chosen and v.endswith(": runAsUser"))] == [], step
        assert template["automountServiceAccountToken"] is False
        assert template["serviceAccountName"] == "nameplate-runner"
        assert template["executor"] == {"serviceAccountName": "nameplate-executor"}
        names = [item["name"] for item in main.get("env", [])]
        assert len(set(names)) == len(names)


def test_only_the_plan_the_listing_and_the_ingest_hold_the_key_of_the_patients(
    any_templates: dict[str, Json],
) -> None:
    for step, template in _pods(any_templates):
        names = [item["name"] for item in template["container"].get("env", [])]
        assert ("NAMEPLATE_KEY" in names) == (step in ("plan", "listing", "ingest")), step
        for item in template["container"].get("env", []):
            if item["name"] == "NAMEPLATE_KEY":
                assert set(item["valueFrom"]) == {"secretKeyRef"}


def test_memory_is_what_the_pipeline_says(templates: dict[str, Json]) -> None:
    units = {"Mi": 1, "Gi": 1024}
    for step, template in _pods(templates):
        if step != "plan":
            limit = template["container"]["resources"]["limits"]["memory"]
            assert int(limit[:-2]) * units[limit[-2:]] >= step_named(step).memory_mib, step


def test_gpus_are_asked_for_where_the_pool_has_them() -> None:
    found = _templates("-f", str(ROOT / "charts/nameplate/examples/gpu-per-manufacturer.yaml"))
    for step, template in _pods(found):
        wanted = template["container"]["resources"].get("limits", {}).get("nvidia.com/gpu")
        assert wanted == (1 if step in ("training", "prediction") else None)
        if step in ("training", "prediction"):
            pool = template["metadata"]["labels"]["nameplate.dev/pool"]
            (semaphore,) = template["synchronization"]["semaphores"]
            assert semaphore["configMapKeyRef"] == {"name": "nameplate-pools", "key": pool}
    for _, template in _pods(_templates()):
        assert "nvidia.com/gpu" not in template["container"]["resources"]["limits"]


@pytest.mark.parametrize("required", [True, False])
def test_a_pod_with_a_card_is_told_to_need_it_unless_the_pool_says_otherwise(required: bool) -> None:
    found = _templates(
        "--set", "pools.default.gpu.count=1", "--set", f"pools.default.gpu.required={str(required).lower()}"
    )
    for step, template in _pods(found):
        told = [one["name"] for one in template["container"].get("env", ())]
        assert ("NAMEPLATE_EXPECTS_GPU" in told) == (required and step in ("training", "prediction")), step


def test_nodes_of_a_pool_are_the_pools() -> None:
    found = _templates(
        "--set", "pools.default.nodeSelector.card=a100", "--set", "pools.default.tolerations[0].key=gpu",
        "--set", "pools.default.sharedMemory=2Gi", "--set", "steps.synthesis.nodeSelector.kind=cpu",
    )  # fmt: skip
    for step, template in _pods(found):
        if step in ("training", "prediction"):
            assert template["nodeSelector"] == {**LINUX, "card": "a100"}
            assert template["tolerations"] == [{"key": "gpu"}]
            assert {"name": "shared-memory", "mountPath": "/dev/shm"} in template["container"]["volumeMounts"]
        else:
            assert template["nodeSelector"] == {**LINUX, **({"kind": "cpu"} if step == "synthesis" else {})}


def test_a_step_may_have_a_limit_of_its_own() -> None:
    arguments = ("--set", "steps.synthesis.limit=4", "--set", "pools.default.limit=2")
    for step, template in _pods(_templates(*arguments)):
        locks = template.get("synchronization", {}).get("semaphores", [])
        key = {"synthesis": "step.synthesis", "training": "default", "prediction": "default"}.get(step)
        wanted = [{"configMapKeyRef": {"name": "nameplate-pools", "key": key}}] if key else []
        assert locks == wanted, step
    (pools,) = (
        thing for thing in rendered(*arguments)
        if thing["kind"] == "ConfigMap" and thing["metadata"]["name"] == "nameplate-pools"
    )  # fmt: skip
    assert {key: value for key, value in pools["data"].items() if key != "pools.yaml"} == {
        "default": "2",
        "step.synthesis": "4",
    }


def test_a_pool_says_what_differs_from_the_default_and_zero_is_something_to_say() -> None:
    found = _templates(
        "--set", "pools.default.gpu.count=2", "--set", "pools.default.limit=3",
        "--set", "pools.ge.trainingSets={GE}", "--set", "pools.ge.gpu.count=0", "--set", "pools.ge.limit=0",
    )  # fmt: skip
    by_name = {t["name"]: t for step, t in _pods(found) if step == "training"}
    assert "nvidia.com/gpu" not in by_name["chunk-ge"]["container"]["resources"]["limits"]
    assert "synchronization" not in by_name["chunk-ge"]
    assert by_name["chunk-default"]["container"]["resources"]["limits"]["nvidia.com/gpu"] == 2


def test_bulk_data_is_not_argos(any_templates: dict[str, Json]) -> None:
    assert '"artifacts"' not in json.dumps(any_templates)
    for _, template in _pods(any_templates):
        assert template["archiveLocation"] == {"archiveLogs": False}


def test_the_cohorts_volume_is_for_reading_and_for_plan_listing_and_ingest_alone() -> None:
    found = _templates("--set", "data.existingClaim=ncct")
    for step, template in _pods(found):
        mounts = {mount["mountPath"]: mount for mount in template["container"]["volumeMounts"]}
        assert ("/data" in mounts) == (step in ("plan", "listing", "ingest"))
        if "/data" in mounts:
            assert mounts["/data"]["readOnly"] is True


def test_what_a_person_submits_names_a_stage_that_the_plan_knows() -> None:
    stages = {path.stem for path in RUNS} - {"campaign"}
    assert stages == {s.name for s in STEPS} - {"selection", "prediction"}  # they belong to training
    for path in RUNS:
        run = yaml.safe_load(path.read_text())
        assert run["spec"]["workflowTemplateRef"] == {"name": "nameplate-campaign"}
        given = {p["name"]: p["value"] for p in run["spec"]["arguments"]["parameters"]}
        assert given.get("only", "campaign") == path.stem


@pytest.mark.skipif(ARGO is None, reason="no argo program")
def test_argo_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    assert ARGO is not None
    for name, arguments in {"defaults": (), **{p.stem: ("-f", str(p)) for p in EXAMPLES}}.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(yaml.safe_dump_all(list(_templates(*arguments).values())))
        ran = subprocess.run(
            [ARGO, "lint", "--offline", "--strict", str(file), *map(str, RUNS)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
