"""Step ``cohort``: the exams that passed ingest and skull stripping, matched, balanced and split.

A *derived* cohort has the members of another one, under pseudo-levels.
"""

from collections.abc import Iterator

from pydantic import Field

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.factor import FieldLevels
from nameplate.campaign.labels import LabelSettings
from nameplate.records import Record, Split
from nameplate.steps.files import Rows
from nameplate.steps.step import CohortJobSettings, CohortPlan, Job, Step


class Member(Record):
    """One exam of the matched, split cohort, with all decisions about it."""

    exam: str
    patient: str
    level: str
    """Level of the factor (GE, Siemens); in a derived cohort, the pseudo-level of this name."""
    split: Split
    age: float | None
    sex: str | None
    positive: bool
    """Whether the sphere datasets give this exam a sphere."""
    rank: float
    """In [0, 1): a difficulty with share s changes the positives of a split and level with rank < s."""
    label: int | None = None
    """Its label in the user's own column: 1 or 0; None in a cohort on which no network learns it."""
    outlined: int | None = Field(default=None, exclude_if=lambda value: value is None)
    """Whether the user's own mask of it shows anything: 1 or 0; None in a cohort without masks."""
    same: tuple[str, ...] = ()
    """Its levels of the fields in which matched exams agree (``match.same``), in their order."""


class Refusal(Record):
    """An exam that was left out on the way, and why."""

    exam: str
    step: str
    """The step that left it out; 'labels' or 'masks' for an exam that the cohort cannot use for want of the
    user's own label or mask."""
    reason: str


MEMBERS = Rows("cohorts/{cohort}/members.jsonl", Member)
"""The exams that take part."""
REFUSALS = Rows("cohorts/{cohort}/refusals.jsonl", Refusal)
"""The exams that do not."""


class CohortJob(CohortJobSettings):
    """Settings of a cohort's one job."""

    seed: int
    factor: FieldLevels
    """Without its title, which decides no result."""
    match: MatchSettings | None
    split: SplitSettings
    positives: float
    """Share of the exams of each level that get a sphere; 0 where none is planted."""
    labels: LabelSettings | None = None
    """The user's own labels, where a network learns them: every member then has one."""
    twins: bool
    """Whether each patient is a head that was scanned once for every level."""
    other: str | None
    """The cohort whose members a derived one has; None for a cohort of its own exams."""


def jobs(plan: CohortPlan) -> Iterator[Job]:
    """One job."""
    exams = plan.campaign.exams_of(plan.cohort)
    settings = CohortJob(
        seed=plan.campaign.seed,
        cohort=plan.cohort,
        factor=plan.campaign.factor.field_levels,
        match=exams.match,
        split=exams.split,
        positives=plan.campaign.datasets.positives,
        labels=labels_on(plan.campaign, plan.cohort),
        twins=are_twins(plan.campaign, plan.cohort),
        other=plan.other.cohort if plan.other is not None else None,
    )
    if plan.other is not None:
        yield STEP.job(settings, plan.other.ids("cohort"))
    else:
        yield STEP.job(settings, [*plan.ids("ingest"), *plan.ids("skullstrip")])


def labels_on(campaign: Campaign, cohort: str) -> LabelSettings | None:
    """The user's labels, if networks learn them on this cohort; where their table is decides no result."""
    labels = campaign.datasets.labels
    return labels.model_copy(update={"table": None}) if labels and campaign.learns_labels(cohort) else None


def are_twins(campaign: Campaign, cohort: str) -> bool:
    """Whether the exams of a patient show the same head, once for every level of the factor.

    Simulated heads are scanned by every manufacturer; of another factor they may have one level twice.
    """
    phantom = campaign.exams_of(cohort).phantom
    return phantom is not None and phantom.twins and campaign.factor.is_every_manufacturer


STEP = Step(
    name="cohort",
    service="synthesis",
    settings=CohortJob,
    id="{job.cohort}",
    needs=("ingest", "skullstrip", "cohort"),
    jobs=jobs,
    version=5,
    memory_mib=500,
    seconds=lambda load: 0.2,  # noqa: ARG005
)
