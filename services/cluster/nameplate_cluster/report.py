"""Fetching a campaign's report: a pod with the store's account prints it, and its log carries it here."""

import contextlib
import tempfile
import time
from pathlib import Path

from nameplate.archive import unpack_folder
from nameplate.errors import DamagedObject, NameplateError, TryAgain, UserError
from nameplate.parcel import MOST_BYTES, Torn, received
from nameplate_cluster.answer import NotThere
from nameplate_cluster.client import REPORT_TEMPLATE, Cluster, Json
from nameplate_cluster.logs import last_reason
from nameplate_cluster.plan_pod import IMAGE_S, PodFailed
from nameplate_cluster.waiting import wait_of
from nameplate_cluster.watch import ImageAlarm, follow, say
from nameplate_cluster.workflow import attempts_of, is_over, message_of, name_of

START_S = 600.0
TRIES = 3


def report(cluster: Cluster, campaign: str, out: Path) -> int:
    """Write the report of a campaign to a new or empty folder."""
    out = out.resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: not an empty folder")
    if REPORT_TEMPLATE not in cluster.templates():
        raise UserError(
            f"the namespace {cluster.namespace} has no WorkflowTemplate {REPORT_TEMPLATE}: "
            f"helm install nameplate charts/nameplate -n {cluster.namespace} --create-namespace"
        )
    name = name_of(cluster.create_workflow(manifest_of(campaign)))
    try:
        data = _fetch(cluster, name)
    finally:
        with contextlib.suppress(NameplateError):
            cluster.delete_workflow(name)
    write_report(data, out)
    say(f"report: {out / 'index.html'}")
    return 0


def manifest_of(campaign: str) -> Json:
    """The workflow of one pod that prints the report."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"nameplate-report-of-{campaign}-"},
        "spec": {
            "workflowTemplateRef": {"name": REPORT_TEMPLATE},
            "entrypoint": "export",
            "arguments": {"parameters": [{"name": "campaign", "value": campaign}]},
            # The pod stays until its log is here; the workflow is deleted then, and in any case later.
            "podGC": {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": "1h"},
            "ttlStrategy": {"secondsAfterCompletion": 3600},
        },
    }


def _fetch(cluster: Cluster, name: str) -> bytes:
    alarm = ImageAlarm(IMAGE_S)
    trouble: list[str] = []

    def started(workflow: Json) -> bool:
        attempts = attempts_of(workflow)
        found = alarm.trouble(workflow, time.monotonic())
        if found is not None:
            trouble.append(found[1].text)
        return bool(trouble) or any(attempt.state != "waiting" for attempt in attempts)

    workflow = follow(cluster, name, until=started, every_s=1.0, limit_s=START_S)
    attempts = attempts_of(workflow)
    if trouble:
        raise UserError(f"the report cannot be fetched: {trouble[0]}")
    if not attempts or attempts[-1].state == "waiting":
        why = wait_of(attempts[-1].message if attempts else message_of(workflow)).text
        raise TryAgain(f"the pod that prints the report does not start: {why}; try again later")
    pod = attempts[-1].pod
    for attempt in range(TRIES):
        try:
            # Followed from the start: the log of a large report is rotated while it is written.
            return received(cluster.pod_log(name, pod, follow=attempt == 0))
        except (Torn, NotThere):
            workflow = follow(cluster, name, until=is_over, every_s=1.0, limit_s=START_S)
            last = attempts_of(workflow)[-1]
            if last.state == "failed":
                raise _failure(cluster, name, workflow) from None
            if attempt == TRIES - 1:
                raise
    raise AssertionError


def _failure(cluster: Cluster, name: str, workflow: Json) -> NameplateError:
    last = attempts_of(workflow)[-1]
    reason = None
    with contextlib.suppress(NameplateError):
        reason = last_reason(list(cluster.pod_log(name, last.pod)))
    code = last.exit_code if last.exit_code in (2, 75) else 1
    return PodFailed(f"no report: {reason or last.message}", code)


def write_report(data: bytes, out: Path) -> None:
    """Unpack the archive into a folder that appears whole."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".report-", dir=out.parent) as temporary:
            archive = Path(temporary) / "report.tar"
            archive.write_bytes(data)
            whole = Path(temporary) / "report"
            whole.mkdir()
            try:
                unpack_folder(archive, whole, limit_bytes=MOST_BYTES)
            except (OSError, DamagedObject):
                raise
            except Exception as error:  # tarfile has many ways to say that this is no archive
                raise DamagedObject("what the pod sent is no archive") from error
            if out.exists():
                out.rmdir()
            whole.rename(out)
    except OSError as error:
        raise UserError(f"{out}: cannot be written ({error.strerror})") from error
