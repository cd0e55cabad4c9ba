"""Whether the factor can be told from everything else in a cohort: every field, before and after matching."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nameplate.campaign import Campaign
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.field import Field, Value
from nameplate.cohort.fields import fields_of, values_of
from nameplate.steps.ingest import Exam
from nameplate.streams import stream
from nameplate_evaluation.results import CohortResult
from nameplate_evaluation.separability.bins import Bins
from nameplate_evaluation.separability.confound import (
    LOW_OVERLAP,
    Confound,
    Kind,
    bins_of,
    confound_of,
    corrected,
    draws_for,
    known_places,
)
from nameplate_evaluation.separability.labels import Labels, Positions
from nameplate_evaluation.separability.naming import accuracies_together, accuracy_alone, folds_of
from nameplate_evaluation.separability.nature import is_other_name, nested_reason


@dataclass(frozen=True, kw_only=True)
class FieldRow:
    """One field of one cohort."""

    field: Field
    nested: str
    """Why its values belong to the factor's by nature; empty if they could be those of all levels."""
    before: Confound
    """Among all exams of the factor's levels."""
    after: Confound
    """Among the members."""
    alone_before: float | None
    """Share of the exams with a value whose level is named right from it."""
    alone: float | None
    """The same among the members."""
    chance: float | None
    """Share of the level with most of these members: right without looking."""
    others: float | None
    """Share of the members named right from all other fields together."""
    matched: bool
    """Whether there are members, so that ``after`` is judged; else ``before`` is."""
    one_site: bool = False
    """Of the institution: each has exams of one level alone."""

    @property
    def judged(self) -> Confound:
        """That of the members; before the matching, if no exam came through it."""
        return self.after if self.matched else self.before

    @property
    def kind(self) -> Kind:
        """The verdict."""
        return self.judged.kind

    @property
    def is_nested(self) -> bool:
        """Whether it belongs to the factor by nature, or by the cohort's sites."""
        return bool(self.nested) or self.one_site


@dataclass(frozen=True, kw_only=True)
class Separability:
    """One study cohort: its fields in the order of tables, and how many exams each level has."""

    cohort: str
    factor: FactorSettings
    rows: tuple[FieldRow, ...]
    exams_before: tuple[int, ...]
    """Of each level."""
    exams_after: tuple[int, ...]
    chance: float | None
    """Share of the members of the level with most."""
    together: float | None
    """Share of the members named right from all fields that are not nested in the factor."""

    @property
    def matched(self) -> bool:
        """Whether any exam came through the matching."""
        return any(self.exams_after)

    def of_kind(self, *kinds: Kind) -> tuple[FieldRow, ...]:
        """The rows with these verdicts."""
        return tuple(row for row in self.rows if row.kind in kinds)

    def low(self, below: float = LOW_OVERLAP) -> tuple[FieldRow, ...]:
        """The rows with less overlap."""
        found = (row for row in self.rows if row.judged.overlap is not None)
        return tuple(row for row in found if (row.judged.overlap or 0.0) < below)


@dataclass(frozen=True, eq=False, kw_only=True)
class Stage:
    """The exams of one stage with their labels and the values of every field."""

    labels: Labels
    values: tuple[list[Value], ...]
    """Of each field, in the exams' order."""


def separability_of(cohort: CohortResult, campaign: Campaign) -> Separability | None:
    """Judge every field of a study cohort.

    None for a control, whose levels are pseudo-levels or made to differ, and for a cohort without exams.
    """
    if campaign.cohorts[cohort.name].role != "study" or not cohort.exams:
        return None
    factor = campaign.factor
    exams = sorted(cohort.exams, key=lambda exam: exam.exam)
    fields = [field for field in fields_of(exams) if not is_other_name(factor, field.name)]
    members = {member.exam for member in cohort.members}
    before = stage_of(exams, fields, factor)
    after = stage_of([exam for exam in exams if exam.exam in members], fields, factor)
    names = (campaign.seed, "separability", cohort.name)
    rows = []
    first, second = Naming(before, fields, *names), Naming(after, fields, *names)
    nested = [nested_reason(factor, field.name) for field in fields]
    others = second.together([_all_but(place, len(fields)) for place in range(len(fields))])
    now_all = confounds_of(before, fields, *names)
    # Where the matching leaves nobody out, nothing changes.
    then_all = now_all if after.labels.exams == before.labels.exams else confounds_of(after, fields, *names)
    matched = bool(after.labels.exams)
    for place, (field, now, then) in enumerate(zip(fields, now_all, then_all, strict=True)):
        judged, stage = (then, after) if matched else (now, before)
        rows.append(
            FieldRow(
                field=field,
                nested=nested[place],
                before=now,
                after=then,
                alone_before=first.alone(place),
                alone=second.alone(place),
                chance=second.chance(place),
                others=others[place],
                matched=matched,
                one_site=field.name == "institution"
                and judged.kind == "cannot be told"
                and _one_level_each(stage.values[place], stage.labels),
            )
        )
    free = np.array([not row.is_nested for row in rows], dtype=bool)
    return Separability(
        cohort=cohort.name,
        factor=factor,
        rows=tuple(rows),
        exams_before=before.labels.counts,
        exams_after=after.labels.counts,
        chance=after.labels.majority,
        together=second.together([free])[0],
    )


def stage_of(exams: Sequence[Exam], fields: Sequence[Field], factor: FactorSettings) -> Stage:
    """The exams that are of one of the factor's levels."""
    found = [(exam, level) for exam in exams if (level := factor.level_of(exam)) is not None]
    chosen = [exam for exam, _ in found]
    return Stage(
        labels=Labels.of(factor.levels, [(level, exam.patient) for exam, level in found]),
        values=tuple(values_of(chosen, field) for field in fields),
    )


def confounds_of(stage: Stage, fields: Sequence[Field], seed: int, *names: str) -> tuple[Confound, ...]:
    """Every field of a stage against the levels, judged together."""
    draws = draws_for(len(fields))
    return corrected(
        [
            confound_of(values, field, stage.labels, stream(seed, *names, field.name), draws)
            for values, field in zip(stage.values, fields, strict=True)
        ]
    )


class Naming:
    """Naming the level in the exams of one stage; None where there is nothing to name or to learn from."""

    def __init__(self, stage: Stage, fields: Sequence[Field], seed: int, *names: str) -> None:
        self.labels = stage.labels
        self.names: tuple[int | str, ...] = (seed, *names)
        levels = len(self.labels.levels)
        self.known: list[tuple[Bins, Positions]] = []
        for values, field in zip(stage.values, fields, strict=True):
            places = known_places(values)
            given = [values[place] for place in places]
            self.known.append((bins_of(given, field.kind, levels), places))
        self.fold = None
        if sum(n > 0 for n in self.labels.counts) > 1:
            self.fold = folds_of(self.labels, stream(seed, *names, "folds"))

    def _part(self, place: int) -> Labels:
        chosen = np.zeros(self.labels.exams, dtype=bool)
        chosen[self.known[place][1]] = True
        return self.labels.where(chosen)

    def alone(self, place: int) -> float | None:
        """Share named right among the exams in which this field is known."""
        bins, places = self.known[place]
        if self.fold is None or bins.count < 2:
            return None
        part = self._part(place)
        if sum(n > 0 for n in part.counts) < 2 or np.unique(self.fold[places]).size < 2:
            return None
        return accuracy_alone(bins, part, self.fold[places])

    def chance(self, place: int) -> float | None:
        """Share of the level with most exams among them."""
        return self._part(place).majority

    def together(self, wanted: Sequence[list[bool] | Positions]) -> list[float | None]:
        """Shares named right from several fields at once; each of ``wanted`` says which."""
        if self.fold is None:
            return [None] * len(wanted)
        chosen = [np.asarray(used, dtype=bool) for used in wanted]
        return list(accuracies_together(self.known, chosen, self.labels, self.fold))


def _all_but(place: int, count: int) -> list[bool]:
    return [other != place for other in range(count)]


def _one_level_each(values: Sequence[Value], labels: Labels) -> bool:
    """Whether each value is of exams of one level."""
    levels: dict[Value, set[int]] = {}
    for value, level in zip(values, labels.level, strict=True):
        if value is not None:
            levels.setdefault(value, set()).add(int(level))
    return all(len(found) == 1 for found in levels.values())
