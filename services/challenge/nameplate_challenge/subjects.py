"""Whose exams they are: patient and level of the factor, from the ingest's table or the user's own."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from nameplate.errors import UserError
from nameplate.steps.ingest import Exam

MOST_LEVELS = 12
ALL = "all"
"""The level of every exam where there is no table."""
_OF_AN_INGEST = ("manufacturer", "model", "kernel", "institution", "age", "sex", "kvp", "thickness_mm")
"""Fields that go on to the table of scores."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One exam in the table."""

    exam: str
    patient: str
    level: str
    """Of the factor; empty if it is not known."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """What else the table says, by name."""


def read_subjects(table: Path, factor: str) -> dict[str, Subject]:
    """The exams of a table by name: exams.jsonl of an ingest, or CSV or JSON lines with these columns.

    Needed are ``exam`` (the image's name without its ending), ``patient`` and the factor. Raises UserError
    for a table that cannot be read, lacks one of them, or has an exam twice.
    """
    try:
        text = table.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UserError(f"{table}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{table}: not a text in UTF-8") from error
    rows = _json_rows(table, text, factor) if table.suffix in (".jsonl", ".json") else _csv_rows(table, text)
    found: dict[str, Subject] = {}
    twice = 0
    for subject in _subjects(table, rows, factor):
        twice += subject.exam in found
        found[subject.exam] = subject
    if twice:
        raise UserError(f"{table}: {twice} rows have an exam that is there before; expected one row an exam")
    if not found:
        raise UserError(f"{table}: no exams")
    levels = {subject.level for subject in found.values() if subject.level}
    if not levels:
        raise UserError(f"{table}: no exam has a value of {factor}; choose another column with --factor")
    if len(levels) > MOST_LEVELS:
        raise UserError(
            f"{table}: {factor} has {len(levels)} values, at most {MOST_LEVELS} can be compared; "
            "group them in a column of their own"
        )
    return found


def _subjects(table: Path, rows: Iterable[Mapping[str, str]], factor: str) -> Iterator[Subject]:
    for number, row in enumerate(rows, start=1):
        for needed in ("exam", "patient", factor):
            if needed not in row:
                raise UserError(
                    f"{table}: row {number} has no column {needed}; there are {', '.join(sorted(row)[:20])}"
                )
        if not row["exam"]:
            raise UserError(f"{table}: row {number} names no exam")
        columns = {name: value for name, value in row.items() if name not in ("exam", "patient")}
        yield Subject(row["exam"], row["patient"] or row["exam"], row[factor], columns)


def _csv_rows(table: Path, text: str) -> Iterator[dict[str, str]]:
    try:
        for row in csv.DictReader(text.splitlines()):
            yield {str(name).strip(): value.strip() for name, value in row.items() if isinstance(value, str)}
    except csv.Error as error:
        raise UserError(f"{table}: not a CSV file ({error})") from error


def _json_rows(table: Path, text: str, factor: str) -> Iterator[dict[str, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{table}: line {number} is no JSON") from error
        if not isinstance(row, dict):
            raise UserError(f"{table}: line {number}: expected an object with exam, patient and {factor}")
        try:
            exam = Exam.model_validate(row)
        except ValidationError:
            yield {
                str(name): _text(value) for name, value in row.items() if not isinstance(value, dict | list)
            }
            continue
        names = dict.fromkeys((*_OF_AN_INGEST, *exam.fields, factor))
        values = {name: exam.value_of(name) for name in names}
        known = {name: _text(value) for name, value in values.items() if name in row or value is not None}
        yield {**known, "exam": exam.exam, "patient": exam.patient}


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value).strip()
