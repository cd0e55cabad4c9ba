"""The tables of a census: how many studies there are of each kind, with no count that tells of a person."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nameplate.steps.ingest import Exam
from nameplate_ingest.census.suppress import LEAST, protected
from nameplate_ingest.census.surveyed import Surveyed
from nameplate_ingest.fields.age import OLDEST
from nameplate_ingest.fields.device import known_model
from nameplate_ingest.fields.manufacturer import normalise

_UNKNOWN = "not known"
_ANOTHER = "another one"
_NO_MODEL = "no model that is known"
_THICKNESS_MM = (1, 2, 3, 4, 5, 6)
_SEXES = {"F": "female", "M": "male"}
_OTHER_SEX = "other or not known"
_CLASSES = ("soft", "medium", "sharp")
_BIN_YEARS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One value and how many studies have it, as it is shown."""

    value: str
    shown: str
    count: int | None
    """None where it is not shown."""


@dataclass(frozen=True, slots=True)
class Table:
    """Studies by one field."""

    title: str
    rows: tuple[Row, ...]
    unit: str = "studies"
    hidden: bool = False
    """Whether there are no rows because too few studies would be left to show any."""

    @property
    def without_rows(self) -> str:
        """What stands in place of rows."""
        return "too few to show any" if self.hidden else "none"


def tables_of(studies: Sequence[Surveyed], levels: Sequence[str]) -> tuple[Table, ...]:
    """Of the studies of which a series would be used.

    ``levels`` are values that the question is about: they are the last to be withheld for others' sake.
    """
    used = [(study.exam, study.year) for study in studies if study.exam is not None]
    exams = [exam for exam, _ in used]
    makers = _table("manufacturer", (_maker(exam, levels) for exam in exams), _named, levels)
    return (
        makers,
        _models(exams, makers, levels),
        _table("kernel class", (exam.kernel_class or _UNKNOWN for exam in exams), _listed(_CLASSES)),
        _table("slice thickness", map(_thickness, exams), _listed(_thicknesses())),
        _table("year of study", (str(year) if year else _UNKNOWN for _, year in used), _named),
        _table("age", map(_age, exams), _listed(_ages())),
        _table("sex", (_SEXES.get(exam.sex or "", _OTHER_SEX) for exam in exams), _listed(_SEXES.values())),
    )


def refusals_of(studies: Sequence[Surveyed]) -> Table:
    """Series that would not be used, by the rule that refuses them."""
    reasons = (reason for study in studies for reason in study.refused)
    return replace(_table("refused, by rule", reasons, _named), unit="series")


def _table(
    title: str,
    values: Iterable[str],
    order: Callable[[Iterable[str]], list[str]],
    last: Sequence[str] = (),
) -> Table:
    counts = Counter(values)
    names = order(counts)
    rows = _rows({name: counts[name] for name in names}, _given_up(names, last))
    return Table(title, rows, hidden=bool(counts) and not rows)


def _rows(counts: Mapping[str, int], given_up: Sequence[str]) -> tuple[Row, ...]:
    shown = protected(counts, given_up)
    if shown is None:
        return ()
    return tuple(
        Row(name, shown[name], count if shown[name] == f"{count:,}" else None)
        for name, count in counts.items()
    )


def _given_up(names: Sequence[str], last: Sequence[str]) -> list[str]:
    """In which order values are withheld beside small ones: what says least first."""
    vague = [name for name in (_UNKNOWN, _OTHER_SEX, _ANOTHER, _NO_MODEL) if name in names]
    return [*vague, *(name for name in reversed(names) if name not in (*vague, *last)), *reversed(last)]


def _models(exams: Sequence[Exam], makers: Table, levels: Sequence[str]) -> Table:
    """Models of each manufacturer whose own count is shown: of another one they would give it away."""
    counts: dict[str, Counter[str]] = {row.value: Counter() for row in makers.rows if row.count is not None}
    for exam in exams:
        maker = _maker(exam, levels)
        if maker in counts:
            counts[maker][_model(exam)] += 1
    rows: list[Row] = []
    for maker, of_maker in counts.items():
        names = _named(of_maker)
        for row in _rows({name: of_maker[name] for name in names}, _given_up(names, ())):
            rows.append(Row(f"{maker}: {row.value}", row.shown, row.count))
    return Table("scanner model", tuple(rows), hidden=not rows)


def _maker(exam: Exam, levels: Sequence[str]) -> str:
    """One of the manufacturers that are known, or that the campaign names: a list's others stay inside."""
    known = exam.manufacturer in levels or normalise(exam.manufacturer) == exam.manufacturer
    return exam.manufacturer if known else _ANOTHER


def _model(exam: Exam) -> str:
    known = known_model(exam.model, exam.manufacturer)
    return known if known and known == exam.model else _NO_MODEL


def _thickness(exam: Exam) -> str:
    mm = exam.thickness_mm
    if not math.isfinite(mm) or mm <= 0:
        return _UNKNOWN
    # 4.9999 is 5, as a header's decimal numbers are rounded.
    return _thicknesses()[sum(cut <= round(mm, 2) for cut in _THICKNESS_MM)]


def _thicknesses() -> list[str]:
    between = [f"{low} to {low + 1} mm" for low in _THICKNESS_MM[:-1]]
    return [f"below {_THICKNESS_MM[0]} mm", *between, f"{_THICKNESS_MM[-1]} mm and more"]


def _age(exam: Exam) -> str:
    if exam.age is None:
        return _UNKNOWN
    return _ages()[min(int(exam.age), int(OLDEST)) // _BIN_YEARS]


def _ages() -> list[str]:
    lows = range(0, int(OLDEST), _BIN_YEARS)
    return [*(f"{low} to {low + _BIN_YEARS - 1}" for low in lows), f"{OLDEST:g} and more"]


def _named(names: Iterable[str]) -> list[str]:
    """By name; what is vague comes last."""
    vague = (_UNKNOWN, _ANOTHER, _NO_MODEL)
    return sorted(names, key=lambda name: (name in vague, name))


def _listed(values: Iterable[str]) -> Callable[[Iterable[str]], list[str]]:
    """In the order of these values; what is none of them comes last."""
    places = {value: place for place, value in enumerate(values)}
    return lambda names: sorted(names, key=lambda name: (places.get(name, len(places)), name))


def at_least(count: int) -> int:
    """A count that stays three or more below the real one, in fives: beside counts that are shown, a number
    that was made of hidden ones must not bound those. 0 for fewer than ten."""
    return LEAST * ((count - 3) // LEAST) if count >= 2 * LEAST else 0
