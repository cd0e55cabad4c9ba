"""What a site decides reaches every pod: user, nodes, quotas, labels, images, and a patch for the rest."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import CHART, HELM, ROOT, every_pod, helm, rendered, violations

from nameplate.store.s3_service import S3Service

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
OTHER_S3 = {"objectStore": {"endpoint": "https://s3.example.org", "existingSecret": "site-account"}}
PODS = 19
"""Kinds of pods of a default installation: of fourteen steps, plan, export, setup, MinIO and `helm test`."""
Json = dict[str, Any]


@pytest.fixture
def given(tmp_path: Path) -> Any:
    """The objects of the chart with a file of values."""

    def render(values: Json) -> list[Json]:
        file = tmp_path / "values.yaml"
        file.write_text(yaml.safe_dump(values))
        return rendered("-f", str(file))

    return render


def refusal(tmp_path: Path, values: Json) -> str:
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    ran = helm("template", "nameplate", str(CHART), "-f", str(file))
    assert ran.returncode != 0, values
    return ran.stderr


def nested(path: str, value: Any) -> Json:
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)


def test_the_cluster_may_choose_the_user(given: Any) -> None:
    free = {"runAsUser": None, "runAsGroup": None, "fsGroup": None}
    pods = list(every_pod(given({"pods": {"securityContext": free}})))
    assert len(pods) == PODS
    for where, spec, _ in pods:
        assert not set(free) & set(spec["securityContext"]), where
        assert {v for v in violations(spec) if not v.endswith(": runAsUser")} == set(), where


def test_the_site_may_choose_the_user(given: Any) -> None:
    user = {"runAsUser": 1000680000, "runAsGroup": 0, "fsGroup": 1000680000, "supplementalGroups": [1500]}
    for where, spec, _ in every_pod(given({"pods": {"securityContext": user}})):
        assert user.items() <= spec["securityContext"].items(), where
        assert not violations(spec), where


def test_a_group_for_the_pods_that_read_the_files_alone(given: Any) -> None:
    group = {"securityContext": {"supplementalGroups": [1500]}}
    values = {"pods": {"securityContext": {"supplementalGroups": [7]}}, "steps": {"ingest": group}}
    for where, spec, _ in every_pod(given(values)):
        wanted = [7, 1500] if "nameplate-ingest" in where else [7]
        assert spec["securityContext"]["supplementalGroups"] == wanted, where


@pytest.mark.parametrize("wrong", [{"runAsNonRoot": False}, {"runAsUser": 0}, {"privileged": True}])
def test_no_pod_may_be_root(wrong: Json, tmp_path: Path) -> None:
    assert f"/pods/securityContext{''.join(f'/{k}' for k in wrong if k != 'privileged')}'" in refusal(
        tmp_path, {"pods": {"securityContext": wrong}}
    )


@pytest.mark.parametrize("store", [{}, OTHER_S3], ids=["own MinIO", "another S3"])
def test_one_value_sends_every_pod_to_the_sites_nodes(given: Any, store: Json) -> None:
    taint, card = ({"key": key, "operator": "Exists"} for key in ("research", "nvidia.com/gpu"))
    values = {
        "pods": {"tolerations": [taint], "nodeSelector": {"kubernetes.io/arch": "amd64"}},
        "pools": {"default": {"tolerations": [taint, card], "nodeSelector": {"card": "a100"}}},
    }
    for where, spec, _ in every_pod(given(values | store)):
        in_pool = "chunk-default" in where
        assert spec["tolerations"] == ([taint, card] if in_pool else [taint]), where
        assert spec["nodeSelector"] == {
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            **({"card": "a100"} if in_pool else {}),
        }, where


def test_every_setting_of_pods_reaches_every_pod(given: Any) -> None:
    terms = {"nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]}
    settings = {
        "runtimeClassName": "kata",
        "priorityClassName": "research",
        "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}},
    }
    more = {
        "labels": {"kueue.x-k8s.io/queue-name": "ct", "app.kubernetes.io/component": "mine"},
        "annotations": {"sidecar.istio.io/inject": "false"},
        "env": [{"name": "HTTPS_PROXY", "value": "http://proxy:3128"}],
        "scratch": "5Gi",
    }
    pods = list(every_pod(given({"pods": {**settings, **more}})))
    plain = {where: metadata["labels"] for where, _, metadata in every_pod(rendered())}
    for where, spec, metadata in pods:
        assert settings.items() <= spec.items(), where
        assert metadata["labels"]["kueue.x-k8s.io/queue-name"] == "ct", where
        assert metadata["annotations"]["sidecar.istio.io/inject"] == "false", where
        assert more["env"][0] in spec["containers"][0]["env"], where
        assert {"name": "scratch", "emptyDir": {"sizeLimit": "5Gi"}} in spec["volumes"], where
        if not where.startswith("Job"):  # the Job's name says what is in it
            # What services, policies and selectors go by is not the site's.
            assert plain[where].items() <= metadata["labels"].items(), where


def test_a_pool_may_have_a_runtime_of_its_own(given: Any) -> None:
    values = nested("pools.default", {"runtimeClassName": "nvidia", "training": {"env": [], "scratch": ""}})
    for where, spec, _ in every_pod(given(values)):
        assert spec.get("runtimeClassName") == ("nvidia" if "chunk-default" in where else None), where
        scratch = next(volume for volume in spec["volumes"] if volume["name"] == "scratch")
        assert scratch["emptyDir"] == ({} if "training/chunk" in where else {"sizeLimit": "50Gi"}), where


def test_a_quota_on_limits_is_met_by_one_value(given: Any) -> None:
    defaults = {"requests": {"ephemeral-storage": "1Gi"}, "limits": {"cpu": "2", "ephemeral-storage": "60Gi"}}
    values = {"pods": {"resources": defaults}, "steps": {"report": {"resources": {"limits": {"cpu": "4"}}}}}
    before = {where: spec for where, spec, _ in every_pod(rendered())}
    for where, spec, _ in every_pod(given(values)):
        for number, container in enumerate([*spec["containers"], *spec.get("initContainers", [])]):
            limits = container["resources"]["limits"]
            own = "nameplate-report" in where and number == 0
            assert limits["cpu"] == ("4" if own else "2"), (where, container["name"])
            assert limits["ephemeral-storage"] == "60Gi", (where, container["name"])
            assert container["resources"]["requests"]["ephemeral-storage"] == "1Gi", where
            if where in before:
                old = [*before[where]["containers"], *before[where].get("initContainers", [])]
                assert limits["memory"] == old[number]["resources"]["limits"]["memory"], where


def test_a_patch_goes_by_name(given: Any) -> None:
    patch = {
        "dnsConfig": {"options": [{"name": "ndots", "value": "1"}]},
        "volumes": [{"name": "scratch", "emptyDir": {"medium": "Memory"}}],
        "containers": [
            {"name": "wait", "env": [{"name": "NO_PROXY", "value": "10.0.0.1"}]},
            {"name": "main", "workingDir": "/tmp"},
            {"name": "beside", "image": "sidecar:1"},
        ],
    }
    values = {"pods": {"patch": patch}, "steps": {"pack": {"patch": {"hostname": "pack"}}}}
    for where, spec, _ in every_pod(given(values)):
        of_argo = where.startswith("WorkflowTemplate")
        assert spec["dnsConfig"] == patch["dnsConfig"], where
        assert spec.get("hostname") == ("pack" if "nameplate-pack" in where else None)
        scratch = [volume for volume in spec["volumes"] if volume["name"] == "scratch"]
        assert scratch == [{"name": "scratch", "emptyDir": {"medium": "Memory", "sizeLimit": "50Gi"}}], where
        names = [container["name"] for container in spec["containers"]]
        assert len(names) == len(set(names)), where
        assert ("main" in names, "wait" in names, "beside" in names) == (of_argo, of_argo, True), where
        if of_argo:
            by_name = {container["name"]: container for container in spec["containers"]}
            assert by_name["wait"]["env"] == patch["containers"][0]["env"]
            assert by_name["wait"]["securityContext"]["readOnlyRootFilesystem"] is True
            assert by_name["main"]["workingDir"] == "/tmp"
            assert by_name["main"]["image"].startswith("nameplate/")


DIGEST = "sha256:" + "0a" * 32


@pytest.mark.parametrize(
    ("image", "service", "minio"),
    [
        ({}, "nameplate/cluster:0.1.0", "quay.io/minio/minio:R"),
        (
            {"registry": "registry.example.org/ct/"},
            "registry.example.org/ct/nameplate/cluster:0.1.0",
            "registry.example.org/ct/minio/minio:R",
        ),
        (
            {"registry": "docker.io/site", "name": "nameplate-SERVICE"},
            "docker.io/site/nameplate-cluster:0.1.0",
            "docker.io/site/minio/minio:R",
        ),
        (
            {"tags": {"cluster": f"0.1.0@{DIGEST}"}},
            f"nameplate/cluster:0.1.0@{DIGEST}",
            "quay.io/minio/minio:R",
        ),
        ({"tags": {"cluster": f"@{DIGEST}"}}, f"nameplate/cluster@{DIGEST}", "quay.io/minio/minio:R"),
    ],
)
def test_names_of_images(given: Any, image: Json, service: str, minio: str) -> None:
    pods = {where: spec for where, spec, _ in every_pod(given({"image": image}))}
    release = minio.removesuffix("R") + "RELEASE.2025-09-07T16-13-09Z"
    assert pods["StatefulSet/nameplate-minio"]["containers"][0]["image"] == release
    assert pods["Pod/nameplate-test-store"]["containers"][0]["image"] == service
    assert pods["WorkflowTemplate/nameplate-plan/plan"]["containers"][0]["image"] == service


@pytest.mark.parametrize("image", ["quay.io/minio/minio:1", "localhost/minio:1", "r:5000/m@" + DIGEST])
def test_an_image_of_minio_with_a_host_is_taken_as_it_is(given: Any, image: str) -> None:
    values = {"image": {"registry": "registry.example.org"}, "minio": {"image": image}}
    pods = {where: spec for where, spec, _ in every_pod(given(values))}
    assert pods["StatefulSet/nameplate-minio"]["containers"][0]["image"] == image


@pytest.mark.parametrize("name", ["nameplate", "/SERVICE", "a b/SERVICE"])
def test_a_name_of_images_has_the_service_in_it(name: str, tmp_path: Path) -> None:
    assert "at '/image/name'" in refusal(tmp_path, {"image": {"name": name}})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("steps.plan.resources.limit.memory", "1Gi", "/steps/plan/resources/limit': .*mean limits"),
        ("pools.a.training.resources.limts.cpu", 1, "/pools/a/training/resources/limts': .*mean limits"),
        (
            "pools.default.nodeSelector.gpu",
            True,
            "nodeSelector/gpu': got boolean, want string",
        ),
        ("steps.ingest.resources.requests.memory", "two", "requests/memory': 'two' does not match"),
        ("workflow.ttl.secondsAfterSucess", 5, "/workflow/ttl/secondsAfterSucess': .*secondsAfterSuccess"),
        ("workflow.podGC.strategy", "Never", "/workflow/podGC/strategy'"),
        ("workflow.executorResources.Limits.cpu", 1, "executorResources/Limits': .*mean limits"),
        ("pods.nodeselector.a", "b", "/pods/nodeselector': .*mean nodeSelector"),
        ("pods.tolerations", [{"key": "a", "efect": "NoSchedule"}], "tolerations/0/efect': .*mean effect"),
        ("pods.affinity.nodeAfinity", {}, "/pods/affinity/nodeAfinity': .*mean nodeAffinity"),
        ("pods.env", {"HTTPS_PROXY": "x"}, "/pods/env': got object, want array"),
        ("pods.env", [{"name": "SIZE", "value": 1}], "/pods/env/0/value': got number, want string"),
        ("pods.annotations.a", True, "/pods/annotations/a': got boolean, want string"),
        ("pods.scratch", "much", "/pods/scratch'"),
        ("setup.toleration", [], "/setup/toleration': .*mean tolerations"),
        ("resourceQuota.hard.pods", "many", "/resourceQuota/hard/pods'"),
        ("limitRange.limits", [{"type": "container"}], "/limitRange/limits/0/type'"),
        ("objectStore.peers", [{"podSelecter": {}}], "peers/0/podSelecter': .*mean podSelector"),
        ("image.tags.training", "@sha256:12", "/image/tags/training'"),
        ("objectStore.prefix", "a/../b", "/objectStore/prefix'"),
        ("objectStore.prefix", "a b", "/objectStore/prefix'"),
    ],
)
def test_a_wrong_value_deep_down_is_named_with_its_place(
    path: str, value: Any, said: str, tmp_path: Path
) -> None:
    text = refusal(tmp_path, nested(path, value))
    assert text.count("- at '") == 1, text
    assert re.search(said, text), text


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("steps.plan.resources.limits", {"cpu": 1, "memory": "1.5Gi", "ephemeral-storage": "2Gi"}),
        ("pools.default.nodeSelector", {"site/gpu": "a100"}),
        ("pods.tolerations", [{"operator": "Exists"}]),
        ("workflow.ttl", {"secondsAfterCompletion": 60}),
        ("workflow.executorResources.limits.cpu", "500m"),
        ("minio.tolerations", [{"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}]),
        ("pools.default.priorityClassName", ""),
        ("limitRange.limits", [{"type": "Container", "max": {"cpu": 4}, "maxLimitRequestRatio": {"cpu": 4}}]),
    ],
)
def test_what_is_right_is_taken(path: str, value: Any, given: Any) -> None:
    assert given(nested(path, value))


MOVED = {
    "setup.patience": (300, "/setup/patience': value must be 'moved to setup.storeTimeout'"),
    "workflow.batchSeconds": (30, "batchSeconds': value must be 'moved to workflow.chunkSeconds'"),
    "workflow.mostBatches": (9, "mostBatches': value must be 'moved to workflow.maxChunks'"),
    "workflow.storePatience": (9, "storePatience': value must be 'moved to workflow.storeTimeout'"),
    "steps.judge": ({"timeout": "1h"}, "/steps/judge': value must be 'moved to steps.selection'"),
    "pools.a100.evaluation": ({}, "a100/evaluation': value must be 'moved to pools.<name>.prediction'"),
}


def test_every_key_of_an_earlier_version_is_named_with_its_new_place(tmp_path: Path) -> None:
    values: Json = {}
    for path, (value, said) in MOVED.items():
        text = refusal(tmp_path, nested(path, value))
        assert text.count("- at '") == 1, text
        assert said in text
        *sections, key = path.split(".")
        part = values
        for section in sections:
            part = part.setdefault(section, {})
        part[key] = value
    text = refusal(tmp_path, values)
    for _, said in MOVED.values():
        assert said in text


@pytest.mark.parametrize(("prefix", "right"), [("/team/ct", "(team/ct)"), ("/", "(or empty)")])
def test_a_prefix_with_a_slash_in_front_is_refused(prefix: str, right: str, tmp_path: Path) -> None:
    said = (
        f"objectStore.prefix: expected a folder in the bucket, without a slash in front {right}, got {prefix}"
    )
    assert said in refusal(tmp_path, {"objectStore": {"prefix": prefix}})


@pytest.mark.parametrize("prefix", ["", "team/ct", "team/ct/"])
def test_a_prefix_comes_between_bucket_and_campaign(prefix: str, given: Any) -> None:
    objects = given({"objectStore": {"prefix": prefix}})
    (store,) = (o["data"] for o in objects if o["metadata"]["name"] == "nameplate-store")
    assert store["NAMEPLATE_PREFIX"] == ("team/ct/" if prefix.strip("/") else "")


IDENTITY = {
    "objectStore": {"endpoint": "https://s3.eu-central-1.amazonaws.com", "webIdentity": True},
    "serviceAccounts": {"annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::1:role/ct"}},
}


def test_an_identity_in_place_of_keys(given: Any) -> None:
    objects = given(IDENTITY)
    by_name = {(thing["kind"], thing["metadata"]["name"]): thing for thing in objects}
    for name, annotated in {"runner": True, "setup": True, "executor": False, "submitter": False}.items():
        metadata = by_name["ServiceAccount", f"nameplate-{name}"]["metadata"]
        assert metadata.get("annotations") == (
            IDENTITY["serviceAccounts"]["annotations"] if annotated else None
        )
    for where, spec, _ in every_pod(objects):
        for container in spec["containers"]:
            assert not any("secretRef" in source for source in container.get("envFrom", [])), where
    (job,) = (thing for thing in objects if thing["kind"] == "Job")
    assert "--store-secret=" in job["spec"]["template"]["spec"]["containers"][0]["args"]
    rules = by_name["Role", "nameplate-setup"]["rules"]
    assert rules[1]["resourceNames"] == ["nameplate-patient-key"]


@pytest.mark.parametrize(
    "store", [{}, {"endpoint": "https://s3.example.org", "existingSecret": "site-account"}]
)
def test_an_identity_is_for_another_s3_and_instead_of_a_secret(store: Json, tmp_path: Path) -> None:
    said = refusal(tmp_path, {"objectStore": {"webIdentity": True, **store}})
    assert "objectStore.webIdentity: expected the endpoint of another S3 and no existingSecret" in said


@pytest.mark.parametrize("style", ["auto", "path", "virtual"])
def test_the_style_of_addresses_reaches_the_pods(style: str, given: Any) -> None:
    objects = given({"objectStore": {"style": style}})
    (store,) = (thing["data"] for thing in objects if thing["metadata"]["name"] == "nameplate-store")
    assert store.get("NAMEPLATE_S3_STYLE", "auto") == style


def test_a_proxy_may_be_reached(given: Any) -> None:
    rule = {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"protocol": "TCP", "port": 3128}]}
    objects = given({"networkPolicy": {"egress": [rule]}})
    (clients,) = (thing for thing in objects if thing["metadata"]["name"] == "nameplate-store-clients")
    assert clients["spec"]["egress"][-1] == rule


def test_dns_may_answer_at_another_port(given: Any) -> None:
    objects = given({"networkPolicy": {"dnsPorts": [53, 5353]}})
    (clients,) = (thing for thing in objects if thing["metadata"]["name"] == "nameplate-store-clients")
    assert {port["port"] for port in clients["spec"]["egress"][0]["ports"]} == {53, 5353}


@pytest.mark.parametrize("endpoint", ["https://[fd00:10::5]:9443", "https://s3.example.org"])
def test_an_s3_may_be_reached_by_ipv6(endpoint: str, given: Any) -> None:
    objects = given({"objectStore": {"endpoint": endpoint, "existingSecret": "site"}})
    named = [thing for thing in objects if thing["metadata"]["name"].startswith("nameplate-store-")]
    ((rule,),) = (thing["spec"]["egress"] for thing in named if "annotations" in thing["metadata"])
    assert [peer["ipBlock"]["cidr"] for peer in rule["to"]] == ["0.0.0.0/0", "::/0"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 9443 if "[" in endpoint else 443}]


def test_a_gateways_path_goes_to_the_pods_and_its_port_to_the_policy(given: Any, tmp_path: Path) -> None:
    store = {"endpoint": "https://gateway.example.org:8443/s3/v1/", "existingSecret": "site"}
    by_name = {thing["metadata"]["name"]: thing for thing in given({"objectStore": store})}
    assert by_name["nameplate-store"]["data"]["AWS_ENDPOINT_URL"] == "https://gateway.example.org:8443/s3/v1"
    (policy,) = (
        thing for name, thing in by_name.items() if re.fullmatch(r"nameplate-store-[0-9a-f]{8}", name)
    )
    (rule,) = policy["spec"]["egress"]
    assert rule["ports"] == [{"protocol": "TCP", "port": 8443}]
    said = refusal(tmp_path, {"objectStore": {**store, "style": "virtual"}})
    assert "objectStore.style: expected auto or path, since objectStore.endpoint has a path" in said


def test_the_sites_encryption_goes_to_every_client_of_the_store(given: Any) -> None:
    """The pods, setup and `helm test` read one ConfigMap; the client takes what is in it."""
    store = {"endpoint": "https://s3.example.org", "existingSecret": "site"}
    told = {"encryption": "aws:kms", "kmsKey": "arn:aws:kms:eu-central-1:1:key/2"}
    for more, expected in (({}, ("none", "")), (told, tuple(told.values()))):
        objects = given({"objectStore": {**store, **more}})
        (data,) = (thing["data"] for thing in objects if thing["metadata"]["name"] == "nameplate-store")
        with pytest.MonkeyPatch.context() as patch:
            for name in ("NAMEPLATE_S3_ENCRYPTION", "NAMEPLATE_S3_KMS_KEY"):
                patch.delenv(name, raising=False)
            for name, value in data.items():
                patch.setenv(name, value)
            service = S3Service.from_environment()
        assert (service.encryption, service.key) == expected


def test_a_schedule_submits_the_installed_campaign_as_a_person_does(given: Any) -> None:
    schedules = {"demo": {"cron": "0 3 * * 1-5", "timezone": "Europe/Berlin"}, "mine": {"cron": "@daily"}}
    objects = given({"schedules": schedules, "workflow": {"instanceId": "ct"}})
    crons = {t["metadata"]["name"]: t for t in objects if t["kind"] == "CronWorkflow"}
    assert set(crons) == {"nameplate-demo", "nameplate-mine"}
    for name, cron in crons.items():
        campaign = name.removeprefix("nameplate-")
        by_hand = yaml.safe_load((ROOT / "argo" / "campaign.yaml").read_text())["spec"]
        by_hand["arguments"]["parameters"] = [{"name": "campaign", "value": campaign}]
        assert cron["spec"]["workflowSpec"] == by_hand
        assert cron["spec"]["schedules"] == [schedules[campaign]["cron"]]
        assert cron["spec"].get("timezone") == schedules[campaign].get("timezone")
        assert cron["spec"]["concurrencyPolicy"] == "Forbid"
        assert cron["metadata"]["labels"]["workflows.argoproj.io/controller-instanceid"] == "ct"
        # Argo refuses longer names: it puts the time behind them.
        assert len(f"nameplate-{'x' * 40}") <= 52
    assert not [t for t in given({}) if t["kind"] == "CronWorkflow"]


@pytest.mark.skipif(shutil.which("argo") is None, reason="no argo program")
def test_argo_finds_nothing_to_complain_of_in_a_schedule(given: Any, tmp_path: Path) -> None:
    file = tmp_path / "objects.yaml"
    kinds = ("CronWorkflow", "WorkflowTemplate")
    found = [t for t in given({"schedules": {"demo": {"cron": "0 3 * * *"}}}) if t["kind"] in kinds]
    for thing in found:
        thing["metadata"]["namespace"] = "nameplate"
    file.write_text(yaml.safe_dump_all(found))
    ran = subprocess.run(
        ["argo", "lint", "--offline", "--strict", str(file)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_where_to_look_when_there_is_no_pod() -> None:
    ran = helm("install", "nameplate", str(CHART), "-n", "ct", "--dry-run=client")
    assert ran.returncode == 0, ran.stderr
    notes = ran.stdout.partition("NOTES:")[2]
    assert "kubectl get events -n ct" in notes


def test_the_image_runs_under_any_user() -> None:
    """Python's getpass, which PyTorch and MONAI ask, wants a name where /etc/passwd knows none."""
    last = (ROOT / "Dockerfile.base").read_text().replace("\\\n", " ").rpartition("\nFROM ")[2]
    (line,) = re.findall(r"^ENV (.*)$", last, re.MULTILINE)
    environment = dict(pair.split("=", 1) for pair in line.split())
    assert {"USER", "LOGNAME"} <= set(environment)
    assert environment["HOME"] == "/tmp", "where every user may write"
    code = "import os, getpass; os.getuid = lambda: 1000680000; print(getpass.getuser())"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.stdout.strip() == "nameplate", ran.stderr
    for file in (ROOT / "services").glob("*/Dockerfile"):
        text = file.read_text()
        assert not re.search(r"^ENV .*\b(HOME|USER|LOGNAME)=", text, re.MULTILINE), file
        assert "USER 10001:10001" in text, file


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_clean(example: Path) -> None:
    ran = helm("lint", "--strict", str(CHART), "-f", str(example))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    text = example.read_text()
    assert f"-f charts/nameplate/examples/{example.name}" in text, "how to install with it"
    assert (
        example.name
        in (ROOT / "docs" / "sites.md").read_text() + (ROOT / "docs" / "kubernetes.md").read_text()
    )
    for where, spec, _ in every_pod(rendered("-f", str(example))):
        assert [v for v in violations(spec) if not v.endswith(": runAsUser")] == [], where
