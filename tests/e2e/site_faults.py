"""Faults of the site: another store in mid-run, a store that is asked too much, no card, no volume."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from installation import differences, fingerprint, node_address
from storm import BUCKET, storm
from trial import CAMPAIGN, Seen, Trial

from nameplate.store.s3 import S3Store

OTHER_BUCKET = "elsewhere"


def upgraded(trial: Trial) -> Seen:
    """`helm upgrade` names another bucket while a campaign runs: it goes on in its own."""
    began, workflow = time.monotonic(), trial.start()
    trial.training_pod(workflow)
    trial.site.install(f"objectStore.bucket={OTHER_BUCKET}", create=False)
    seen = Seen("upgrade to another store in mid-run", f"helm upgrade with objectStore.bucket={OTHER_BUCKET}")
    try:
        trial.close(seen, workflow, began)
        with trial.site.store(CAMPAIGN, bucket=OTHER_BUCKET) as store:
            strayed = len(store.sizes(""))
    finally:
        trial.site.install(create=False)
    seen.seen = f"done in its own bucket; objects in the other: {strayed}"
    seen.same = seen.same and not strayed
    return seen


def stormed(trial: Trial) -> Seen:
    """A whole campaign on a store that refuses one request in three."""
    seen = Seen("429 storm", "every third request to the store is answered with 429 TooManyRequests")
    with storm(node_address()) as weather:
        given = [f"--from-literal={key}={value}" for key, value in weather.account.items()]
        trial.site.kubectl("create", "secret", "generic", "storm", *given)
        trial.site.install(
            f"objectStore.endpoint={weather.endpoint}", "objectStore.existingSecret=storm",
            f"objectStore.bucket={BUCKET}", create=False,
        )  # fmt: skip
        try:
            began = time.monotonic()
            workflow = trial.site.submit(CAMPAIGN, text=trial.text)
            trial.site.finish(workflow)
            seen.wall = time.monotonic() - began
            os.environ.update(weather.account, AWS_ENDPOINT_URL=weather.endpoint)
            remote = fingerprint(S3Store.from_environment(f"s3://{BUCKET}/{CAMPAIGN}"))
        finally:
            trial.site.install(create=False)
            trial.site.kubectl("delete", "secret", "storm")
    wrong = differences(trial.reference, remote)
    failed, _ = trial.failed(workflow)
    seen.seen = (
        f"{weather.refused} of {weather.refused + weather.answered} requests were refused; the whole "
        f"campaign was done from nothing; attempts that failed: {len(failed)}"
    )
    seen.same = not wrong and weather.refused > 0
    return seen


def without_card(trial: Trial) -> Seen:
    """Pods get a card of the cluster's that torch cannot use: they end, and do not train on the CPU."""
    trial.site.install("pools.default.gpu.count=1", create=False)
    began, workflow = time.monotonic(), trial.start()
    trial.site.finish(workflow, wanted="Failed")
    failed, tried_once = trial.failed(workflow)
    codes = {(n.get("outputs") or {}).get("exitCode") for n in failed}
    status = nameplate("status", CAMPAIGN, "-n", trial.site.namespace)
    reasons = sorted({line.strip() for line in status.stdout.splitlines() if "GPU" in line})
    trial.site.install(create=False)
    again = trial.site.submit(CAMPAIGN, text=trial.text)
    seen = Seen("a card that is not there", "pools.default.gpu.count=1; the node claims cards and has none")
    trial.close(seen, again, began)
    seen.seen = (
        f"{len(failed)} training pods, exit {', '.join(sorted(map(str, codes)))}, none tried again; "
        f"nameplate status ends with {status.returncode}: {' / '.join(reasons)}; on the CPU it went on"
    )
    seen.same = seen.same and codes == {"2"} and tried_once and status.returncode == 1 and bool(reasons)
    return seen


def without_claim(trial: Trial) -> Seen:
    """The volume with the DICOM files is not there: nothing is sent."""
    trial.site.install("data.existingClaim=not-there", create=False)
    began = time.monotonic()
    known = {w["metadata"]["name"] for w in trial.site.get("workflows")["items"]}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trial.yaml"
        file.write_text(trial.text)
        ran = nameplate("submit", str(file), "-n", trial.site.namespace, "--yes")
    made = {w["metadata"]["name"] for w in trial.site.get("workflows")["items"]} - known
    trial.site.install(create=False)
    lines = [line for line in (ran.stdout + ran.stderr).splitlines() if "not-there" in line]
    seen = Seen("a claim that is not there", "data.existingClaim=not-there", wall=time.monotonic() - began)
    seen.seen = f"nameplate submit ends with {ran.returncode} and makes no workflow: {' / '.join(lines)}"
    seen.same = ran.returncode == 2 and not made and bool(lines)
    return seen


def nameplate(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line, as a person has it."""
    command = [sys.executable, "-m", "nameplate_local", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
