"""What the chart renders, and what in a pod the Pod Security level ``restricted`` forbids."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "charts" / "nameplate"
HELM = shutil.which("helm")


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert HELM is not None
    return subprocess.run([HELM, *arguments], capture_output=True, text=True, check=False, cwd=ROOT)


def rendered(*arguments: str) -> list[dict[str, Any]]:
    """The objects of the chart with these further arguments of `helm template`."""
    ran = helm("template", "nameplate", str(CHART), "-n", "nameplate", *arguments)
    assert ran.returncode == 0, ran.stderr
    return [document for document in yaml.safe_load_all(ran.stdout) if document]


def pod_specs(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    """Name, spec and labels of every pod that the objects make themselves; Argo's are not among them."""
    for thing in objects:
        where = f"{thing['kind']}/{thing['metadata']['name']}"
        if thing["kind"] == "Pod":
            yield where, thing["spec"], thing["metadata"]["labels"]
        elif thing["kind"] in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"):
            template = thing["spec"]["template"]
            yield where, template["spec"], template["metadata"]["labels"]
        elif thing["kind"] == "CronJob":
            template = thing["spec"]["jobTemplate"]["spec"]["template"]
            yield where, template["spec"], template["metadata"]["labels"]


def every_pod(objects: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Name, spec and metadata of every pod, Argo's too as Argo makes them of a template and its patch."""
    for thing in objects:
        where = f"{thing['kind']}/{thing['metadata']['name']}"
        if thing["kind"] == "Pod":
            yield where, thing["spec"], thing["metadata"]
        elif thing["kind"] in ("Deployment", "StatefulSet", "Job"):
            template = thing["spec"]["template"]
            yield where, template["spec"], template["metadata"]
        elif thing["kind"] == "WorkflowTemplate":
            for template in thing["spec"]["templates"]:
                if "container" in template:
                    patch = json.loads(template["podSpecPatch"])
                    containers = [{"name": "main", **template["container"]}, *patch["containers"]]
                    spec = {**template, **patch, "containers": containers}
                    yield f"{where}/{template['name']}", spec, template["metadata"]


def violations(spec: dict[str, Any]) -> list[str]:
    """What in a pod the Pod Security level `restricted` forbids, and a root that can be written to."""
    found = [key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key)]
    allowed = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"}
    allowed |= {"projected", "secret"}
    for volume in spec.get("volumes", []):
        found += [f"volume {kind}" for kind in volume if kind != "name" and kind not in allowed]
    pod = spec.get("securityContext", {})
    containers = [
        *spec["containers"],
        *spec.get("initContainers", []),
        *spec.get("ephemeralContainers", []),
    ]
    for container in containers:
        own = container.get("securityContext", {})
        both = {**pod, **own}
        wrong = {
            "runAsNonRoot": both.get("runAsNonRoot") is not True,
            "runAsUser": both.get("runAsUser") in (0, None),
            "seccompProfile": both.get("seccompProfile", {}).get("type")
            not in ("RuntimeDefault", "Localhost"),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is not False,
            "privileged": bool(own.get("privileged")),
            "capabilities": own.get("capabilities") != {"drop": ["ALL"]},
            "procMount": own.get("procMount", "Default") != "Default",
            "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is not True,
            "hostPort": any(port.get("hostPort") for port in container.get("ports", [])),
        }
        found += [f"{container['name']}: {name}" for name, is_wrong in wrong.items() if is_wrong]
    return found
