"""Step ``phantom``: one shard of a simulated cohort, written as DICOM studies."""

from collections.abc import Iterator

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.errors import CampaignError
from nameplate.steps.files import File
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step

DICOM = File("cohorts/{cohort}/dicom/{shard:03d}.tar")
"""Simulated studies of one shard, as a tar."""
TRUTH = File("cohorts/{cohort}/truth/{shard:03d}.tar")
"""What the simulation knows about one shard, as a tar."""


class PhantomJob(CohortJobSettings):
    """Settings of one job."""

    seed: int
    shard: int
    shards: int
    phantom: PhantomSettings


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per shard; none for a cohort that is read from files.

    Raises CampaignError for more shards than heads: twins are never divided.
    """
    cohort = plan.campaign.cohorts[plan.cohort]
    if cohort.phantom is None:
        return
    heads = cohort.phantom.exams // (len(cohort.phantom.manufacturers) if cohort.phantom.twins else 1)
    if heads < cohort.shards:
        raise CampaignError(
            f"cohorts.{plan.cohort}.shards: {heads} heads cannot be divided into {cohort.shards} shards"
        )
    for shard in range(cohort.shards):
        settings = PhantomJob(
            seed=plan.campaign.seed,
            cohort=plan.cohort,
            shard=shard,
            shards=cohort.shards,
            phantom=cohort.phantom,
        )
        yield STEP.job(settings, ())


STEP = Step(
    name="phantom",
    service="phantom",
    settings=PhantomJob,
    id="{job.cohort}/{job.shard:03d}",
    needs=(),
    jobs=jobs,
    version=3,
    memory_mib=1500,
    seconds=lambda load: 0.25 * load.exams * load.pixels,
)
