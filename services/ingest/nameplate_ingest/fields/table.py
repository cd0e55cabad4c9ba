"""Tables of the user's own, with a row for a study: manufacturers, and fields that no header holds."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from nameplate.errors import UserError
from nameplate.steps.ingest import Exam

STUDY = "study"
"""The column with the StudyInstanceUID, or the name of a folder above the study."""
LONGEST = 64
"""Characters of a value: a longer one is a remark, and may tell of a person."""

Statement = tuple[str, str]
"""A column and what it says of a study."""


def read_table(path: Path, columns: Sequence[str], *, gaps: bool) -> dict[str, dict[str, str]]:
    """What each of ``columns`` says, by study; nothing else of the file is kept.

    Blanks around a value are left out. With ``gaps`` a value may be empty, and is left out. Raises UserError,
    without any value, for a file that is no CSV, a column that is missing or there twice, a study without a
    name or with two values in a column, and a value that is long or cannot be printed.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            rows = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as a CSV file") from error
    if any(header.count(name) != 1 for name in (STUDY, *columns)):
        *first, last = (STUDY, *columns)
        raise UserError(f"{path}: expected the columns {', '.join(first)} and {last}, each once")
    table: dict[str, dict[str, str]] = {}
    for line, row in rows:
        study = (row[STUDY] or "").strip()
        values = {name: (row[name] or "").strip() for name in columns}
        if not study or (not gaps and not all(values.values())):
            raise UserError(f"{path}, line {line}: {_must_have(columns, gaps)} must not be empty")
        told = table.setdefault(study, {})
        for name, value in values.items():
            if len(value) > LONGEST or not value.isprintable():
                raise UserError(
                    f"{path}, line {line}: {name}: expected at most {LONGEST} printable characters"
                )
            if value and told.setdefault(name, value) != value:
                raise UserError(f"{path}, line {line}: this study already has another {name}")
    return table


def _must_have(columns: Sequence[str], gaps: bool) -> str:
    return STUDY if gaps else " and ".join((STUDY, *columns))


def statements_of(table: Mapping[str, Mapping[str, str]], names: Iterable[str]) -> frozenset[Statement]:
    """All that the table says of a study under any of its names."""
    return frozenset(told for name in names if name in table for told in table[name].items())


def with_fields(exam: Exam | None, told: frozenset[Statement]) -> Exam | None:
    """The exam with the columns that say one thing of its study; where they say two, a flag tells so."""
    if exam is None or not told:
        return exam
    values: dict[str, list[str]] = {}
    for name, value in sorted(told):
        values.setdefault(name, []).append(value)
    fields = {name: found[0] for name, found in values.items() if len(found) == 1}
    flags = exam.flags if len(fields) == len(values) else (*exam.flags, "fields-disagree")
    return exam.model_copy(update={"fields": fields, "flags": flags})
