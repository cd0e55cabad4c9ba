"""The levels of a column that are compared: a text's values, a number's bins, with enough patients each."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from nameplate.campaign.factor import FactorSettings, FieldLevels
from nameplate.campaign.field import Value
from nameplate.errors import UserError
from nameplate_evaluation.audit.score_table import ExamColumn, ScoreTable
from nameplate_evaluation.separability.grouping import grouping

FEWEST_PATIENTS = 5
"""Of a level: with fewer nothing is said of it, and its name is not printed."""
MOST_LEVELS = 12
"""Of a column; those with the most patients."""
PARTS = 3
"""Into how many bins a number is put that has no usual ones."""
_USUAL_BINS: Mapping[str, tuple[float, ...]] = {"age": (40.0, 60.0, 80.0), "thickness_mm": (2.0, 4.0)}
_MANY = "it has many values, few exams each"
_OF_PEOPLE = re.compile(
    r"(patient|person|first|last|family|given|sur|full).?name|^name$|birth|^dob$|mrn|ssn|insur|address|phone|e.?mail"
    r"|physician|doctor|referr|operator|accession",
    re.IGNORECASE,
)
"""Names of columns that tell who somebody is."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Levels:
    """A column's levels."""

    column: ExamColumn
    names: tuple[str, ...]
    """Two or more, bins from the lowest on, values by their patients."""
    of_exam: NDArray[np.int64]
    """(exams,): place in ``names``; -1 for an exam of none of them."""
    settings: FactorSettings
    """The column and its levels as a campaign would have them."""
    small: int = 0
    """Values with too few patients."""
    small_exams: int = 0
    beyond: int = 0
    """Values with enough patients that are left out because there are more than ``MOST_LEVELS``."""
    beyond_exams: int = 0
    unknown: int = 0
    """Exams whose value is not known."""
    several: int = 0
    """Patients with exams of several levels."""

    @property
    def plural(self) -> str:
        """The title of several."""
        return self.settings.plural

    @property
    def title(self) -> str:
        """A noun in the singular."""
        return self.column.field.title

    def exams(self, level: int) -> NDArray[np.bool_]:
        """Which exams are of the level, (exams,)."""
        return np.asarray(self.of_exam == level)


def levels_of(table: ScoreTable, column: ExamColumn, bins: Mapping[str, tuple[float, ...]]) -> "Levels | str":
    """The levels of a column, or why there are not two."""
    name = column.field.name
    if _OF_PEOPLE.search(name):
        return "its name says that it tells who somebody is"
    groups: FieldLevels | None
    if column.field.kind == "number" and (cuts := bins.get(name) or _USUAL_BINS.get(name)):
        groups = FieldLevels(name=name, bins=cuts)
    elif column.field.kind == "number":
        groups = grouping(column.field, column.values, PARTS)
    else:
        groups = FieldLevels(name=name)
    if groups is None:
        return "all exams have the same value"
    spelled = _one_spelling(column)
    of_value = {value: groups.level_of_value(spelled.get(value, value)) for value in set(column.values)}
    found = [of_value[value] for value in column.values]
    pairs = {(level, patient) for level, patient in zip(found, table.patient.tolist(), strict=True) if level}
    patients = Counter(level for level, _ in pairs)
    large = [level for level, count in patients.items() if count >= FEWEST_PATIENTS]
    if column.field.kind == "text" and len(patients) > 2 * MOST_LEVELS and len(large) < len(patients) / 2:
        return _MANY
    if groups.levels:
        names = tuple(level for level in groups.levels if level in large)
    else:
        names = tuple(sorted(large, key=lambda level: (-patients[level], level))[:MOST_LEVELS])
    if len(names) < 2:
        same = len(patients) == 1
        return (
            "all exams have the same value"
            if same
            else f"fewer than two values have {FEWEST_PATIENTS} patients"
        )
    try:
        settings = FactorSettings(name=name, bins=groups.bins, levels=names, title=column.field.title)
    except ValidationError:
        settings = None
    if settings is None:
        return "its values are no names that can be printed"
    place = {level: number for number, level in enumerate(names)}
    of_exam = np.array([place.get(level or "", -1) for level in found], dtype=np.int64)
    counts = Counter(patient for level, patient in pairs if level in place)
    return Levels(
        column=column,
        names=names,
        of_exam=of_exam,
        settings=settings,
        small=len(patients) - len(large),
        small_exams=sum(level is not None and level not in large for level in found),
        beyond=len(large) - len(names),
        beyond_exams=sum(level in large and level not in place for level in found),
        unknown=sum(level is None for level in found),
        several=sum(count > 1 for count in counts.values()),
    )


def _one_spelling(column: ExamColumn) -> dict[Value, Value]:
    """Texts that differ in capitals and blanks alone, each as it is spelled most often."""
    if column.field.kind == "number":
        return {}
    counts = Counter(value for value in column.values if isinstance(value, str))
    best: dict[str, str] = {}
    for text, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        best.setdefault(_plain(text), text)
    return {text: best[_plain(text)] for text in counts}


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def parse_bins(texts: list[str]) -> dict[str, tuple[float, ...]]:
    """``COLUMN=CUT,CUT...`` by column; UserError for anything else."""
    found = {}
    for text in texts:
        name, _, cuts = text.partition("=")
        try:
            numbers = tuple(float(cut) for cut in cuts.split(","))
            FieldLevels(name=name, bins=numbers)
        except (ValueError, ValidationError) as error:
            raise UserError(
                f"--bins: expected COLUMN=CUT,CUT... with ascending cuts, got {text!r}"
            ) from error
        found[name] = numbers
    return found
