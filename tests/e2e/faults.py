#!/usr/bin/env python3
"""Inject every fault that a cluster knows into a running campaign; each must end in the undisturbed bytes.

    make faults            all of them, and docs/faults.md with what was seen
    tests/e2e/faults.py --only drain,oom

Needs a cluster in KUBECONFIG with Argo Workflows and the images (``make e2e`` loads them); makes the
namespace ``nameplate-faults`` and deletes it. It drains nodes and restarts Argo: not for a shared cluster.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from installation import ROOT, Site, call, differences, fingerprint, nodes_of, say, until
from site_faults import stormed, upgraded, without_card, without_claim
from trial import CAMPAIGN, Seen, Trial, campaign, kill_attempt, kill_training

from nameplate.job.result import read_result, write_result
from nameplate_cluster.workflow import step_of

NAMESPACE = "nameplate-faults"


# --- the faults: each injects, waits for the end, and says what it saw


def deleted(trial: Trial) -> Seen:
    """A training pod is deleted in mid-epoch."""
    began, workflow = time.monotonic(), trial.start()
    pod = trial.training_pod(workflow)
    trial.site.kubectl("delete", "pod", pod, "--wait=false")
    seen = Seen("training pod deleted in mid-epoch", "kubectl delete pod")
    seen.recovery = trial.recovery(workflow, pod)
    trial.close(seen, workflow, began)
    seen.seen = trial.messages(workflow, pod)
    return seen


def killed(trial: Trial) -> Seen:
    """Its process gets SIGKILL: exit code 137, tried again."""
    began, workflow = time.monotonic(), trial.start()
    pod = trial.training_pod(workflow)
    uid = trial.site.get("pod", pod)["metadata"]["uid"]
    kill_training(uid)
    seen = Seen("training process killed (137)", "SIGKILL to the process of the container")
    seen.recovery = trial.recovery(workflow, pod)
    trial.close(seen, workflow, began)
    seen.seen = trial.messages(workflow, pod)
    return seen


def preempted(trial: Trial) -> Seen:
    """Its pod is taken away six times, deleted or killed, each time after another epoch: it goes on."""
    began, workflow = time.monotonic(), trial.start()
    first = trial.training_pod(workflow)
    for number in range(6):
        pod, uid = until(180, f"attempt {number} at work", lambda n=number: trial.attempt(workflow, first, n))
        until(120, "another epoch", lambda name=pod: trial.epochs(name) >= 1, pause=0.3)
        if number % 2:
            kill_training(uid)
        else:
            trial.site.kubectl("delete", "pod", pod, "--wait=false")
    seen = Seen(
        "preempted six times", "kubectl delete pod and SIGKILL in turn, after an epoch of each attempt"
    )
    trial.close(seen, workflow, began)
    attempts = trial.attempts(workflow, first)
    seen.seen = f"{len(attempts)} attempts: {trial.messages(workflow, first)}"
    seen.same = seen.same and len(attempts) == 7
    return seen


def in_vain(trial: Trial) -> Seen:
    """Three attempts in a row are killed before they get anywhere: it ends, and a new submission goes on."""
    began, workflow = time.monotonic(), trial.start()
    first = trial.training_pod(workflow)
    kill_training(trial.site.get("pod", first)["metadata"]["uid"])
    for number in range(1, 4):
        until(300, f"attempt {number}", lambda n=number: kill_attempt(workflow, n), pause=0.05)
    trial.site.finish(workflow, wanted="Failed")
    attempts = trial.attempts(workflow, first)
    log = trial.site.log(attempts[-1]["id"].replace(workflow, f"{workflow}-chunk-default", 1))
    word = next((line for line in log.splitlines() if line.startswith("nameplate: ")), "")
    again = trial.site.submit(CAMPAIGN, text=trial.text)
    seen = Seen("three attempts in vain", "SIGKILL to each before its first epoch")
    trial.close(seen, again, began)
    seen.seen = f"{len(attempts)} attempts, the last: {word}; submitted again it went on"
    seen.same = seen.same and len(attempts) == 5 and "no progress in 3 attempts" in word
    return seen


def out_of_memory(trial: Trial) -> Seen:
    """A training that meets its memory limit is not tried again, and says so by name."""
    trial.site.install(
        "pools.default.training.resources.limits.memory=180Mi",
        "pools.default.training.resources.requests.memory=100Mi",
        create=False,
    )
    began, workflow = time.monotonic(), trial.start()
    trial.site.finish(workflow, wanted="Failed")
    failed, tried_once = trial.failed(workflow)
    messages = {str(node.get("message")) for node in failed}
    trial.site.install(create=False)
    again = trial.site.submit(CAMPAIGN, text=trial.text)
    seen = Seen("training out of memory", "memory limit of 180 MiB for training pods")
    trial.close(seen, again, began)
    seen.seen = (
        f"{', '.join(sorted(messages))}; attempts: {len(failed)}; with the "
        "limit raised and submitted again it went on"
    )
    named = all("OOMKilled" in message for message in messages)
    seen.same = seen.same and tried_once and named
    return seen


def drained(trial: Trial) -> Seen:
    """The node is drained: every pod on it, the object store and Argo included, has to go and come back."""
    began, workflow = time.monotonic(), trial.start()
    pod = trial.training_pod(workflow)
    node = trial.site.get("pod", pod)["spec"]["nodeName"]
    call("kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force",
         "--grace-period=30", "--timeout=120s", check=False)  # fmt: skip
    call("kubectl", "uncordon", node)
    seen = Seen("node drained", "kubectl drain, uncordoned when it was empty")
    seen.recovery = trial.recovery(workflow, pod)
    trial.close(seen, workflow, began)
    seen.seen = trial.messages(workflow, pod)
    return seen


def store_restarted(trial: Trial) -> Seen:
    """MinIO is killed while pods write checkpoints and results."""
    return _without_store(
        trial,
        Seen(
            "MinIO restarted in the middle of a write",
            "its pod deleted without grace, checkpoints every epoch",
        ),
        lambda: trial.site.kubectl("delete", "pod", "nameplate-minio-0", "--grace-period=0", "--force"),
    )


def store_gone(trial: Trial) -> Seen:
    """No object store for 60 seconds."""

    def away() -> None:
        trial.site.kubectl("scale", "statefulset/nameplate-minio", "--replicas=0")
        trial.site.kubectl("wait", "--for=delete", "pod/nameplate-minio-0", "--timeout=60s")
        time.sleep(60)
        trial.site.kubectl("scale", "statefulset/nameplate-minio", "--replicas=1")

    seen = Seen("object store gone for 60 s", "its StatefulSet scaled to 0 and, 60 s later, to 1")
    return _without_store(trial, seen, away)


def bucket_gone(trial: Trial) -> Seen:
    """The bucket itself is away for 60 seconds, the service answers."""
    claim = trial.site.get("pvc", "data-nameplate-minio-0")["spec"]["volumeName"]
    volume = Path(json.loads(call("kubectl", "get", "pv", claim, "-o", "json"))["spec"]["hostPath"]["path"])

    def away() -> None:
        (volume / "nameplate").rename(volume.parent / "nameplate-away")
        time.sleep(60)
        # Whatever tried to write meanwhile must not have made a bucket of its own.
        made = (volume / "nameplate").exists()
        (volume.parent / "nameplate-away").rename(volume / "nameplate")
        assert not made

    seen = Seen("bucket gone for 60 s", "its folder moved out of MinIO's volume and back")
    return _without_store(trial, seen, away)


def _without_store(trial: Trial, seen: Seen, away: Callable[[], object]) -> Seen:
    """A training loses its store while ``away`` runs; the recovery counts from the store's return."""
    began, workflow = time.monotonic(), trial.start()
    pod = trial.training_pod(workflow, epochs=1)
    away()
    waits = _store_back(trial, seen, pod)
    trial.close(seen, workflow, began)
    seen.seen = f"{waits}; attempts at that training: {trial.messages(workflow, pod)}"
    return seen


def _store_back(trial: Trial, seen: Seen, pod: str) -> str:
    """Wait until a training works again that may have noticed that its store was gone; what its log told."""
    asking, start = "no answer yet; trying again", time.monotonic()

    def on() -> bool:
        log = trial.site.log(pod)
        worked = max(log.rfind('"trained an epoch"'), log.rfind('"committed"'))
        return '"committed"' in log or 0 <= log.rfind(asking) < worked

    until(240, "the training to go on", on, pause=0.5)
    asked = trial.site.log(pod).count(asking)
    if not asked:
        return "the pod asked 0 times again: the S3 client's own retries bridged it"
    seen.recovery = time.monotonic() - start
    return f"the pod asked {asked} times again and went on"


def controller_restarted(trial: Trial) -> Seen:
    """Argo's controller is killed in mid-campaign."""
    began, workflow = time.monotonic(), trial.start()
    pod = trial.training_pod(workflow)
    call(
        "kubectl",
        "-n",
        "argo",
        "delete",
        "pod",
        "-l",
        "app=workflow-controller",
        "--grace-period=0",
        "--force",
    )
    start = time.monotonic()
    call("kubectl", "-n", "argo", "rollout", "status", "deployment/workflow-controller", "--timeout=120s")
    seen = Seen("Argo's controller restarted", "its pod deleted without grace")
    seen.recovery = time.monotonic() - start
    trial.close(seen, workflow, began)
    attempts = trial.attempts(workflow, pod)
    seen.seen = f"attempts at the training: {len(attempts)}; {trial.messages(workflow, pod)}"
    seen.same = seen.same and len(attempts) == 1
    return seen


def two_copies(trial: Trial) -> Seen:
    """A second copy of a training pod runs at the same time."""
    began, workflow = time.monotonic(), trial.start()
    pod = trial.training_pod(workflow, epochs=1)
    found = trial.site.get("pod", pod)
    main = next(c for c in found["spec"]["containers"] if c["name"] == "main")
    command = list(main["command"])
    own = command[command.index("--") + 1 :] if "--" in command else command
    # NetworkPolicies go by labels; those of Argo would make it a pod of the workflow.
    labels = {key: value for key, value in found["metadata"]["labels"].items() if "argoproj.io" not in key}
    copy = {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "second-copy", "labels": labels},
        "spec": {"restartPolicy": "Never", "automountServiceAccountToken": False,
                 "securityContext": found["spec"]["securityContext"],
                 "containers": [{"name": "main", "image": main["image"], "command": own, "args": main["args"],
                                 "env": [e for e in main.get("env", []) if not e["name"].startswith("ARGO_")],
                                 "envFrom": main["envFrom"],
                                 "securityContext": main["securityContext"],
                                 "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}]}],
                 "volumes": [{"name": "scratch", "emptyDir": {}}]},
    }  # fmt: skip
    trial.site.kubectl("create", "-f", "-", stdin=json.dumps(copy))
    seen = Seen("two copies of one training at once", "a pod with the same command, not Argo's")
    trial.close(seen, workflow, began)
    until(
        240,
        "the copy to end",
        lambda: trial.site.get("pod", "second-copy")["status"]["phase"] in ("Succeeded", "Failed"),
    )
    phase = trial.site.get("pod", "second-copy")["status"]["phase"]
    with trial.site.store(CAMPAIGN) as store:
        seen.same = seen.same and not differences(trial.reference, fingerprint(store))
        seen.same = seen.same and phase == "Succeeded"
    said = trial.site.kubectl("logs", "second-copy").splitlines()
    trial.site.kubectl("delete", "pod", "second-copy")
    last = f" ({said[-1]})" if phase == "Failed" and said else ""
    seen.seen = f"the copy: {phase}{last}; Argo's: {trial.messages(workflow, pod)}"
    return seen


def resubmitted(trial: Trial) -> Seen:
    """A campaign is stopped half-way and submitted again: only what is missing runs."""
    began, workflow = time.monotonic(), trial.start()
    trial.training_pod(workflow)
    trial.site.kubectl("patch", "workflow", workflow, "--type=merge", "-p", '{"spec":{"shutdown":"Stop"}}')
    trial.site.finish(workflow, wanted="Failed")
    with trial.site.store(CAMPAIGN) as store:
        done = set(store.sizes("jobs/"))
    again = trial.site.submit(CAMPAIGN, text=trial.text)
    seen = Seen("campaign stopped half-way and submitted again", "shutdown: Stop, then a new workflow")
    trial.close(seen, again, began)
    steps = sorted({step_of(n) for n in nodes_of(trial.site.get("workflow", again)) if n["type"] == "Pod"})
    seen.seen = f"{len(done)} jobs were committed before; the second workflow had pods of: {', '.join(steps)}"
    seen.same = seen.same and steps == ["plan", "prediction", "report", "selection", "training"]
    return seen


def corrupt_exam(trial: Trial) -> Seen:
    """One file of an exam is damaged: a row of the ledger, and the campaign goes on."""
    campaign = trial.text.replace(f"name: {CAMPAIGN}", "name: corrupt")
    began = time.monotonic()
    first = trial.site.submit("corrupt", text=campaign, only="phantom")
    trial.site.finish(first)
    with trial.site.store("corrupt") as store:
        key = "cohorts/study/dicom/000.tar"
        data = bytearray(store.get(key))
        # Behind the header of the archive's first file and the DICOM prefix: pixels and tags alike.
        where = data.index(b"DICM") + 40
        data[where : where + 3000] = bytes(3000)
        store.put(key, bytes(data))
        result = read_result(store, "phantom/study/000")
        assert result is not None
        outputs = tuple(
            o.model_copy(update={"sha256": hashlib.sha256(data).hexdigest()}) if o.key == key else o
            for o in result.outputs
        )
        write_result(store, result.model_copy(update={"outputs": outputs}))
    second = trial.site.submit("corrupt", text=campaign)
    trial.site.finish(second)
    with trial.site.store("corrupt") as store:
        rows = [json.loads(line) for line in store.get("cohorts/study/ledger/000.jsonl").splitlines()]
        there = "report/index.html" in store.sizes("report/")
    refused = [row for row in rows if row["item"] == "file" and row["verdict"] == "refused"]
    reasons = sorted({f"{row['rule']} ({row['seen']})" for row in refused})
    seen = Seen("exam with a corrupt file", "3,000 bytes of one DICOM file overwritten with zeros")
    seen.wall = time.monotonic() - began
    seen.same = there and bool(refused)
    seen.seen = f"{len(refused)} refused file in the ledger: {'; '.join(reasons)}; the report was made"
    return seen


def wrong_file(trial: Trial) -> Seen:
    """A campaign file with an error: one clear line from the first pod, and no other pod."""
    began = time.monotonic()
    workflow = trial.site.submit("wrong", text="name: wrong\nseed: x\n")
    trial.site.finish(workflow, wanted="Failed")
    return _plan_failed(trial, workflow, began, "wrong campaign file", "seed: x, no cohorts")


def wrong_credentials(trial: Trial) -> Seen:
    """The account of the object store is wrong: one clear line, exit 2, no retry."""
    began = time.monotonic()
    secret = trial.site.get("secret", "nameplate-store")["data"]["AWS_SECRET_ACCESS_KEY"]
    patch = {"stringData": {"AWS_SECRET_ACCESS_KEY": "not-the-right-one"}}
    trial.site.kubectl("patch", "secret", "nameplate-store", "--type=merge", "-p", json.dumps(patch))
    try:
        workflow = trial.site.submit(CAMPAIGN, text=trial.text)
        trial.site.finish(workflow, wanted="Failed")
    finally:
        patch = {"data": {"AWS_SECRET_ACCESS_KEY": secret}}
        trial.site.kubectl("patch", "secret", "nameplate-store", "--type=merge", "-p", json.dumps(patch))
    return _plan_failed(trial, workflow, began, "wrong credentials", "another secret key in the Secret")


def absent_bucket(trial: Trial) -> Seen:
    """The bucket that the settings name was never there: one clear line, exit 2, no retry."""
    began = time.monotonic()
    template = trial.site.get("workflowtemplate", "nameplate-plan")["spec"]["templates"][0]
    place = [row["name"] for row in template["container"]["env"]].index("NAMEPLATE_BUCKET")

    def name(bucket: str) -> None:
        path = f"/spec/templates/0/container/env/{place}/value"
        patch = json.dumps([{"op": "replace", "path": path, "value": bucket}])
        trial.site.kubectl("patch", "workflowtemplate", "nameplate-plan", "--type=json", "-p", patch)

    name("not-there")
    try:
        workflow = trial.site.submit(CAMPAIGN, text=trial.text)
        trial.site.finish(workflow, wanted="Failed")
    finally:
        name("nameplate")
    return _plan_failed(trial, workflow, began, "absent bucket", "another bucket in the template of the plan")


def _plan_failed(trial: Trial, workflow: str, began: float, fault: str, injected: str) -> Seen:
    seen = Seen(fault, injected, wall=time.monotonic() - began)
    pods = [n for n in nodes_of(trial.site.get("workflow", workflow)) if n["type"] == "Pod"]
    log = trial.site.log(pods[0]["id"].replace(workflow, f"{workflow}-plan", 1))
    codes = [(pod.get("outputs") or {}).get("exitCode") for pod in pods]
    lines = [line for line in log.splitlines() if line.startswith("nameplate: ")]
    seen.seen = f"{len(pods)} pod, exit {', '.join(map(str, codes))}: {' / '.join(lines)}"
    seen.same = len(pods) == 1 and codes == ["2"] and bool(lines)
    return seen


FAULTS: dict[str, Callable[[Trial], Seen]] = {
    "deleted": deleted,
    "killed": killed,
    "preempted": preempted,
    "in-vain": in_vain,
    "oom": out_of_memory,
    "drain": drained,
    "store-restart": store_restarted,
    "store-gone": store_gone,
    "bucket-gone": bucket_gone,
    "controller": controller_restarted,
    "two-copies": two_copies,
    "resubmit": resubmitted,
    "upgrade": upgraded,
    "storm": stormed,
    "no-card": without_card,
    "corrupt": corrupt_exam,
    "no-claim": without_claim,
    "wrong-file": wrong_file,
    "credentials": wrong_credentials,
    "absent-bucket": absent_bucket,
}


def table(rows: list[Seen], undisturbed: float) -> str:
    """The page with what was seen."""
    lines = [
        "# Faults injected into a running campaign",
        "",
        "Made by `make faults` (tests/e2e/faults.py) on a one-node Kubernetes cluster with Argo Workflows.",
        "*Same* means: every object in the bucket has the bytes of the undisturbed run (for the last five",
        "faults: what the table says is what had to happen). *Recovery* is the time from the fault, or from",
        "the return of what was taken away, until the disturbed work went on. The undisturbed run took",
        f"{undisturbed:.0f} s from submission to report.",
        "",
        "| fault | injected by | seen | recovery, s | whole run, s | same |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        recovery = "" if row.recovery is None else f"{row.recovery:.0f}"
        wall = "" if row.wall is None else f"{row.wall:.0f}"
        text = re.sub(r"nameplate-[a-z]+-[a-z0-9]{5}\b", "(workflow)", row.seen).replace("|", "\\|")
        lines.append(
            f"| {row.fault} | {row.injected} | {text} | {recovery} | {wall} | {'yes' if row.same else 'NO'} |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help=f"some of: {', '.join(FAULTS)}")
    parser.add_argument(
        "--out", type=Path, help="file for the table (default: docs/faults.md when all faults are injected)"
    )
    parser.add_argument(
        "--rows", type=Path, help="file that keeps the rows, to do the faults in several runs"
    )
    parser.add_argument("--keep", action="store_true", help="leave the namespace")
    parser.add_argument("--set", action="append", default=[], help="values of the chart")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name] or list(FAULTS)
    text = campaign()
    site = Site(NAMESPACE)
    there = call("kubectl", "get", "namespace", NAMESPACE, "--ignore-not-found", "-o", "name")
    site.install(*options.set, create=not there)
    trial = Trial(site, text)
    rows: dict[str, Seen] = {}
    if options.rows and options.rows.is_file():
        rows = {name: Seen(**row) for name, row in json.loads(options.rows.read_text()).items()}
    try:
        site.finish(site.submit(CAMPAIGN, text=text))
        say("undisturbed run")
        began = time.monotonic()
        site.finish(trial.start())
        trial.undisturbed = time.monotonic() - began
        with site.store(CAMPAIGN) as store:
            trial.reference = fingerprint(store)
        say(f"undisturbed: {trial.undisturbed:.0f} s, {len(trial.reference)} objects")
        for name in chosen:
            say(f"fault: {name}")
            try:
                rows[name] = FAULTS[name](trial)
            except (RuntimeError, TimeoutError, AssertionError, subprocess.SubprocessError) as error:
                say(f"FAILED: {error}")
                rows[name] = Seen(name, "", f"FAILED: {str(error).splitlines()[0]}")
            say(f"  {rows[name]}")
            if options.rows:
                options.rows.write_text(json.dumps({name: asdict(row) for name, row in rows.items()}))
    finally:
        out = options.out or (ROOT / "docs" / "faults.md" if set(rows) == set(FAULTS) else None)
        if out is not None:
            out.write_text(table([rows[name] for name in FAULTS if name in rows], trial.undisturbed))
        if not options.keep:
            site.remove()
    return 0 if all(row.same for row in rows.values()) else 1


if __name__ == "__main__":
    threading.excepthook = sys.excepthook  # type: ignore[assignment]
    sys.exit(main())
