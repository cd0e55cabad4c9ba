"""Every object that the chart makes, with every example, keeps Kubernetes' own schema, with no field more."""

import json
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from chart import CHART, HELM, ROOT, every_pod, rendered

pytestmark = pytest.mark.skipif(HELM is None, reason="no helm program")

VERSIONS = ("1.27", "1.34")
"""The oldest that the chart takes, and the one that it was tried on."""
EXAMPLES = sorted((CHART / "examples").glob("*.yaml"))
Json = dict[str, Any]


@pytest.fixture(scope="module")
def objects() -> list[Json]:
    """Those of all renderings, each once, as many are in all of them; Argo's pods as pods."""
    found: dict[str, Json] = {}
    for values in [(), *(("-f", str(path)) for path in EXAMPLES)]:
        made = rendered(*values)
        pods = [pod for pod in (_pod(*each) for each in every_pod(made)) if pod is not None]
        found |= {json.dumps(thing, sort_keys=True): thing for thing in [*made, *pods]}
    return list(found.values())


def _pod(where: str, spec: Json, metadata: Json) -> Json | None:
    """A pod as Argo makes it of a template, without what Argo's own fields and parameters are in it."""
    if not where.startswith("WorkflowTemplate"):
        return None
    foreign = {"name", "inputs", "outputs", "metadata", "container", "podSpecPatch", "retryStrategy"}
    foreign |= {
        "synchronization",
        "activeDeadlineSeconds",
        "timeout",
        "metrics",
        "archiveLocation",
        "executor",
    }
    own = {key: value for key, value in spec.items() if key not in foreign}
    # Argo's init and wait have their image from Argo.
    containers = [{"image": "argoexec", **container} for container in own.pop("containers")]
    inits = [{"image": "argoexec", **container} for container in own.pop("initContainers", [])]
    spec = {**own, "containers": containers, "initContainers": inits}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {**metadata, "name": "a"}, "spec": spec}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_keeps_the_schema_of_kubernetes(objects: list[Json], version: str) -> None:
    kinds = set()
    for thing in objects:
        if "argoproj.io" in thing["apiVersion"]:
            continue  # `argo lint` looks at these
        kinds.add(thing["kind"])
        try:
            kubernetes_validate.validate(thing, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            where = f"{thing['kind']}/{thing['metadata']['name']}: {'.'.join(map(str, error.path))}"
            pytest.fail(f"{where}: {error.message}")
    assert {"Pod", "Job", "StatefulSet", "NetworkPolicy", "Role", "ServiceAccount", "ConfigMap"} <= kinds


@pytest.mark.parametrize("version", VERSIONS)
def test_so_are_the_files_for_people_without_helm(version: str) -> None:
    for file in sorted((ROOT / "k8s").glob("*.yaml")):
        for thing in yaml.safe_load_all(file.read_text()):
            if "argoproj.io" not in thing["apiVersion"]:
                kubernetes_validate.validate(thing, version, strict=True)


def test_a_field_that_kubernetes_does_not_know_is_seen() -> None:
    (setup,) = (thing for thing in rendered() if thing["kind"] == "Job")
    setup["spec"]["template"]["spec"]["nodeSelectr"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="nodeSelectr"):
        kubernetes_validate.validate(setup, VERSIONS[0], strict=True)


def test_the_oldest_version_is_that_of_the_chart() -> None:
    said = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    assert said == f">={VERSIONS[0]}.0-0"
    assert Path(ROOT, "docs/kubernetes.md").read_text().count(f"Kubernetes {VERSIONS[1]}")
