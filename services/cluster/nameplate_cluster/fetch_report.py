"""Fetching a campaign's report: a pod that may read the store prints it, and its log is read here."""

import contextlib
import queue
import tempfile
import threading
import time
from pathlib import Path

from nameplate.errors import DamagedObject, NameplateError, TryAgain, UserError
from nameplate.store.folder_tar import unpack_folder
from nameplate.store.parcel import MOST_BYTES, decode
from nameplate.whole import check_empty, user_may_write, whole_folder
from nameplate_cluster.client import REPORT_TEMPLATE, Cluster, Json, workflow_labels
from nameplate_cluster.http_errors import NotThere
from nameplate_cluster.logs import last_reason
from nameplate_cluster.plan_pod import IMAGE_S, PodFailed
from nameplate_cluster.waiting import wait_of
from nameplate_cluster.watch import ImageAlarm, follow, is_held, say, with_queues
from nameplate_cluster.workflow import Attempt, attempts_of, is_over, message_of, name_of

START_S = 600.0
TRIES = 3


def report(cluster: Cluster, campaign: str, out: Path) -> int:
    """Write the report of a campaign to a new or empty folder."""
    check_empty(out)
    template = cluster.templates().get(REPORT_TEMPLATE)
    if template is None:
        raise UserError(
            f"the namespace {cluster.namespace} has no WorkflowTemplate {REPORT_TEMPLATE}: "
            f"helm install nameplate charts/nameplate -n {cluster.namespace} --create-namespace"
        )
    name = name_of(cluster.create_workflow(manifest_of(campaign, template)))
    try:
        data = _fetch(cluster, name)
    finally:
        try:
            cluster.delete_workflow(name)
        except NameplateError as error:
            say(f"note: the workflow {name} is left for an hour: {error}")
    write_report(data, out)
    say(f"report: {out}/index.html")
    return 0


def manifest_of(campaign: str, template: Json) -> Json:
    """The workflow of one pod that prints the report, from the chart's template."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": f"nameplate-report-of-{campaign}-", "labels": workflow_labels(template)},
        "spec": {
            "workflowTemplateRef": {"name": REPORT_TEMPLATE},
            "entrypoint": "export",
            "arguments": {"parameters": [{"name": "campaign", "value": campaign}]},
            # The pod stays until its log has arrived; then we delete the workflow, else Argo does later.
            "podGC": {"strategy": "OnWorkflowCompletion", "deleteDelayDuration": "1h"},
            "ttlStrategy": {"secondsAfterCompletion": 3600},
        },
    }


def _fetch(cluster: Cluster, name: str) -> bytes:
    """The archive, read from the log of the workflow's pod from its start.

    A node keeps 10 MiB of a log: a larger one, read late, has lost its beginning.
    """
    follow(cluster, name, until=lambda workflow: bool(attempts_of(workflow)), every_s=0.5, limit_s=START_S)
    alarm = ImageAlarm(IMAGE_S)
    deadline, tries, told = time.monotonic() + START_S, TRIES, False
    while True:
        answer = _reading(cluster, name)
        while answer.empty():
            workflow = cluster.workflow(name)
            if (pod := alarm.trouble(workflow, time.monotonic())) is not None:
                raise UserError(f"the report cannot be fetched: {pod[1].text}")
            time.sleep(0.5)
        result = answer.get()
        if isinstance(result, bytes):
            return result
        workflow = with_queues(cluster, cluster.workflow(name))
        attempts = attempts_of(workflow)
        if is_held(attempts):
            deadline = time.monotonic() + START_S  # its time to start begins when the queue lets it go
            if not told:
                say(f"the pod that prints the report: {wait_of(attempts[-1].message).text}")
                told = True
        if attempts and attempts[-1].state == "failed":
            raise _failure(cluster, name, attempts[-1])
        if attempts and attempts[-1].state == "done":
            tries -= 1
        if tries == 0:
            raise result
        if is_over(workflow) and not attempts:
            raise PodFailed(f"no report: {message_of(workflow)}", 1)
        if time.monotonic() > deadline:
            why = wait_of(attempts[-1].message if attempts else message_of(workflow)).text
            raise TryAgain(f"the pod that prints the report does not start: {why}; try again later")
        time.sleep(0.3)


def _reading(cluster: Cluster, name: str) -> "queue.Queue[bytes | NameplateError]":
    """Read the log in a thread; the answer is the archive, or why there is none (yet)."""
    answer: queue.Queue[bytes | NameplateError] = queue.Queue()

    def read() -> None:
        try:
            attempts = attempts_of(cluster.workflow(name))
            if not attempts:
                raise NotThere("the pod is not there yet")
            answer.put(decode(cluster.pod_log(name, attempts[-1].pod, follow=True)))
        except NameplateError as error:
            answer.put(error)

    threading.Thread(target=read, daemon=True).start()
    return answer


def _failure(cluster: Cluster, name: str, last: Attempt) -> NameplateError:
    reason = None
    with contextlib.suppress(NameplateError):
        reason = last_reason(list(cluster.pod_log(name, last.pod)))
    code = last.exit_code if last.exit_code in (2, 75) else 1
    return PodFailed(f"no report: {reason or last.message}", code)


def write_report(data: bytes, out: Path) -> None:
    """Unpack the archive into a folder that appears whole or not at all."""
    temporary_folder = tempfile.TemporaryDirectory(prefix="nameplate-")
    with temporary_folder as temporary, whole_folder(out) as whole, user_may_write(out):
        archive = Path(temporary) / "report.tar"
        archive.write_bytes(data)
        try:
            unpack_folder(archive, whole, limit_bytes=MOST_BYTES)
        except (OSError, DamagedObject):
            raise
        except Exception as error:  # tarfile raises many things for what is not an archive
            raise DamagedObject("what the pod sent is not an archive") from error
