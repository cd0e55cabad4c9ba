"""What could be shown with the studies of a census, and what fetching them would take."""

from collections.abc import Sequence
from dataclasses import dataclass

from nameplate.campaign import Campaign
from nameplate.campaign.analysis import AnalysisSettings
from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.factor import FieldLevels
from nameplate.campaign.sources import SourceSettings
from nameplate.campaign.sources.query import LimitSettings, QuerySource
from nameplate.cohort.matching import match
from nameplate.cohort.split import least_exams, split_counts
from nameplate.errors import CohortError
from nameplate.plan.power import least_effect, sphere_tasks
from nameplate.plan.summary import power_lines
from nameplate.steps.ingest import Exam

_PAPER_AXIS = (0.0, 0.20, 0.35)
_PAPER_RUNS = 6.0
_PAPER_POSITIVES = 195 / 391
_DAY_HOURS = 24.0


def matched_groups(exams: Sequence[Exam], factor: FieldLevels, settings: MatchSettings | None) -> int:
    """How many groups with an exam of each level the rules would leave.

    Without matching, exams of the rarest level.
    """
    by_level: dict[str, list[Exam]] = {level: [] for level in factor.levels}
    for exam in exams:
        level = factor.level_of(exam)
        if level is not None and (settings is None or _can_match(exam, settings)):
            by_level[level].append(exam)
    if settings is None:
        return min(map(len, by_level.values()))
    ordered = {level: sorted(rows, key=lambda exam: exam.exam) for level, rows in by_level.items()}
    same = settings.same
    groups = match(ordered, settings, lambda exam: tuple(field.described(exam) for field in same))
    return len(groups)


def _can_match(exam: Exam, settings: MatchSettings) -> bool:
    if exam.age is None or (settings.sex and exam.sex is None):
        return False
    return all(field.level_of(exam) is not None for field in settings.same)


def effect_lines(campaign: Campaign, cohort: str, groups: int) -> list[str]:
    """What ``nameplate plan`` would say of the least effects with so many exams of each level."""
    of_cohort = campaign.cohorts[cohort]
    settings = of_cohort.match or MatchSettings()
    wanted = settings.exams_per_level
    few = groups if wanted is None else min(groups, wanted)
    matched = of_cohort.model_copy(update={"match": settings.model_copy(update={"exams_per_level": few})})
    experiments = tuple(
        experiment.model_copy(update={"cohorts": (cohort,)})
        for experiment in campaign.experiments
        if cohort in experiment.cohorts
    )
    if few < least_exams(of_cohort.split, campaign.datasets.positives):
        return [f"{few} exams of each {campaign.factor.title} are too few for the cohort's split"]
    update = {"cohorts": {**campaign.cohorts, cohort: matched}, "experiments": experiments}
    try:
        return power_lines(campaign.model_copy(update=update))
    except CohortError as error:
        return [f"with {few} exams of each level the campaign cannot run: {error}"]


def paper_effect(groups: int, levels: int) -> float | None:
    """The least advantage, in AUROC points, of a campaign with the paper's tasks, split and runs.

    None for too few exams of each level: a split would lack a positive or a negative.
    """
    counts = split_counts(groups, SplitSettings(), _PAPER_POSITIVES)
    if not all(row.positives and row.negatives for row in counts.rows):
        return None
    test = next(row for row in counts.rows if row.split == "test")
    analysis = AnalysisSettings()
    tasks = sphere_tasks(
        _PAPER_AXIS,
        [(_PAPER_RUNS,) * levels] * len(_PAPER_AXIS),
        positives=test.positives,
        negatives=test.negatives,
        twins=False,
        assumed=analysis.assumed,
    )
    correlation = analysis.assumed.exam_correlation
    weights = [1 / len(tasks)] * len(tasks)
    return 100 * least_effect(tasks, weights, correlation=correlation, confidence=analysis.confidence)


@dataclass(frozen=True, slots=True)
class Fetching:
    """How long it takes to fetch some studies at the allowed rate."""

    hours: float
    """Of fetching; nothing else is counted."""
    spans: int | None
    """Spans of the allowed hours that this takes; None where any hour is allowed."""


def fetching_of(studies: int, settings: SourceSettings) -> Fetching | None:
    """None where the source sets no rate."""
    limits = settings.limits if isinstance(settings, QuerySource) else LimitSettings()
    if limits.studies_per_hour is None:
        return None
    hours = studies / limits.studies_per_hour
    if limits.span is None:
        return Fetching(hours, None)
    begin, end = (moment.hour + moment.minute / 60 for moment in limits.span)
    each = (end - begin) % _DAY_HOURS
    return Fetching(hours, max(1, -int(-hours // each)))
