"""The matched sub-cohort: fields whose matching makes the levels more alike, as lines for a campaign file."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import MatchSettings
from nameplate.campaign.factor import FieldLevels
from nameplate.campaign.field import Field
from nameplate.cohort.fields import values_of
from nameplate.cohort.members import make_cohort
from nameplate.cohort.split import least_exams
from nameplate.errors import CohortError
from nameplate.steps.cohort import CohortJob, are_twins, labels_on
from nameplate.steps.ingest import Exam
from nameplate_evaluation.results import CohortResult
from nameplate_evaluation.separability.confound import Confound
from nameplate_evaluation.separability.grouping import grouping
from nameplate_evaluation.separability.separability import FieldRow, Separability, confounds_of, stage_of

PARTS = (5, 4, 3, 2)
"""Into how many groups a number is cut: the first that leaves enough exams."""
LEAST_SHARE = 1 / 3
"""Of today's members of the smallest level that must remain."""
MOST_FIELDS = 4
"""More leave exams that agree in everything and are like no others."""
NOT_PROPOSED = ("age", "sex", "source_slices", "tilt_degrees")
"""Matched anyway, or a consequence of other fields."""


@dataclass(frozen=True, kw_only=True)
class ProposedField:
    """A field that would be matched, and how far the levels differ in it then."""

    field: Field
    levels: FieldLevels
    now: Confound
    then: Confound


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A matching of one cohort; without fields where none would leave enough exams."""

    cohort: str
    fields: tuple[ProposedField, ...]
    left_out: tuple[Field, ...]
    """Fields that differ, and that could not be matched as well with enough exams left."""
    now: tuple[int, ...]
    """Members of each level."""
    then: tuple[int, ...]
    """What would remain of them."""
    floor: int
    """Exams of each level that must remain."""
    lines: str
    """For the campaign file, in place of the cohort's ``match``; empty without fields."""


def proposal_of(cohort: CohortResult, campaign: Campaign, separability: Separability) -> Proposal | None:
    """Try the fields that could overlap and do not, the most unlike first, each as fine as exams allow.

    None without members, or if no such field differs.
    """
    candidates = [row for row in separability.of_kind("cannot be told", "partly") if _usable(row)]
    if not separability.matched or not candidates:
        return None
    candidates.sort(key=_imbalance)
    settings = campaign.cohorts[cohort.name]
    least = least_exams(settings.split, campaign.datasets.positives)
    floor = max(least, math.ceil(LEAST_SHARE * min(separability.exams_after)))
    chosen: list[tuple[FieldRow, FieldLevels]] = []
    left_out: list[Field] = []
    kept: tuple[Exam, ...] = ()
    pool = sorted(cohort.exams, key=lambda exam: exam.exam)
    for row in candidates:
        found = None
        for levels in _groupings(row, pool) if len(chosen) < MOST_FIELDS else ():
            remaining = _matched(cohort, campaign, [*(one for _, one in chosen), levels])
            if _smallest(remaining, campaign) >= floor:
                found, kept = levels, remaining
                break
        if found is None:
            left_out.append(row.field)
        else:
            chosen.append((row, found))
    fields = [row.field for row, _ in chosen]
    stage = stage_of(kept, fields, campaign.factor)
    then = confounds_of(stage, fields, campaign.seed, "separability", cohort.name, "proposal")
    return Proposal(
        cohort=cohort.name,
        fields=tuple(
            ProposedField(field=row.field, levels=levels, now=row.judged, then=confound)
            for (row, levels), confound in zip(chosen, then, strict=True)
        ),
        left_out=tuple(left_out),
        now=separability.exams_after,
        then=stage.labels.counts,
        floor=floor,
        lines=_lines(cohort.name, campaign, [levels for _, levels in chosen], stage.labels.counts),
    )


def _usable(row: FieldRow) -> bool:
    return not row.is_nested and row.field.name not in NOT_PROPOSED


def _imbalance(row: FieldRow) -> tuple[bool, float]:
    """Most unlike first, by whichever says more; the site last, as it stands for all that a site does."""
    found = row.judged
    return row.field.name == "institution", -max(1.0 - (found.overlap or 0.0), found.v or 0.0)


def _groupings(row: FieldRow, exams: Sequence[Exam]) -> list[FieldLevels]:
    """From fine to coarse."""
    values = values_of(exams, row.field)
    parts = PARTS if row.field.kind == "number" else PARTS[:1]
    found = [grouping(row.field, values, count) for count in parts]
    return list({str(one): one for one in found if one is not None}.values())


def _settings(campaign: Campaign, cohort: str, same: Sequence[FieldLevels]) -> MatchSettings:
    """The cohort's own matching and these fields; without one of its own, these alone."""
    match = campaign.cohorts[cohort].match
    if match is None:
        return MatchSettings(age_years=100.0, sex=False, same=tuple(same))
    names = {one.name for one in same}
    both = (*(one for one in match.same if one.name not in names), *same)
    return match.model_copy(update={"same": both, "exams_per_level": None})


def _matched(cohort: CohortResult, campaign: Campaign, same: Sequence[FieldLevels]) -> tuple[Exam, ...]:
    """The members that the campaign would have with this matching; none where it would fail."""
    settings = campaign.cohorts[cohort.name]
    job = CohortJob(
        seed=campaign.seed,
        cohort=cohort.name,
        factor=campaign.factor.field_levels,
        match=_settings(campaign, cohort.name, same),
        split=settings.split,
        positives=campaign.datasets.positives,
        labels=labels_on(campaign, cohort.name),
        twins=are_twins(campaign, cohort.name),
        other=None,
    )
    try:
        made = make_cohort(cohort.exams, {mask.exam: mask for mask in cohort.masks}, job)
    except CohortError:
        return ()
    members = {member.exam for member in made.members}
    return tuple(exam for exam in sorted(cohort.exams, key=lambda exam: exam.exam) if exam.exam in members)


def _smallest(exams: Sequence[Exam], campaign: Campaign) -> int:
    """Exams of the level with fewest."""
    counts = Counter(campaign.factor.level_of(exam) for exam in exams)
    return min(counts[level] for level in campaign.factor.levels)


def _lines(cohort: str, campaign: Campaign, same: Sequence[FieldLevels], counts: Sequence[int]) -> str:
    if not same:
        return ""
    match = _settings(campaign, cohort, same)
    value: dict[str, Any] = {"age_years": match.age_years, "sex": match.sex}
    value["same"] = [_plain(one) for one in match.same]
    remain = ", ".join(f"{n} of {level}" for level, n in zip(campaign.factor.levels, counts, strict=True))
    text = yaml.safe_dump({"match": value}, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return f"# In cohorts.{cohort}, in place of its match. Exams that remain: {remain}.\n{text}"


def _plain(levels: FieldLevels) -> str | dict[str, Any]:
    """As a campaign file says it, without what follows from the rest."""
    if levels.groups is not None:
        return levels.model_dump(mode="json", include={"name", "groups", "levels"})
    if levels.bins is not None:
        own = FieldLevels(name=levels.name, bins=levels.bins)
        include = {"name", "bins"} if own == levels else {"name", "bins", "levels"}
        return levels.model_dump(mode="json", include=include)
    return levels.model_dump(mode="json", include={"name", "levels"}) if levels.levels else levels.name
