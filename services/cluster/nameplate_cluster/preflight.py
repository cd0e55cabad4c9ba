"""Checks before a submission, on what was fetched from the cluster. Pure.

Every check gives one line per problem, with what to do; all are reported at once.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress

from nameplate.campaign import Campaign
from nameplate.errors import UserError
from nameplate.plan.estimate import cell_estimates
from nameplate.plan.pipeline import ARM_STEPS, STEPS
from nameplate.plan.plan import plan
from nameplate_cluster.client import CAMPAIGN_TEMPLATE, Json
from nameplate_cluster.workflow import attempts_of, is_over, name_of, parameter_of, submitter_of

MOST_JOBS = 20_000
MOST_BYTES = 100_000
"""Of a campaign file: Argo passes it as one argument, and Linux takes 128 KiB."""


def campaign_problems(campaign: Campaign, text: str) -> list[str]:
    """What makes the campaign itself unfit for one workflow."""
    problems = []
    size = len(text.encode())
    if size > MOST_BYTES:
        problems.append(f"the campaign file has {size:,} bytes, a workflow takes {MOST_BYTES:,}: shorten it")
    if "{{" in text:
        problems.append(
            "the campaign file contains '{{', which Argo would read as a parameter: reword that line"
        )
    rows = cell_estimates(campaign)
    jobs = len(plan(campaign, {}, {}).jobs) + sum(max(0, row.limit - row.first) for row in rows)
    if jobs > MOST_JOBS:
        problems.append(
            f"the grid comes to {jobs:,} jobs at most, a workflow takes {MOST_JOBS:,}: divide the campaign's "
            "experiments or cohorts among several campaigns"
        )
    return problems


def campaign_notes(campaign: Campaign) -> list[str]:
    """What a person should know, though it is not a problem."""
    return [
        f"cohorts.{name}.{setting}: {place} is a path in the pods (values: data.existingClaim)"
        for name, cohort in campaign.cohorts.items()
        for setting, place in cohort.paths.items()
    ]


def steps_needed(campaign: Campaign, only: str) -> tuple[str, ...]:
    """The steps that will have pods, in order, 'plan' first."""
    names = tuple(step.name for step in STEPS)
    if only in ARM_STEPS:
        return ("plan", *ARM_STEPS)
    if only:
        return ("plan", only)
    known = {job.step for job in plan(campaign, {}, {}).jobs} | {*ARM_STEPS, "report"}
    return ("plan", *(name for name in names if name in known))


def template_problems(templates: Iterable[str], steps: Sequence[str], namespace: str) -> list[str]:
    """Missing templates."""
    existing = set(templates)
    install = f"helm install nameplate charts/nameplate -n {namespace} --create-namespace"
    if CAMPAIGN_TEMPLATE not in existing:
        return [f"the namespace {namespace} has no WorkflowTemplate {CAMPAIGN_TEMPLATE}: {install}"]
    absent = [f"nameplate-{step}" for step in steps if f"nameplate-{step}" not in existing]
    if absent:
        upgrade = install.replace("helm install", "helm upgrade --install")
        return [f"the namespace {namespace} lacks the WorkflowTemplates {', '.join(absent)}: {upgrade}"]
    return []


def by_whom(workflow: Json) -> str:
    """Who submitted it, in a message."""
    who = submitter_of(workflow)
    return f", submitted by {who}" if who else ""


def planned_workflow(workflows: Iterable[Json]) -> Json | None:
    """The newest workflow whose plan has put a file into the store: that file is there now.

    None when there is none any more, or the site's Argo keeps its nodes elsewhere.
    """
    for workflow in sorted(
        workflows, key=lambda item: str(item["metadata"]["creationTimestamp"]), reverse=True
    ):
        with suppress(UserError):
            planned = any(item.step == "plan" and item.state == "done" for item in attempts_of(workflow))
            if planned and parameter_of(workflow, "file"):
                return workflow
    return None


def running_problems(workflows: Iterable[Json], campaign: str, namespace: str) -> list[str]:
    """A campaign of the same name that is still running."""
    return [
        f"{campaign} is already running as {name_of(workflow)}{by_whom(workflow)}: nameplate status "
        f"{campaign} -n {namespace} --watch shows it, nameplate stop {campaign} -n {namespace} ends it"
        for workflow in workflows
        if not is_over(workflow)
    ]
