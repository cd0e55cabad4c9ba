"""Step ``fingerprint``: what is measured in one shard's exams, at every stage of the chain."""

from collections.abc import Iterator

from nameplate.campaign import Campaign
from nameplate.image.window import Window
from nameplate.steps.files import Rows
from nameplate.steps.measured import MeasuredExam
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step

MEASURED = Rows("cohorts/{cohort}/fingerprints/{shard:03d}.jsonl", MeasuredExam)
"""The numbers of the exams of one shard; of each exam one row a stage, in the order of the stages."""


class FingerprintJob(CohortJobSettings):
    """Settings of one job."""

    shard: int
    window: Window
    """What a network sees, at the last two stages."""


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per shard that is ingested; none for a derived cohort, whose exams are another one's."""
    window = window_of(plan.campaign, plan.cohort)
    shards = zip(plan.ids("ingest"), plan.ids("skullstrip"), strict=True)
    for shard, needs in enumerate(shards):
        yield STEP.job(FingerprintJob(cohort=plan.cohort, shard=shard, window=window), needs)


def window_of(campaign: Campaign, cohort: str) -> Window:
    """The window through which the networks see a cohort.

    That of the first experiment with spheres on it, or else on any cohort; of a campaign without such an
    experiment, that of its first.
    """
    spheres = [experiment for experiment in campaign.experiments if experiment.task == "spheres"]
    own = [experiment for experiment in spheres if cohort in experiment.cohorts]
    return (*own, *spheres, *campaign.experiments)[0].input.window


STEP = Step(
    name="fingerprint",
    service="fingerprint",
    settings=FingerprintJob,
    id="{job.cohort}/{job.shard:03d}",
    needs=("ingest", "skullstrip"),
    jobs=jobs,
    version=3,
    memory_mib=1000,
    seconds=lambda load: 0.05 * load.exams * load.pixels,
)
