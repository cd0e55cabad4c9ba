"""Step ``detection``: what a model of the user's finds of the planted lesions, by level of the factor."""

from collections.abc import Iterator

from nameplate.campaign.challenge import GridSettings, ModelSettings
from nameplate.records import Record
from nameplate.steps.files import File, RecordFile
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class Detected(Record):
    """One row of figures, in words: of one level of the factor and one contrast."""

    level: str
    contrast: str
    radius: str
    """The smallest that is found often enough, with its interval."""
    found: str
    """The share of all lesions, with its interval."""
    alarms: str
    """The share of untouched exams with a false alarm, with its interval; empty below a level's first row."""
    failed: str
    """Cases that the model did not answer; empty below a level's first row."""


class Compared(Record):
    """One gap between two levels, in words."""

    figure: str
    between: str
    value: str
    p: str


class Detection(Record):
    """The figures of one model on one cohort as the report prints them."""

    model: str
    version: str
    cohort: str
    asked: str
    """A sentence: what was planted."""
    sensitivity: float
    """Of which the radius is given."""
    rows: tuple[Detected, ...]
    gaps: tuple[Compared, ...]
    caveats: tuple[str, ...]


DETECTION = RecordFile("cohorts/{cohort}/detection/{model}/figures.json", Detection)
"""What the report prints."""
SHOWN = File("cohorts/{cohort}/detection/{model}/shown/{file}")
"""A file that goes into the report: the model's own page, its figures as JSON and CSV."""
KEPT = File("cohorts/{cohort}/detection/{model}/kept/{file}")
"""A file with rows of single exams, which stays in the store: scores.csv, ledger.csv."""


class DetectionJob(CohortJobSettings):
    """Settings of one job."""

    model: str
    seed: int
    """Of the resamples."""
    factor: str
    """As texts call it."""
    grid: GridSettings
    given: ModelSettings
    sensitivity: float
    confidence: float
    resamples: int


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job per model."""
    campaign = plan.campaign
    if campaign.challenge is None or plan.cohort not in campaign.challenged:
        return
    for name, model in campaign.challenge.models.items():
        settings = DetectionJob(
            cohort=plan.cohort,
            model=name,
            seed=campaign.seed,
            factor=campaign.factor.title,
            grid=campaign.challenge.grid,
            given=model,
            sensitivity=campaign.challenge.sensitivity,
            confidence=campaign.analysis.confidence,
            resamples=campaign.challenge.resamples,
        )
        yield STEP.job(settings, plan.ids("challenge", model=name))


STEP = Step(
    name="detection",
    service="challenge",
    settings=DetectionJob,
    id="{job.cohort}/{job.model}",
    needs=("challenge",),
    jobs=jobs,
    version=1,
    memory_mib=1000,
    seconds=lambda load: 10.0,  # noqa: ARG005
)
