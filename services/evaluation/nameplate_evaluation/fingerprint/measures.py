"""The measures of a cohort's exams as columns for a probe, and their values in words."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import Group, Measure, Stage
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate.streams import stream
from nameplate_evaluation.fingerprint.design import FEW_VALUES, Column, Numbers, Texts
from nameplate_evaluation.fingerprint.draws import Labels
from nameplate_evaluation.table import DASH, MINUS

RECORD_STAGE: Stage = "as read"
"""The stage at which the exam's record is shown: the header is gone from then on."""
_RECORD: tuple[Group, ...] = ("header", "protocol")
_PICTURE: tuple[Group, ...] = tuple(group for group in get_args(Group) if group not in _RECORD)
LEAST_KNOWN_OF_A_LEVEL = 5
"""Exams with a number, below which a level cannot be compared in it."""
_SAME = {"kernel_class": "kernel", "absolute_tilt_degrees": "tilt_degrees"}
"""Fields of a record that say the same as a measure."""


@dataclass(frozen=True, slots=True)
class Measurements:
    """What was measured in a cohort's exams."""

    measures: tuple[Measure, ...]
    rows: Mapping[tuple[str, Stage], MeasuredExam]
    """By exam and stage."""
    exams: Mapping[str, Exam]
    factor: str
    """The field of the exams' records that is to be named."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """In the order of rows: what is written beside the picture first."""
        present = {measure.group for measure in self.measures}
        return tuple(group for group in (*_RECORD, *_PICTURE) if group in present)

    def of(self, *groups: Group) -> tuple[Measure, ...]:
        """The measures of these groups; without any, all that are taken from the picture."""
        return tuple(measure for measure in self.measures if measure.group in (groups or _PICTURE))

    def columns(self, labels: Labels, measures: Sequence[Measure], stage: Stage) -> list[Column]:
        """Those of the measures that exist at this stage, for the labelled exams in their order.

        A measure that is the factor itself is left out: it names its own level by definition.
        """
        rows = [self.rows.get((exam, stage)) for exam in labels.exams]
        known = {name for row in rows if row is not None for name in row.numbers}
        columns: list[Column] = []
        for measure in measures:
            if measure.name in (self.factor, _SAME.get(self.factor)):
                continue
            if measure.group in _RECORD:
                if stage == RECORD_STAGE:
                    exams = [self.exams.get(exam) for exam in labels.exams]
                    columns.append(_of_record(labels, measure, exams))
            elif measure.name in known:
                numbers = [None if row is None else row.numbers.get(measure.name) for row in rows]
                columns.append(_numbers(labels, measure.name, numbers, stage))
        return columns

    def why_missing(self, columns: Sequence[Column], stage: Stage) -> str:
        """The most frequent reason for which exams have none of these numbers at this stage, or ''."""
        names = {column.name for column in columns}
        reasons = Counter(
            why
            for (_, at), row in self.rows.items()
            if at == stage
            for name, why in row.missing.items()
            if name in names
        )
        return min(reasons, key=lambda why: (-reasons[why], why), default="")


def _of_record(labels: Labels, measure: Measure, exams: Sequence[Exam | None]) -> Column:
    values = [None if exam is None else exam.value_of(measure.name) for exam in exams]
    if measure.group == "header":
        return Texts(measure.name, tuple("" if value is None else str(value) for value in values))
    numbers = [value if isinstance(value, float) else None for value in values]
    return _numbers(labels, measure.name, numbers, RECORD_STAGE)


def _numbers(labels: Labels, name: str, values: Sequence[float | None], stage: Stage) -> Numbers:
    ranks = stream(labels.seed, *labels.names, "absent", stage, name).random(len(values))
    return Numbers(name, np.array([np.nan if v is None else v for v in values], dtype=np.float64), ranks)


def absent_levels(column: Column, labels: Labels) -> tuple[str, ...]:
    """The levels of which hardly any exam has the number; none for a text."""
    if isinstance(column, Texts):
        return ()
    known = np.isfinite(column.values)
    return tuple(
        level
        for code, level in enumerate(labels.levels)
        if known[labels.codes == code].sum() < LEAST_KNOWN_OF_A_LEVEL
    )


def level_values(column: Column, labels: Labels) -> tuple[str, ...]:
    """By level: a number's median and quartiles; of a text, or of few values, the most frequent ones."""
    if isinstance(column, Numbers):
        known = np.unique(column.values[np.isfinite(column.values)])
        if 1 < known.size <= FEW_VALUES:
            words = tuple(shown(float(v)) if np.isfinite(v) else DASH for v in column.values)
            column = Texts(column.name, words)
    if isinstance(column, Texts):
        return tuple(_most_frequent(column, labels.codes == code) for code in range(len(labels.levels)))
    return tuple(_quartiles(column, labels.codes == code) for code in range(len(labels.levels)))


def _quartiles(column: Numbers, here: NDArray[np.bool_]) -> str:
    values = column.values[here]
    values = values[np.isfinite(values)]
    if values.size == 0:
        return DASH
    low, middle, high = (shown(float(value)) for value in np.quantile(values, (0.25, 0.5, 0.75)))
    return middle if low == high else f"{middle} ({low} to {high})"


def _most_frequent(column: Texts, here: NDArray[np.bool_], most: int = 2) -> str:
    counts = Counter(value for value, is_here in zip(column.values, here, strict=True) if is_here)
    order = sorted(counts, key=lambda value: (-counts[value], value))
    words = [f"{value or 'not given'} ({counts[value]})" for value in order[:most]]
    rest = len(order) - most
    return ", ".join([*words, f"{rest} more"] if rest > 0 else words)


def shown(value: float) -> str:
    """A measured number in three digits, whole ones in full.

    >>> [shown(value) for value in (0.31249, 12.345, 1432.6, -3024.0, 0.0)]
    ['0.312', '12.3', '1433', '−3024', '0']
    """
    size = abs(value)
    text = f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.3g}"
    return (text.removesuffix(".0") if "." in text else text).replace("-", MINUS)
