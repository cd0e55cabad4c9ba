"""An installation on a real cluster, for the scripts beside this file: kubectl, helm, its store, its runs.

Whatever KUBECONFIG names is used; images must be there already (``make e2e`` builds and loads them).
"""

import base64
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nameplate.store.s3 import S3Store

ROOT = Path(__file__).parents[2]
Json = dict[str, Any]


def say(text: str) -> None:
    """A line with the time of day."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def call(*command: str, check: bool = True, stdin: str | None = None, timeout: float = 900) -> str:
    """Run a program; returns what it printed, raises with its errors when it fails."""
    ran = subprocess.run(
        command, input=stdin, capture_output=True, text=True, timeout=timeout, check=False, cwd=ROOT
    )
    if check and ran.returncode != 0:
        raise RuntimeError(f"{' '.join(command[:6])}: exit {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def until(seconds: float, what: str, condition: Callable[[], Any], pause: float = 1.0) -> Any:
    """Wait for a condition to be true; returns what it gave, raises when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for: {what}")
        time.sleep(pause)


class Site:
    """One namespace with nameplate in it."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace

    def kubectl(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """kubectl in the namespace."""
        return call("kubectl", "-n", self.namespace, *arguments, check=check, stdin=stdin)

    def get(self, *arguments: str) -> Json:
        """An object or a list as JSON."""
        found: Json = json.loads(self.kubectl("get", *arguments, "-o", "json"))
        return found

    # --- installation

    def install(self, *values: str, create: bool = True) -> None:
        """The chart with its defaults and these ``--set`` values, in a restricted namespace of its own."""
        if create:
            self.create()
        sets = [part for value in values for part in ("--set", value)]
        call(
            "helm", "upgrade", "--install", "nameplate", "charts/nameplate", "-n", self.namespace,
            "--wait", "--wait-for-jobs", "--timeout", "10m", "--reset-values", *sets,
        )  # fmt: skip

    def create(self) -> None:
        """The namespace, restricted."""
        call("kubectl", "create", "namespace", self.namespace)
        self.restrict()

    def dry_run(self, values: Path | None) -> None:
        """What the API server says to the chart with these values; raises where it refuses or warns."""
        given = ["-f", str(values)] if values else []
        # The pod of `helm test` is left out: its ServiceAccount is not there before the installation.
        template = ["helm", "template", "nameplate", "charts/nameplate", "-n", self.namespace, "--no-hooks"]
        objects = call(*template, *given)
        command = [
            "kubectl",
            "apply",
            "-n",
            self.namespace,
            "--dry-run=server",
            "--validate=strict",
            "-f",
            "-",
        ]
        ran = subprocess.run(command, input=objects, capture_output=True, text=True, timeout=120, check=False)
        if ran.returncode or ran.stderr:
            raise RuntimeError(f"{values.name if values else 'defaults'}: {ran.stderr}")

    def restrict(self) -> None:
        """Hold every pod of the namespace to the Pod Security level restricted."""
        level = "pod-security.kubernetes.io/enforce=restricted"
        call("kubectl", "label", "--overwrite", "namespace", self.namespace, level)

    @contextmanager
    def visited(self, *, keep: bool) -> Iterator[Path]:
        """A folder for a script's files; at the end nothing is left of it and, but for ``keep``, of the site.

        Raises RuntimeError for what an uninstallation leaves behind.
        """
        folder = Path(tempfile.mkdtemp(prefix="nameplate-e2e-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            if not keep:
                say("uninstall")
                self.remove()
        if not keep and (left := self.leftovers()):
            raise RuntimeError(f"left behind: {left}")

    def remove(self) -> None:
        """Uninstall, delete the namespace, and free the volumes that it had claimed."""
        call("helm", "uninstall", "nameplate", "-n", self.namespace, "--wait", check=False)
        call("kubectl", "delete", "namespace", self.namespace, "--wait", "--timeout=180s", check=False)
        for volume in json.loads(call("kubectl", "get", "pv", "-o", "json"))["items"]:
            claim = volume["spec"].get("claimRef") or {}
            if claim.get("namespace") != self.namespace:
                continue
            if path := (volume["spec"].get("hostPath") or {}).get("path"):
                # Volumes that somebody made by hand and that nobody else empties.
                for entry in Path(path).glob("*"):
                    shutil.rmtree(entry, ignore_errors=True)
            patch = '[{"op":"remove","path":"/spec/claimRef"}]'
            call("kubectl", "patch", "pv", volume["metadata"]["name"], "--type=json", "-p", patch)

    def leftovers(self) -> list[str]:
        """What is still there after ``remove``."""
        names = call("kubectl", "get", "namespace", "-o", "name").split()
        left = [name for name in names if name == f"namespace/{self.namespace}"]
        kinds = "clusterroles,clusterrolebindings,pv,crd,validatingwebhookconfigurations"
        for item in json.loads(call("kubectl", "get", kinds, "-o", "json"))["items"]:
            claim = (item.get("spec") or {}).get("claimRef") or {}
            labels = item["metadata"].get("labels") or {}
            part = labels.get("app.kubernetes.io/part-of")
            if claim.get("namespace") == self.namespace or part == "nameplate":
                left.append(f"{item['kind']}/{item['metadata']['name']}")
        return left

    # --- the object store

    @contextmanager
    def store(self, campaign: str, *, bucket: str = "nameplate") -> Iterator[S3Store]:
        """The campaign's store, through a port-forward to the chart's MinIO."""
        process = subprocess.Popen(
            ["kubectl", "-n", self.namespace, "port-forward", "svc/nameplate-minio", ":9000"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            match = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
            if match is None:
                raise RuntimeError("no port-forward to the object store")
            secret = self.get("secret", "nameplate-store")["data"]
            account = {key: base64.b64decode(value).decode() for key, value in secret.items()}
            os.environ.update(account, AWS_ENDPOINT_URL=f"http://127.0.0.1:{match[1]}")
            yield S3Store.from_environment(f"s3://{bucket}/{campaign}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    # --- runs

    def submit(self, campaign: str, *, text: str = "", only: str = "") -> str:
        """Make a Workflow of the campaign's template; returns its name."""
        manifest = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Workflow",
            "metadata": {"generateName": f"nameplate-{campaign}-"},
            "spec": {
                "workflowTemplateRef": {"name": "nameplate-campaign"},
                "arguments": {
                    "parameters": [
                        {"name": "campaign", "value": campaign},
                        {"name": "file", "value": text},
                        {"name": "only", "value": only},
                    ]
                },
            },
        }
        made = self.kubectl("create", "-f", "-", "-o", "name", stdin=json.dumps(manifest))
        return made.strip().partition("/")[2]

    def phase(self, workflow: str) -> str:
        """Pending, Running, Succeeded, Failed or Error."""
        return self.kubectl("get", "workflow", workflow, "-o", "jsonpath={.status.phase}") or "Pending"

    def finish(self, workflow: str, seconds: float = 1200, *, wanted: str = "Succeeded") -> Json:
        """Wait for the end; returns the workflow, raises when it ends otherwise than wanted."""
        until(seconds, f"the end of {workflow}", lambda: self.phase(workflow) not in ("Pending", "Running"))
        found = self.get("workflow", workflow)
        if found["status"]["phase"] != wanted:
            failed = [
                f"{node['displayName']}: {node.get('message', '')}"
                for node in nodes_of(found)
                if node.get("phase") in ("Failed", "Error")
            ]
            raise RuntimeError(f"{workflow}: {found['status']['phase']}, not {wanted}: {'; '.join(failed)}")
        return found

    def pods(self, workflow: str, component: str, phase: str | None = None) -> list[Json]:
        """The pods of a step of a workflow."""
        selector = f"workflows.argoproj.io/workflow={workflow},app.kubernetes.io/component={component}"
        pods: list[Json] = self.get("pods", "-l", selector)["items"]
        return [pod for pod in pods if phase is None or pod["status"]["phase"] == phase]

    def log(self, pod: str) -> str:
        """What a pod's own container has printed so far."""
        return self.kubectl("logs", pod, "-c", "main", check=False)


def nodes_of(workflow: Json) -> list[Json]:
    """The nodes of a workflow."""
    from nameplate_cluster.workflow import nodes_of as by_id

    return list(by_id(workflow).values())


def node_address() -> str:
    """Where pods reach this machine: the address of its node."""
    nodes = json.loads(call("kubectl", "get", "nodes", "-o", "json"))["items"]
    return str(next(row["address"] for row in nodes[0]["status"]["addresses"] if row["type"] == "InternalIP"))


OF_THE_MACHINE = {
    "report/provenance.json",
    "report/index.html",
    "report/ro-crate-metadata.json",  # names the versions and the digests of the two above
    "jobs/report.json",
}
"""What names the machine and not the result: the report lists the versions of what made it."""


def fingerprint(store: S3Store, *, folders: Sequence[str] = ("",)) -> dict[str, str]:
    """SHA-256 of every object that counts, by key; work in progress does not."""
    keys = [
        key
        for folder in folders
        for key in store.sizes(folder)
        if not key.startswith(("work/", "logs/", "helm-test/"))
    ]
    return {key: hashlib.sha256(store.get(key)).hexdigest() for key in keys}


def differences(one: dict[str, str], other: dict[str, str]) -> list[str]:
    """Keys that differ or are on one side only."""
    return sorted(key for key in {*one, *other} if one.get(key) != other.get(key))


def check_same(local: dict[str, str], remote: dict[str, str]) -> None:
    """Raise where a cluster has left other bytes than this machine, but for what names the machine."""
    wrong = [key for key in differences(local, remote) if key not in OF_THE_MACHINE]
    if wrong:
        raise RuntimeError(f"other bytes than on this machine: {wrong[:10]}")
    say(f"{len(remote)} objects, the same bytes as on this machine")


def same_bytes(site: Site, campaign: Path, store: Path) -> dict[str, str]:
    """Run the site's campaign ``tiny`` on this machine, too, and hold both against each other.

    Returns the fingerprint of the site's store.
    """
    say("the same campaign on this machine")
    local = local_run(campaign, store)
    with site.store("tiny") as of_site:
        remote = fingerprint(of_site)
    check_same(local, remote)
    return remote


def local_run(campaign: Path, store: Path, *, workers: int = 2) -> dict[str, str]:
    """The same campaign on this machine; the fingerprint of what it left."""
    call(
        sys.executable, "-m", "nameplate_local", "run", str(campaign), "--store", str(store), "--workers",
        str(workers), timeout=3600,
    )  # fmt: skip
    return local_fingerprint(store)


def local_fingerprint(store: Path) -> dict[str, str]:
    """SHA-256 of every object that counts in a store that is a folder, by key."""
    return {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.relative_to(store).parts[0] not in ("work", "logs")
    }
