"""Step ``listing``: which exams a cohort's source has, and which shard takes each; it is asked once."""

from collections.abc import Iterator

from nameplate.steps.files import File
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step

LISTED = File("cohorts/{cohort}/listing/{shard:03d}.sealed")
"""The studies of one shard, where each of them is and what its headers say: what must not leave the ingest.
Sealed with the key of the pseudonyms, for the ingest alone."""


class ListingJob(CohortJobSettings):
    """Settings of one job."""

    shards: int
    fields: tuple[str, ...]
    """The columns of the user's table that go into the records."""
    source: str
    """Digest of the source's files and of the user's tables and masks; of a source elsewhere, of what finds
    its exams."""


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job; none for a simulated cohort or a derived one."""
    cohort = plan.campaign.cohorts[plan.cohort]
    if plan.other is not None or cohort.phantom is not None:
        return
    settings = ListingJob(cohort=plan.cohort, shards=cohort.shards, fields=cohort.fields, source=plan.source)
    yield STEP.job(settings, ())


def job_id(cohort: str) -> str:
    """The id of a cohort's job."""
    return f"listing/{cohort}"


STEP = Step(
    name="listing",
    service="ingest",
    settings=ListingJob,
    id="{job.cohort}",
    needs=(),
    jobs=jobs,
    version=2,
    memory_mib=1500,
    seconds=lambda load: 0.01 * load.exams,
    reads_source=True,
    lists_source=True,
)
