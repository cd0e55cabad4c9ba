"""The value of any field of an exam: ingest's own, derived ones, and the columns of the user's table."""

from collections.abc import Sequence

from nameplate.campaign.field import FIELDS, Field, Value, number_in
from nameplate.steps.ingest import Exam

__all__ = ["FIELDS", "Field", "Value", "fields_of", "value_of", "values_of"]


def value_of(exam: Exam, name: str) -> Value:
    """The value of a field: a finite number, a text that is not empty, or None where it is not known.

    A column of the user's is a text here, even if it looks like a number: ``values_of`` tells from all
    exams. None for a name that is no field of this exam.
    """
    return exam.value_of(name)


def fields_of(exams: Sequence[Exam]) -> tuple[Field, ...]:
    """Every field of these exams: ``FIELDS`` in order, then the user's columns by name.

    A column is a number if each of its values is one.
    """
    columns = sorted({name for exam in exams for name in exam.fields})
    return (*FIELDS.values(), *(_column(name, exams) for name in columns))


def values_of(exams: Sequence[Exam], field: Field) -> list[Value]:
    """The field's value in each exam, in the exams' order; numbers (or None) throughout for a number."""
    values = [exam.value_of(field.name) for exam in exams]
    if field.kind == "text":
        return values
    return [number_in(value) if isinstance(value, str) else value for value in values]


def _column(name: str, exams: Sequence[Exam]) -> Field:
    values = [text for exam in exams if (text := exam.fields.get(name))]
    numbers = bool(values) and all(number_in(text) is not None for text in values)
    return Field(name, "number" if numbers else "text", "", name)
