"""Step ``report``: figures, tests and pages, from everything that the campaign has committed."""

from collections.abc import Iterable

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import CohortSettings
from nameplate.steps.files import File
from nameplate.steps.step import Job, JobSettings, Step

FILE = File("report/{file}")
"""One file of the report: index.html, metrics.json, tables/..., quality/..."""


class ReportJob(JobSettings):
    """Settings of the one job: all that ``shown`` leaves, since the report prints them."""

    campaign: Campaign


def shown(campaign: Campaign) -> Campaign:
    """The campaign as the report may show it: without the places of source files."""
    cohorts = {name: _shown(cohort) for name, cohort in campaign.cohorts.items()}
    return campaign.model_copy(update={"cohorts": cohorts})


def _shown(cohort: CohortSettings) -> CohortSettings:
    if cohort.source is None or cohort.phantom is not None:
        return cohort
    tables = {
        name: "(not shown)" for name in ("manufacturers_csv", "fields_csv", "masks") if getattr(cohort, name)
    }
    return cohort.model_copy(update={"source": cohort.source.shown(), **tables})


def job(campaign: Campaign, jobs: Iterable[Job]) -> Job:
    """The report on the results of these jobs."""
    return STEP.job(ReportJob(campaign=shown(campaign)), [job.id for job in jobs if job.step in STEP.needs])


STEP = Step(
    name="report",
    service="evaluation",
    settings=ReportJob,
    id="",
    needs=(
        "ingest",
        "skullstrip",
        "cohort",
        "fingerprint",
        "synthesis",
        "training",
        "selection",
        "prediction",
        "detection",
    ),
    scope="campaign",
    version=5,
    memory_mib=2000,
    seconds=lambda load: 8.0,  # noqa: ARG005
)
