"""Step ``phantom``: one shard of a simulated cohort, written as DICOM studies."""

from collections.abc import Iterator

from nameplate.campaign.phantom import PhantomSettings
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
    """One job per shard; none for a cohort that is read from files."""
    cohort = plan.campaign.cohorts[plan.cohort]
    if cohort.phantom is None:
        return
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
    version=2,
    memory_mib=1500,
    seconds=lambda load: 0.2 * load.exams * load.pixels,
)
