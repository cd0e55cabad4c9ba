"""Models of the site's own in the chart: pods that keep `restricted`, have no account, and reach nobody."""

from typing import Any

import pytest
from chart import HELM, helm, pod_specs, rendered, violations

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

SETS = (
    "models.acme.image=registry.example.org/acme/bleed:2.1",
    "models.acme.replicas=2",
    "models.acme.gpu.resource=nvidia.com/gpu",
    "models.acme.gpu.count=1",
    "models.acme.resources.limits.memory=8Gi",
    "models.acme.nodeSelector.card=h100",
    "models.idle.image=idle",
    "models.idle.replicas=0",
    "pods.tolerations[0].key=site",
    "image.pullSecrets={ours}",
)


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return rendered(*(part for value in SETS for part in ("--set", value)))


def _named(objects: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {thing["metadata"]["name"]: thing for thing in objects if thing["kind"] == kind}


def test_each_has_pods_of_its_own(objects: list[dict[str, Any]]) -> None:
    deployments = _named(objects, "Deployment")
    assert {name: one["spec"]["replicas"] for name, one in deployments.items()} == {
        "nameplate-model-acme": 2,
        "nameplate-model-idle": 0,
    }
    spec = deployments["nameplate-model-acme"]["spec"]["template"]["spec"]
    model, attendant = spec["containers"]
    assert model["image"] == "registry.example.org/acme/bleed:2.1"
    assert model["resources"]["limits"] == {"memory": "8Gi", "nvidia.com/gpu": 1}
    assert "nvidia.com/gpu" not in attendant["resources"]["limits"]
    assert attendant["image"] == "nameplate/challenge:0.1.0"
    assert spec["nodeSelector"] == {"kubernetes.io/os": "linux", "card": "h100"}
    assert [one["key"] for one in spec["tolerations"]] == ["site"]
    service = _named(objects, "Service")["nameplate-model-acme"]["spec"]
    labels = deployments["nameplate-model-acme"]["spec"]["template"]["metadata"]["labels"]
    assert service["selector"].items() <= labels.items()


def test_they_have_no_account_of_anything(objects: list[dict[str, Any]]) -> None:
    found = 0
    for where, spec, _ in pod_specs(objects):
        if not where.startswith("Deployment/nameplate-model-"):
            continue
        found += 1
        assert not violations(spec)
        assert spec["automountServiceAccountToken"] is False
        assert spec["serviceAccountName"] == "nameplate-model"
        for container in spec["containers"]:
            assert "envFrom" not in container
            assert "env" not in container
        assert not any(
            key in volume for volume in spec["volumes"] for key in ("secret", "hostPath", "projected")
        )
    assert found == 2
    account = _named(objects, "ServiceAccount")["nameplate-model"]
    assert account["imagePullSecrets"] == [{"name": "ours"}]
    bound = [
        subject for one in _named(objects, "RoleBinding").values() for subject in one.get("subjects", [])
    ]
    assert not any(subject["name"] == "nameplate-model" for subject in bound)


def test_nothing_opens_a_way_out_for_them(objects: list[dict[str, Any]]) -> None:
    labels = _named(objects, "Deployment")["nameplate-model-acme"]["spec"]["template"]["metadata"]["labels"]
    selecting = {
        name: policy["spec"]
        for name, policy in _named(objects, "NetworkPolicy").items()
        if policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()
    }
    assert set(selecting) == {"nameplate-default-deny", "nameplate-models"}
    assert not any(policy.get("egress") for policy in selecting.values())
    assert "Egress" in selecting["nameplate-default-deny"]["policyTypes"]
    (way,) = selecting["nameplate-models"]["ingress"]
    (peer,) = way["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "challenge"
    assert way["ports"] == [{"protocol": "TCP", "port": 8100}]


def test_commands_of_a_campaign_run_in_no_other_pod(objects: list[dict[str, Any]]) -> None:
    """The pods of the step hold the store's account: there a campaign's command must not run."""
    templates = _named(objects, "WorkflowTemplate")
    for thing in (
        templates["nameplate-challenge"],
        _named(rendered(), "WorkflowTemplate")["nameplate-challenge"],
    ):
        (template,) = thing["spec"]["templates"]
        env = {one["name"]: one.get("value") for one in template["container"]["env"]}
        assert env["NAMEPLATE_MODELS"] == "http://nameplate-model-{model}:8100"
    (plan,) = templates["nameplate-plan"]["spec"]["templates"]
    env = {one["name"]: one.get("value") for one in plan["container"]["env"]}
    assert env["NAMEPLATE_MODEL_NAMES"] == "acme idle"


def test_no_model_no_objects() -> None:
    objects = rendered()
    assert not _named(objects, "Deployment")
    assert "nameplate-model" not in _named(objects, "ServiceAccount")
    assert not {"nameplate-models", "nameplate-challenge"} & set(_named(objects, "NetworkPolicy"))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("models.acme.replicas=1", "image"),
        ("models.Acme.image=x", "Acme"),
        ("models.acme.imagge=x", "did you mean image?"),
        ("models.acme.gpu.count=1", "resource"),
    ],
)
def test_values_that_make_no_sense(value: str, said: str) -> None:
    ran = helm("template", "nameplate", "charts/nameplate", "--set", value)
    assert ran.returncode != 0
    assert said in ran.stderr
