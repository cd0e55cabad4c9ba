"""The chart: what it renders is what k8s/ holds, keeps `restricted`, and opens no more than is used."""

import filecmp
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from chart import CHART, HELM, ROOT, every_pod, helm, pod_specs, rendered, violations

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

PRIVATE = [
    {"ipBlock": {"cidr": cidr}}
    for cidr in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
]
"""Where a rendering supposes the API server, which it cannot ask."""

OTHER_S3 = ("--set", "objectStore.endpoint=https://s3.example.org,objectStore.existingSecret=site-account")


def refusal(*settings: str) -> str:
    ran = helm("template", "nameplate", str(CHART), *(f"--set={setting}" for setting in settings))
    assert ran.returncode != 0, settings
    return ran.stderr


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return rendered()


def of_kind(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] == kind}


def test_lint() -> None:
    ran = helm("lint", "--strict", str(CHART))
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_is_made_from_other_files_is_up_to_date(tmp_path: Path) -> None:
    assert HELM is not None
    path = f"{Path(HELM).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        [sys.executable, ROOT / "scripts" / "render", tmp_path],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    fresh = {path.relative_to(tmp_path): path.read_text() for path in tmp_path.rglob("*") if path.is_file()}
    for path, text in fresh.items():
        assert (ROOT / path).read_text() == text, f"{path}: run `make render`"
    for folder in ("k8s", "charts/nameplate/campaigns"):
        kept = {path.relative_to(ROOT) for path in (ROOT / folder).glob("*.yaml")}
        assert kept <= set(fresh), "run `make render`"


def test_k8s_lies_in_its_namespace() -> None:
    for file in (ROOT / "k8s").glob("*.yaml"):
        for thing in yaml.safe_load_all(file.read_text()):
            if thing["kind"] == "Namespace":
                assert thing["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
            else:
                assert thing["metadata"].get("namespace") == "nameplate", (file.name, thing["metadata"])


def test_the_chart_has_the_campaigns(objects: list[dict[str, Any]]) -> None:
    names = sorted(file.name for file in (ROOT / "campaigns").glob("*.yaml"))
    assert sorted(file.name for file in (CHART / "campaigns").iterdir()) == names
    _, different, absent = filecmp.cmpfiles(ROOT / "campaigns", CHART / "campaigns", names, shallow=False)
    assert not different + absent, "run `make render`"
    held = of_kind(objects, "ConfigMap")["nameplate-campaigns"]["data"]
    assert held == {name: (ROOT / "campaigns" / name).read_text() for name in names}


def test_campaigns_of_the_values_come_beside_them(tmp_path: Path) -> None:
    text = "\n  # starts anywhere, {{ is not Helm's }}\nname: mine\n"
    (tmp_path / "mine.yaml").write_text(text)
    files = [f"--set-file=campaigns.{name}={tmp_path / 'mine.yaml'}" for name in ("mine", "demo")]
    held = of_kind(rendered(*files), "ConfigMap")["nameplate-campaigns"]["data"]
    assert sorted(held) == ["demo.yaml", "mine.yaml", "paper.yaml"]
    assert held["mine.yaml"] == held["demo.yaml"] == text


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("minio.enabled=perhaps", "at '/minio/enabled': got string, want boolean"),
        ("minio.enabld=true", "at '/minio/enabld': value must be 'did you mean enabled?'"),
        ("minio.colour=red", "at '/minio': additional properties 'colour' not allowed"),
        ("minio.size=large", "at '/minio/size': 'large' does not match"),
        ("objectStore.bucket=My_Bucket", "at '/objectStore/bucket': 'My_Bucket' does not match"),
        ("objectStore.endpoint=minio:9000", "at '/objectStore/endpoint': 'minio:9000' does not match"),
        ("image.tags.trainning=1", "at '/image/tags/trainning': value must be 'did you mean training?'"),
        ("networkPolicy.apiServer.ports={0}", "at '/networkPolicy/apiServer/ports/0': minimum"),
        ("campaigns.Not_A_Name=x", "at '/campaigns': additional properties 'Not_A_Name' not allowed"),
        ("minio.enabled=false", "objectStore.endpoint: expected the URL of an S3 service"),
        ("objectStore.endpoint=https://s3.example.org", "objectStore.existingSecret: expected the name"),
        ("resourceQuota.enabled=true", "resourceQuota.hard: expected at least one amount"),
        ("people.viewrs.users={a}", "at '/people/viewrs': value must be 'did you mean viewers?'"),
        ("people.admins.users={a}", "at '/people': additional properties 'admins' not allowed"),
        (
            "objectStore.endpoint=https://g/../s3",
            "at '/objectStore/endpoint': 'https://g/../s3' does not match",
        ),
        (
            "objectStore.encryption=AES256",
            "objectStore.encryption: expected none, got AES256: the",
        ),
        ("objectStore.encryption=aes", "at '/objectStore/encryption': value must be one of 'none', 'AES256'"),
        ("objectStore.kmsKey=k", "objectStore.kmsKey: expected objectStore.encryption to be aws:kms"),
        ("schedules.demo.cron=0 3 * *", "at '/schedules/demo/cron': '0 3 * *' does not match"),
        ("schedules.demo.timezone=UTC", "at '/schedules/demo': missing property 'cron'"),
        ("schedules.Demo.cron=@daily", "at '/schedules': additional properties 'Demo' not allowed"),
    ],
)
def test_a_wrong_value_is_named(setting: str, said: str) -> None:
    assert said in refusal(setting)


def test_every_value_has_a_schema() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def walk(part: Any, known: dict[str, Any], path: str) -> None:
        if "$ref" in known:
            known = schema["definitions"][known["$ref"].rpartition("/")[2]]
        if not isinstance(part, dict) or "properties" not in known:
            return
        assert known.get("additionalProperties") is False, path
        assert set(part) <= set(known["properties"]), path
        for name, value in part.items():
            walk(value, known["properties"][name], f"{path}.{name}")

    walk(values, schema, "values")


@pytest.mark.parametrize("arguments", [(), OTHER_S3], ids=["own MinIO", "another S3"])
def test_every_pod_is_restricted(arguments: tuple[str, ...]) -> None:
    pods = list(pod_specs(rendered(*arguments)))
    assert len(pods) == (2 if arguments else 3)
    for where, spec, labels in pods:
        assert not violations(spec), where
        assert labels["app.kubernetes.io/part-of"] == "nameplate", where  # what the policies select
        for container in spec["containers"]:
            assert container["resources"]["requests"], where
            assert container["resources"]["limits"]["memory"], where


def test_only_setup_holds_a_token(objects: list[dict[str, Any]]) -> None:
    holders = [where for where, spec, _ in pod_specs(objects) if spec["automountServiceAccountToken"]]
    assert [where.partition("-setup")[0] for where in holders] == ["Job/nameplate"]
    for account in of_kind(objects, "ServiceAccount").values():
        assert account["automountServiceAccountToken"] is False


def test_violations_are_seen() -> None:
    assert violations({"containers": [{"name": "a"}]}) == [
        "a: runAsNonRoot",
        "a: runAsUser",
        "a: seccompProfile",
        "a: allowPrivilegeEscalation",
        "a: capabilities",
        "a: readOnlyRootFilesystem",
    ]
    volumes = [{"name": "v", "hostPath": {"path": "/"}}]
    assert violations({"hostNetwork": True, "volumes": volumes, "containers": []}) == [
        "hostNetwork",
        "volume hostPath",
    ]


@pytest.mark.parametrize("arguments", [(), OTHER_S3], ids=["own MinIO", "another S3"])
def test_no_secret_is_rendered(arguments: tuple[str, ...]) -> None:
    secrets = of_kind(rendered(*arguments), "Secret")
    assert list(secrets) == ["nameplate-executor.service-account-token"]
    (token,) = secrets.values()
    assert token["type"] == "kubernetes.io/service-account-token"
    assert not {"data", "stringData"} & set(token)


def test_no_variable_is_there_twice(objects: list[dict[str, Any]]) -> None:
    for where, spec, _ in pod_specs(objects):
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            names = [variable["name"] for variable in container.get("env", [])]
            assert len(names) == len(set(names)), where


def test_no_key_is_there_twice() -> None:
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader: Any, node: Any) -> dict[str, Any]:
        keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), (keys, str(node.start_mark))
        return dict(loader.construct_pairs(node, deep=True))

    Strict.add_constructor("tag:yaml.org,2002:map", mapping)
    for arguments in ((), OTHER_S3):
        ran = helm("template", "nameplate", str(CHART), *arguments)
        assert list(yaml.load_all(ran.stdout, Strict))


def test_rights(objects: list[dict[str, Any]]) -> None:
    roles = {name: role["rules"] for name, role in of_kind(objects, "Role").items()}
    assert roles["nameplate-executor"] == [
        {"apiGroups": ["argoproj.io"], "resources": ["workflowtaskresults"], "verbs": ["create", "patch"]}
    ]
    assert roles["nameplate-setup"] == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": ["nameplate-store", "nameplate-patient-key", "nameplate-minio"],
            "verbs": ["get"],
        },
    ]
    granted = {
        (resource, verb)
        for rule in roles["nameplate-submitter"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert not {resource for resource, _ in granted} & {"secrets", "pods/exec", "*"}
    assert {resource for resource, verb in granted if verb not in ("get", "list", "watch")} == {"workflows"}
    assert not of_kind(objects, "ClusterRole")
    bound = {
        (subject["name"], binding["roleRef"]["name"])
        for binding in of_kind(objects, "RoleBinding").values()
        for subject in binding["subjects"]
    }
    assert bound == {(f"nameplate-{name}",) * 2 for name in ("executor", "submitter", "setup")}


def test_viewers_change_nothing(objects: list[dict[str, Any]]) -> None:
    rules = of_kind(objects, "Role")["nameplate-viewer"]["rules"]
    assert {verb for rule in rules for verb in rule["verbs"]} == {"get", "list", "watch"}
    seen = {resource for rule in rules for resource in rule["resources"]}
    assert seen == {"workflows", "workflowtemplates", "pods", "pods/log"}


@pytest.mark.parametrize("who", ["{}", '{"users":[]}', '{"users":[],"groups":[]}'])
def test_a_role_for_nobody_is_named(who: str) -> None:
    ran = helm("template", "nameplate", str(CHART), "--set-json", f"people.viewers={who}")
    assert "people.viewers: a role for nobody; expected names in users or groups" in ran.stderr


def test_people_have_the_roles_of_the_values() -> None:
    objects = rendered("--set", "people.submitters.users={anna,ben},people.viewers.groups={radiology}")
    found = {
        (binding["roleRef"]["name"], subject["kind"], subject["name"])
        for binding in of_kind(objects, "RoleBinding").values()
        for subject in binding["subjects"]
        if subject["kind"] != "ServiceAccount"
    }
    assert found == {
        ("nameplate-submitter", "User", "anna"),
        ("nameplate-submitter", "User", "ben"),
        ("nameplate-viewer", "Group", "radiology"),
    }
    assert {binding["roleRef"]["name"] for binding in of_kind(objects, "RoleBinding").values()} <= set(
        of_kind(objects, "Role")
    )


DNS = {"ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]}
CLIENTS = {"app.kubernetes.io/part-of": "nameplate", "nameplate.dev/needs": "store"}
MINIO = {
    "app.kubernetes.io/name": "nameplate",
    "app.kubernetes.io/component": "minio",
    "app.kubernetes.io/part-of": "nameplate",
}


def peers(*cidrs: str) -> list[dict[str, Any]]:
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def store_number(objects: list[dict[str, Any]]) -> str:
    """The store's number, on which all pods that use it agree."""
    found = {metadata["labels"].get("nameplate.dev/store") for _, _, metadata in every_pod(objects)} - {None}
    (number,) = found
    return str(number)


def tcp(*ports: int) -> list[dict[str, Any]]:
    return [{"protocol": "TCP", "port": port} for port in ports]


def test_policies_of_the_default(objects: list[dict[str, Any]]) -> None:
    policies = {name: policy["spec"] for name, policy in of_kind(objects, "NetworkPolicy").items()}
    number = store_number(objects)
    assert policies == {
        "nameplate-default-deny": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "nameplate"}},
            "policyTypes": ["Ingress", "Egress"],
        },
        "nameplate-store-clients": {
            "podSelector": {"matchLabels": CLIENTS},
            "policyTypes": ["Egress"],
            "egress": [DNS, {"to": PRIVATE, "ports": tcp(443, 6443)}],
        },
        f"nameplate-store-{number}": {
            "podSelector": {"matchLabels": {**CLIENTS, "nameplate.dev/store": number}},
            "policyTypes": ["Egress"],
            "egress": [{"to": [{"podSelector": {"matchLabels": MINIO}}], "ports": tcp(9000)}],
        },
        "nameplate-minio": {
            "podSelector": {"matchLabels": MINIO},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [{"podSelector": {"matchLabels": CLIENTS}}], "ports": tcp(9000)}],
        },
    }


@pytest.mark.parametrize(
    ("settings", "store", "api"),
    [
        (
            "",
            {"to": peers("0.0.0.0/0", "::/0"), "ports": tcp(443)},
            {"to": PRIVATE, "ports": tcp(443, 6443)},
        ),
        (
            "objectStore.endpoint=http://s3:7070/,objectStore.cidrs={10.1.0.0/16,10.2.0.0/16}",
            {"to": peers("10.1.0.0/16", "10.2.0.0/16"), "ports": tcp(7070)},
            {"to": PRIVATE, "ports": tcp(443, 6443)},
        ),
        (
            "objectStore.endpoint=http://s3,objectStore.peers[0].podSelector.matchLabels.app=rgw,"
            "networkPolicy.apiServer.cidrs={10.0.0.1/32},networkPolicy.apiServer.ports={6443}",
            {"to": [{"podSelector": {"matchLabels": {"app": "rgw"}}}], "ports": tcp(80)},
            {"to": peers("10.0.0.1/32"), "ports": tcp(6443)},
        ),
        (
            "objectStore.port=8333",
            {"to": peers("0.0.0.0/0", "::/0"), "ports": tcp(8333)},
            {"to": PRIVATE, "ports": tcp(443, 6443)},
        ),
    ],
)
def test_policies_of_another_s3(settings: str, store: dict[str, Any], api: dict[str, Any]) -> None:
    objects = rendered(*OTHER_S3, *(["--set", settings] if settings else []))
    policies = of_kind(objects, "NetworkPolicy")
    own = f"nameplate-store-{store_number(objects)}"
    assert set(policies) == {"nameplate-default-deny", "nameplate-store-clients", own}
    assert policies["nameplate-store-clients"]["spec"]["egress"] == [DNS, api]
    assert policies[own]["spec"]["egress"] == [store]


def test_the_way_to_a_store_outlives_an_upgrade_to_another() -> None:
    """Pods of a campaign that began before have the label that the older policy, which is kept, selects."""
    numbers = set()
    for settings in ((), OTHER_S3, (*OTHER_S3, "--set", "objectStore.port=8333")):
        objects = rendered(*settings)
        policy = of_kind(objects, "NetworkPolicy")[f"nameplate-store-{store_number(objects)}"]
        assert policy["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
        numbers.add(store_number(objects))
    assert len(numbers) == 3
    bucket = rendered("--set", "objectStore.bucket=other")
    assert store_number(bucket) == store_number(rendered())


def test_a_running_campaign_keeps_its_store() -> None:
    """Argo keeps a running workflow's templates, and nothing in them points at where the store is now."""
    objects = rendered("--set", "objectStore.bucket=mine,objectStore.prefix=team/ct")
    settings = of_kind(objects, "ConfigMap")["nameplate-store"]["data"]
    seen = 0
    for name, found in of_kind(objects, "WorkflowTemplate").items():
        for template in found["spec"]["templates"]:
            if "container" in template:
                seen += 1
                own = {row["name"]: row.get("value") for row in template["container"]["env"]}
                assert settings.items() <= own.items(), name
                assert template["container"]["envFrom"] == [{"secretRef": {"name": "nameplate-store"}}], name
    assert seen == 16  # fourteen steps, the plan, the export


def test_another_s3_brings_no_minio() -> None:
    objects = rendered(*OTHER_S3)
    assert not of_kind(objects, "StatefulSet")
    assert not of_kind(objects, "Service")
    assert "nameplate-minio" not in of_kind(objects, "ServiceAccount")
    assert of_kind(objects, "ConfigMap")["nameplate-store"]["data"] == {
        "AWS_ENDPOINT_URL": "https://s3.example.org",
        "AWS_REGION": "us-east-1",
        "NAMEPLATE_BUCKET": "nameplate",
        "NAMEPLATE_PREFIX": "",
    }
    (job,) = of_kind(objects, "Job").values()
    arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    assert arguments == [
        "--store-secret=site-account",
        "--key-secret=nameplate-patient-key",
        "--given=site-account",
        "--store-timeout=300",
    ]
    rules = of_kind(objects, "Role")["nameplate-setup"]["rules"]
    assert rules[1]["resourceNames"] == ["site-account", "nameplate-patient-key"]


def test_an_authority_of_the_sites_own_reaches_every_pod_of_the_store() -> None:
    """Argo's templates too: whoever gets the address of the store gets the authority that it trusts."""
    given = [*OTHER_S3, "--set", "objectStore.authority=site-ca"]
    objects = rendered(*given)
    file = of_kind(objects, "ConfigMap")["nameplate-store"]["data"]["SSL_CERT_FILE"]
    specs = {name: spec for name, spec, _ in pod_specs(objects)}
    for name, found in of_kind(objects, "WorkflowTemplate").items():
        for template in found["spec"]["templates"]:
            if "container" in template:
                specs[f"{name}/{template['name']}"] = {**template, "containers": [template["container"]]}
    clients = 0
    for where, spec in specs.items():
        for container in spec["containers"]:
            own = [row for row in container.get("env", []) if row["name"] == "SSL_CERT_FILE"]
            if own or {"configMapRef": {"name": "nameplate-store"}} in container.get("envFrom", []):
                clients += 1
                mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
                assert f"{mounts['authority']}/ca.crt" == file, where
                assert {"name": "authority", "configMap": {"name": "site-ca"}} in spec["volumes"], where
    assert clients >= 14  # ten steps, the plan, the export, setup, `helm test`


def test_the_setup_job_is_named_by_what_it_does() -> None:
    def name(*settings: str) -> str:
        (found,) = of_kind(rendered(*(f"--set={setting}" for setting in settings)), "Job")
        return found

    assert name() == name("campaigns.mine=x", "minio.size=5Gi", "networkPolicy.enabled=false")
    others = [
        "objectStore.bucket=other",
        "objectStore.region=eu-1",
        "image.tag=0.2.0",
        "patientKey.existingSecret=k",
        "objectStore.authority=site-ca",
    ]
    assert len({name(), *map(name, others)}) == 1 + len(others)


def test_selectors_and_claims_never_change(objects: list[dict[str, Any]]) -> None:
    """They are immutable: a version or the name of a release in them would break every upgrade."""
    (minio,) = of_kind(objects, "StatefulSet").values()
    assert minio["spec"]["selector"] == {"matchLabels": MINIO}
    assert minio["spec"]["template"]["metadata"]["labels"] == MINIO
    assert minio["spec"]["volumeClaimTemplates"][0]["metadata"]["labels"] == MINIO
    assert minio["spec"]["persistentVolumeClaimRetentionPolicy"]["whenDeleted"] == "Retain"
    assert of_kind(objects, "Service")["nameplate-minio"]["spec"]["selector"] == MINIO


def test_labels(objects: list[dict[str, Any]]) -> None:
    wanted = {"name", "instance", "version", "component", "part-of", "managed-by"}
    for thing in objects:
        labels = thing["metadata"]["labels"]
        missing = {f"app.kubernetes.io/{name}" for name in wanted} - set(labels)
        assert not missing, (thing["kind"], thing["metadata"]["name"], missing)


def test_images_of_a_registry() -> None:
    tags = "image.tag=1.2,image.tags.cluster=1.2-rc"
    objects = rendered("--set", f"image.registry=registry.example.org/ct,{tags},image.pullSecrets={{site}}")
    (job,) = of_kind(objects, "Job").values()
    image = job["spec"]["template"]["spec"]["containers"][0]["image"]
    assert image == "registry.example.org/ct/nameplate/cluster:1.2-rc"
    accounts = of_kind(objects, "ServiceAccount")
    for name in ("nameplate-runner", "nameplate-setup", "nameplate-minio"):
        assert accounts[name]["imagePullSecrets"] == [{"name": "site"}]


def test_quota_and_limits_are_there_when_asked_for(objects: list[dict[str, Any]]) -> None:
    assert not of_kind(objects, "ResourceQuota")
    assert not of_kind(objects, "LimitRange")
    on = rendered(
        "--set",
        r"resourceQuota.enabled=true,resourceQuota.hard.requests\.nvidia\.com/gpu=4,limitRange.enabled=true",
    )
    assert of_kind(on, "ResourceQuota")["nameplate"]["spec"] == {"hard": {"requests.nvidia.com/gpu": "4"}}
    assert of_kind(on, "LimitRange")["nameplate"]["spec"]["limits"][0]["type"] == "Container"
