"""Submitting a campaign: a short plan, its workflow, and watching it."""

import time
from datetime import UTC, datetime

from nameplate.campaign import Campaign
from nameplate.plan.estimate import cell_estimates, totals_of
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import plan
from nameplate.plan.summary import byte_lines
from nameplate_cluster.client import (
    CAMPAIGN_LABEL,
    CAMPAIGN_TEMPLATE,
    SUBMITTER,
    Cluster,
    Json,
    workflow_labels,
)
from nameplate_cluster.logs import failure_reasons
from nameplate_cluster.plan_pod import await_plan, stopped
from nameplate_cluster.waiting import Wait
from nameplate_cluster.watch import IMAGE_S, ImageAlarm, View, follow, say, status_text
from nameplate_cluster.workflow import Attempt, is_over, name_of, phase_of


def plan_lines(campaign: Campaign, only: str, gpu_tflops: float) -> list[str]:
    """The plan in a few lines; ``nameplate plan`` shows all of it."""
    jobs = plan(campaign, {}, {}).jobs
    counts = [(step.name, sum(job.step == step.name for job in jobs)) for step in STEPS]
    first, expected, limit, hours = totals_of(cell_estimates(campaign), gpu_tflops)
    shown = "under 0.01" if hours < 0.01 else f"{hours:.3g}"
    size = byte_lines(campaign)[-1].strip().removeprefix("together ")
    return [
        f"campaign {campaign.name}: {campaign.title}" + (f" (only the step {only})" if only else ""),
        "  jobs        " + ", ".join(f"{name} {count}" for name, count in counts if count),
        f"  trainings   {first} in the first round, {expected:.0f} expected, {limit} at most",
        f"  GPU-hours   {shown} at {gpu_tflops:g} TFLOP/s sustained on one GPU (--gpu-tflops)",
        f"  bytes       {size}",
    ]


def manifest_of(
    campaign: Campaign, text: str, only: str, template: Json, *, replace: bool = False, who: str = ""
) -> Json:
    """The workflow to submit: a reference to the chart's template, and the campaign file.

    ``replace`` lets it take the place of another file of that name; ``who`` is the account that submits.
    """
    values = {"campaign": campaign.name, "file": text, "only": only} | ({"replace": "yes"} if replace else {})
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {
            "generateName": f"nameplate-{campaign.name}-",
            "labels": workflow_labels(template, **{CAMPAIGN_LABEL: campaign.name}),
            **({"annotations": {SUBMITTER: who}} if who else {}),
        },
        "spec": {
            "workflowTemplateRef": {"name": CAMPAIGN_TEMPLATE},
            "arguments": {"parameters": [{"name": key, "value": value} for key, value in values.items()]},
        },
    }


def submit(
    cluster: Cluster, campaign: Campaign, text: str, *, only: str, watch: bool, replace: bool = False
) -> int:
    """Create the workflow, wait for its plan, and watch the rest if asked; returns the exit code."""
    template = cluster.templates().get(CAMPAIGN_TEMPLATE) or {}
    manifest = manifest_of(campaign, text, only, template, replace=replace, who=cluster.whoami())
    workflow = name_of(cluster.create_workflow(manifest))
    say(f"submitted: workflow {workflow} in {cluster.namespace}")
    try:
        await_plan(cluster, workflow, campaign.name)
        if not watch:
            say(f"planned; to watch it: nameplate status {campaign.name} -n {cluster.namespace} --watch")
            return 0
        code = watch_to_the_end(cluster, workflow)
        last = cluster.workflow(workflow)
        for line in status_text(last, datetime.now(UTC), failure_reasons(cluster, last)):
            say(line)
        return code
    except KeyboardInterrupt:
        say(
            f"no longer watching, but {workflow} keeps running; to see or end it: nameplate status (or stop) "
            f"{campaign.name} -n {cluster.namespace}"
        )
        return 130


def watch_to_the_end(cluster: Cluster, name: str, *, stop_without_image: bool = True) -> int:
    """Show a workflow until it is over; 0 when it succeeded, else 1.

    With ``stop_without_image``, an image that stays missing ends it.
    """
    alarm = ImageAlarm(IMAGE_S)
    trouble: list[tuple[Attempt, Wait]] = []

    def until(workflow: Json) -> bool:
        if stop_without_image and (pod := alarm.trouble(workflow, time.monotonic())) is not None:
            trouble.append(pod)
        return bool(trouble)

    with View() as view:
        workflow = follow(cluster, name, until=until, view=view)
    if trouble and not is_over(workflow):
        raise stopped(cluster, name, *trouble[0])
    return 0 if phase_of(workflow) == "Succeeded" else 1
