"""Step ``challenge``: lesions planted in one shard's exams, and what a model of the user's makes of them."""

from collections.abc import Iterator

from nameplate.campaign.challenge import GridSettings, ModelSettings
from nameplate.image.sphere import Point
from nameplate.records import Record
from nameplate.steps.files import Rows
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class Lesion(Record):
    """One sphere of the grid; the same for every exam."""

    place: int
    """Number of the place, from 1."""
    radius_mm: float
    hu: float
    """What is added to the tissue, in HU."""


class Outcome(Record):
    """One case and its score: a line of ``cases.jsonl``."""

    key: str
    """Digest of the image, its mask, the lesion and the model's command."""
    exam: str
    patient: str
    level: str
    """Of the factor."""
    lesion: Lesion | None
    """None for an exam left as it is."""
    centre_mm: Point | None = None
    """Of the lesion, RAS mm in the patient."""
    moved_mm: float | None = None
    """Of the lesion, from its place relative to the brain to where there is room for it."""
    score: float | None = None
    """None if there is none: ``reason`` says why."""
    alarms: int | None = None
    """With masks: how many separate regions at or above the threshold do not touch the lesion."""
    alarms_at: float | None = None
    """That threshold."""
    reason: str = ""
    """Why there is no score."""
    said: str = ""
    """The last line of what the model then wrote to its standard error."""

    @property
    def asked(self) -> bool:
        """Whether the model was asked: not if there is no room for the lesion."""
        return self.score is not None or self.reason.startswith(MODEL)

    @property
    def order(self) -> tuple[str, bool, float, float, int]:
        """By exam, the one left as it is first."""
        lesion = self.lesion
        return (
            (self.exam, False, 0.0, 0.0, 0)
            if lesion is None
            else (self.exam, True, lesion.hu, lesion.radius_mm, lesion.place)
        )


MODEL = "model: "
"""What a reason begins with that is the model's."""


class Unread(Record):
    """An exam that could not be challenged at all."""

    exam: str
    reason: str


OUTCOMES = Rows("cohorts/{cohort}/challenge/{model}/{shard:03d}.jsonl", Outcome)
"""What the model made of every case of one shard."""
UNREAD = Rows("cohorts/{cohort}/challenge-unread/{model}/{shard:03d}.jsonl", Unread)
"""The exams of one shard without any case."""


class ChallengeJob(CohortJobSettings):
    """Settings of one job."""

    model: str
    """Its name in the campaign."""
    shard: int
    seed: int
    """Of the places."""
    grid: GridSettings
    given: ModelSettings
    """How the model is run."""


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per model and shard; none for a cohort that is not challenged."""
    challenge = plan.campaign.challenge
    if challenge is None or plan.cohort not in plan.campaign.challenged:
        return
    shards = list(zip(plan.ids("ingest"), plan.ids("skullstrip"), strict=True))
    for name, model in challenge.models.items():
        for shard, images in enumerate(shards):
            settings = ChallengeJob(
                cohort=plan.cohort,
                model=name,
                shard=shard,
                seed=plan.campaign.seed,
                grid=challenge.grid,
                given=model,
            )
            yield STEP.job(settings, [*images, *plan.ids("cohort")])


STEP = Step(
    name="challenge",
    service="challenge",
    settings=ChallengeJob,
    id="{job.cohort}/{job.model}/{job.shard:03d}",
    needs=("ingest", "skullstrip", "cohort"),
    jobs=jobs,
    version=1,
    memory_mib=1000,
    # A second a case, of which nobody knows better before the model has been asked.
    seconds=lambda load: 29.0 * load.exams,
)
