"""Step ``skullstrip``: intracranial masks of one shard's exams."""

from collections.abc import Iterator

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate.records import Record
from nameplate.steps.files import File, Rows
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class MaskReport(Record):
    """What skull stripping found in one exam."""

    exam: str
    volume_ml: float
    flags: tuple[str, ...]
    """Findings; an exam with a flag that refuses it does not enter the cohort."""
    usable: bool
    brain_hu: float | None = None
    """Median HU inside the mask; None if the mask is empty."""


MASK = File("cohorts/{cohort}/masks/{exam}.nii.gz")
"""The intracranial mask of an exam."""
PICTURE = File("cohorts/{cohort}/pictures/{exam}.png")
"""Slices of an exam's brain with the mask's outline, for the quality pages."""
REPORTS = Rows("cohorts/{cohort}/mask-reports/{shard:03d}.jsonl", MaskReport)
"""Findings for the exams of one shard."""


class SkullstripJob(CohortJobSettings):
    """Settings of one job."""

    shard: int
    skullstrip: SkullstripSettings


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per shard that is ingested."""
    cohort = plan.campaign.cohorts[plan.cohort]
    for shard, ingested in enumerate(plan.ids("ingest")):
        settings = SkullstripJob(cohort=plan.cohort, shard=shard, skullstrip=cohort.skullstrip)
        yield STEP.job(settings, [ingested])


STEP = Step(
    name="skullstrip",
    service="skullstrip",
    settings=SkullstripJob,
    id="{job.cohort}/{job.shard:03d}",
    needs=("ingest",),
    jobs=jobs,
    version=4,
    memory_mib=1500,
    seconds=lambda load: 0.035 * load.exams * load.pixels,
)
