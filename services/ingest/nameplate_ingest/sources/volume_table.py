"""The table beside volumes: a row an exam, of which the named columns are read and nothing else."""

import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from nameplate.campaign.sources.volumes import ColumnSettings
from nameplate.errors import UserError
from nameplate_ingest.fields.table import LONGEST, Statement

_MOST_BYTES = 64 << 20
_LONGEST_PATH = 1024
_DELIMITERS = (",", ";", "\t", "|")
_MOST_SHOWN = 20
"""Columns that an error names."""
BY_THEMSELVES = (
    *("patient", "manufacturer", "model", "software", "kernel", "age", "sex", "kvp", "exposure_mas"),
    "thickness_mm",
)
"""Roles whose column is found by its name; an institution is read where it is asked for alone."""
_HEADING = re.compile(r"[A-Za-z][\w .()/%-]{0,39}")
"""What looks like a column's name; anything else may be a value, and is not shown."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the table says of one exam."""

    exam: str
    values: Mapping[str, str]
    """By the name of the setting (``manufacturer``, ``age``), without empty ones."""
    told: frozenset[Statement]
    """The further columns of the user's, without empty ones."""


def read_rows(path: Path, columns: ColumnSettings, fields: Sequence[str]) -> list[Row]:
    """The rows of the table, in its order.

    A column that is called as what it may hold (BY_THEMSELVES) needs no setting. Blanks around a value are
    left out. Raises UserError, without any value, for a file that is no table, a column that is missing or
    there twice, a further column that would tell who somebody is, an exam without a name or there twice, and
    a value that is long or cannot be printed.
    """
    wanted = {name: column for name, column in columns.model_dump().items() if column is not None}
    lines = _lines(path)
    header = [name.strip() for name in next(lines, (0, []))[1]]
    wanted |= _called_so(header, {*wanted.values(), *fields}, set(BY_THEMSELVES) - wanted.keys())
    for name in ("exam", "patient", "file"):
        if wanted.get(name) in fields:
            raise UserError(f"fields: {wanted[name]!r} is the column of columns.{name}, which may not leave")
    for setting, column in (*((f"columns.{name}", one) for name, one in wanted.items()), *_named(fields)):
        _check_column(path, header, setting, column)
    places = {column: header.index(column) for column in (*wanted.values(), *fields)}
    rows: dict[str, Row] = {}
    for line, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            raise UserError(f"{path}, line {line}: has more cells than the first line has columns")
        of_column = {
            column: cells[place].strip() if place < len(cells) else "" for column, place in places.items()
        }
        for column, value in of_column.items():
            _check_value(path, line, column, value, of_file=column == columns.file)
        values = {name: of_column[column] for name, column in wanted.items() if of_column[column]}
        exam = values.pop("exam", "")
        if not exam:
            raise UserError(f"{path}, line {line}: {columns.exam} must not be empty")
        if exam in rows:
            raise UserError(f"{path}, line {line}: {columns.exam} is that of an earlier line")
        told = frozenset((column, of_column[column]) for column in fields if of_column[column])
        rows[exam] = Row(exam, values, told)
    if not rows:
        raise UserError(f"{path}: the table has no rows")
    return list(rows.values())


def _called_so(header: Sequence[str], taken: Collection[str], roles: Collection[str]) -> dict[str, str]:
    """Columns that are called as a role and named nowhere; small and capital letters are alike."""
    free = [name for name in header if name not in taken]
    found = {role: [name for name in free if name.casefold() == role] for role in sorted(roles)}
    return {role: names[0] for role, names in found.items() if len(names) == 1}


def _named(fields: Sequence[str]) -> list[tuple[str, str]]:
    return [("fields", column) for column in fields]


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line; the first one decides what is between cells."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"{path}: larger than a table of exams can be ({_MOST_BYTES >> 20} MiB)")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError:
        raise UserError(f"{path}: not a table in UTF-8; save it as CSV UTF-8") from None
    if not text.strip():
        raise UserError(f"{path}: the table is empty")
    try:
        delimiter = _delimiter(text)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error:
        raise UserError(f"{path}: cannot be read as a CSV or TSV file") from None


def _delimiter(text: str) -> str:
    """Of the usual ones the one that parts the first line into most cells."""
    counts = {
        delimiter: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), []))
        for delimiter in _DELIMITERS
    }
    return max(_DELIMITERS, key=lambda delimiter: counts[delimiter])


def _check_column(path: Path, header: Sequence[str], setting: str, column: str) -> None:
    count = Counter(header)[column]
    if count == 1:
        return
    if count:
        raise UserError(f"{path}: column {column!r} ({setting}) is there {count} times")
    shown = [name for name in header if _HEADING.fullmatch(name)]
    if len(shown) < len([name for name in header if name]):
        shown = []  # a first line of values is no header, and is not repeated
    near = get_close_matches(column.casefold(), [name.casefold() for name in shown], n=1)
    meant = next((name for name in shown if near and name.casefold() == near[0]), None)
    told = f"; did you mean {meant!r}?" if meant else ""
    if shown:
        more = ", ..." if len(shown) > _MOST_SHOWN else ""
        told += f" (there are: {', '.join(shown[:_MOST_SHOWN])}{more})"
    else:
        told += " (its first line does not look like names of columns)"
    raise UserError(f"{path}: no column {column!r} ({setting}){told}")


def _check_value(path: Path, line: int, column: str, value: str, *, of_file: bool) -> None:
    longest = _LONGEST_PATH if of_file else LONGEST
    if len(value) > longest or not value.isprintable():
        raise UserError(f"{path}, line {line}: {column}: expected at most {longest} printable characters")
