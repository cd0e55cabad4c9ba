"""The campaign that faults are injected into: how it starts, how to hit it in the middle, what it left."""

import json
import re
import time
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from installation import ROOT, Json, Site, call, differences, fingerprint, nodes_of, say, until

CAMPAIGN = "trial"
REDONE = (
    "jobs/training/",
    "jobs/selection/",
    "jobs/prediction/",
    "jobs/report.json",
    "models/",
    "report/",
    "work/",
)


@dataclass
class Seen:
    """What one fault came to."""

    fault: str
    injected: str
    seen: str = ""
    recovery: float | None = None
    """Seconds from the fault until the disturbed work went on."""
    wall: float | None = None
    same: bool = False


@dataclass
class Trial:
    """The installation, the campaign and the undisturbed result."""

    site: Site
    text: str
    reference: dict[str, str] = field(default_factory=dict)
    undisturbed: float = 0.0

    def forget(self) -> None:
        """Back to the packed datasets: everything behind them is to be made again."""
        with self.site.store(CAMPAIGN) as store:
            for prefix in REDONE:
                for key in store.sizes(prefix):
                    store.delete(key)

    def start(self) -> str:
        """Forget, and submit."""
        self.forget()
        return self.site.submit(CAMPAIGN, text=self.text)

    def training_pod(self, workflow: str, *, epochs: int = 2) -> str:
        """A pod of the long training, once it has done some epochs."""

        def find() -> str:
            for pod in self.site.pods(workflow, "training", "Running"):
                name = str(pod["metadata"]["name"])
                if "training/spheres" not in json.dumps(pod["spec"]) or self.epochs(name) < epochs:
                    continue
                # Argo makes a pod again, as the same attempt, if it goes before Argo has seen it run.
                if [node["phase"] for node in self.attempts(workflow, name)] == ["Running"]:
                    return name
            return ""

        return str(until(300, "a training in mid-epoch", find))

    def epochs(self, pod: str) -> int:
        """Epochs that a training pod has done."""
        return self.site.log(pod).count('"trained an epoch"')

    def attempts(self, workflow: str, pod: str) -> list[Json]:
        """All attempts at what a pod does, in order."""
        nodes = nodes_of(self.site.get("workflow", workflow))
        number = pod.rpartition("-")[2]
        mine = next((node for node in nodes if node["id"].endswith(number)), None)
        if mine is None:
            return []
        task = re.sub(r"\(\d+\)$", "", mine["name"])
        found = [n for n in nodes if n["type"] == "Pod" and re.sub(r"\(\d+\)$", "", n["name"]) == task]
        return sorted(found, key=lambda node: node["name"])

    def attempt(self, workflow: str, pod: str, number: int) -> tuple[str, str] | None:
        """Name and uid of the pod of an attempt at a pod's work, once it runs; 0 is the first attempt."""
        attempts = self.attempts(workflow, pod)
        if len(attempts) <= number or attempts[number]["phase"] != "Running":
            return None
        end = attempts[number]["id"].rpartition("-")[2]
        for found in self.site.pods(workflow, "training", "Running"):
            if found["metadata"]["name"].endswith(f"-{end}"):
                return found["metadata"]["name"], found["metadata"]["uid"]
        return None

    def recovery(self, workflow: str, pod: str) -> float:
        """Seconds until the next attempt at a pod's work runs its own program."""
        began = time.monotonic()

        def again() -> bool:
            running = {p["metadata"]["name"]: p for p in self.site.pods(workflow, "training", "Running")}
            for node in self.attempts(workflow, pod)[1:]:
                number = node["id"].rpartition("-")[2]
                name = next((n for n in running if n.endswith(number)), None)
                if name is not None and self.site.log(name):
                    return True
            return False

        until(240, "the next attempt", again, pause=0.5)
        return time.monotonic() - began

    def messages(self, workflow: str, pod: str) -> str:
        """How the attempts at a pod's work ended."""
        ends = [f"{n['phase']} ({n.get('message') or 'done'})" for n in self.attempts(workflow, pod)]
        return ", then ".join(ends)

    def failed(self, workflow: str) -> tuple[list[Json], bool]:
        """The pods that failed, as Argo's nodes, and whether none of them was a further attempt."""
        nodes = nodes_of(self.site.get("workflow", workflow))
        pods = [n for n in nodes if n["type"] == "Pod" and n["phase"] in ("Failed", "Error")]
        return pods, len(pods) == len({re.sub(r"\(\d+\)$", "", n["name"]) for n in pods})

    def close(self, seen: Seen, workflow: str, began: float) -> Seen:
        """Wait for the end and hold every byte against the undisturbed run."""
        self.site.finish(workflow)
        seen.wall = time.monotonic() - began
        with self.site.store(CAMPAIGN) as store:
            wrong = differences(self.reference, fingerprint(store))
        seen.same = not wrong
        if wrong:
            say(f"DIFFERENT: {wrong[:10]}")
        return seen


def kill_training(uid: str) -> None:
    """SIGKILL to nameplate-training in the pod of this uid; its container must be on this machine."""
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            command = (proc / "cmdline").read_bytes()
            group = (proc / "cgroup").read_text()
        except OSError:
            continue
        if uid in group.replace("_", "-") and b"nameplate-training" in command and b"argoexec" not in command:
            call("kill", "-9", proc.name)
            return
    raise RuntimeError("the process of the pod is not on this machine")


def kill_attempt(workflow: str, number: int) -> bool:
    """SIGKILL to an attempt at a training once it loads torch: it has counted itself, and done no epoch.

    False when it has not come so far yet. Its container must be on this machine; the API would be too slow.
    """
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes().split(b"\0")
            if f"--attempt={number}".encode() not in words or any(b"argoexec" in word for word in words):
                continue
            mine = workflow.encode() in (proc / "environ").read_bytes()
            loads = "libtorch" in (proc / "maps").read_text()
        except OSError:
            continue
        if mine and loads:
            call("kill", "-9", proc.name)
            return True
    return False


def campaign() -> str:
    """The smallest campaign with a training that lasts long enough to be hit in the middle."""
    raw = yaml.safe_load((ROOT / "tests" / "tiny.yaml").read_text())
    raw["name"] = CAMPAIGN
    spheres = raw["datasets"]["spheres"]
    spheres["difficulties"] = spheres["difficulties"][:1]
    (experiment,) = (e for e in raw["experiments"] if e["name"] == "spheres")
    experiment["training_sets"] = ["mixed"]
    experiment["convergence"].pop("hard")
    experiment["training"]["epochs"] = 200
    raw["experiments"] = [experiment]
    return yaml.safe_dump(raw, sort_keys=False)
