"""Tables that people have: CSV, TSV or the exams.jsonl of an ingest, read as columns of text."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nameplate.campaign.field import FIELDS, Value
from nameplate.errors import DamagedObject, UserError
from nameplate.records import from_jsonl
from nameplate.steps.ingest import Exam

MOST_BYTES = 2 * 1024**3
MOST_COLUMNS = 2000
_LONGEST_CELL = 10_000
_DELIMITERS = ",;\t|"
_UNKNOWN = frozenset(("na", "n/a", "nan", "null", "#n/a", "-", "?"))
"""What programs write where they know nothing."""
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+(,[0-9]+)?")


@dataclass(frozen=True, kw_only=True)
class RawTable:
    """A table as it is: columns of text of one length."""

    name: str
    """The file's name, without its folder."""
    columns: Mapping[str, Sequence[str]]
    """By name, in the file's order; texts without the blanks around them, empty where nothing is known."""
    ragged: int = 0
    """Rows that were left out because they have more or fewer cells than the header."""

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.columns)

    @property
    def rows(self) -> int:
        """How many."""
        return len(next(iter(self.columns.values()), ()))


def read_table(path: Path) -> RawTable:
    """A CSV file (comma, semicolon, tab or bar, told from its first line), or exams.jsonl of an ingest.

    Raises UserError for a file that cannot be read, is no text, or has no rows, or a header with a name twice
    or without one.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path}: larger than {MOST_BYTES // 1024**3} GB")
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    if path.suffix == ".jsonl":
        return _exams_table(path, data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not a text in UTF-8 (from Excel, save it as CSV UTF-8)") from error
    if "\0" in text:
        raise UserError(f"{path}: not a text")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        csv.field_size_limit(_LONGEST_CELL)
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: not a table: {error}") from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise UserError(f"{path}: a table without rows")
    header = [name.strip() for name in rows[0]]
    named = [name for name in header if name]  # pandas writes its index in a column without a name
    if twice := next((name for name in named if named.count(name) > 1), None):
        raise UserError(f"{path}: two columns are called {twice!r}")
    if not 0 < len(named) <= MOST_COLUMNS:
        raise UserError(f"{path}: expected 1 to {MOST_COLUMNS} columns with names, got {len(named)}")
    whole = [row for row in rows[1:] if len(row) == len(header)]
    if not whole:
        raise UserError(f"{path}: no row has as many cells as the first, {len(header)}")
    columns = {
        name: _known(cells, commas=delimiter != ",")
        for name, cells in zip(header, zip(*whole, strict=True), strict=True)
        if name
    }
    return RawTable(name=path.name, columns=columns, ragged=len(rows) - 1 - len(whole))


def _known(cells: Sequence[str], *, commas: bool) -> list[str]:
    """The cells of a column, empty where nothing is known.

    With ``commas``, where these separate no cells, a column of numbers may have them before its decimals.
    """
    texts = [cell.strip() for cell in cells]
    texts = ["" if text.casefold() in _UNKNOWN else text for text in texts]
    if commas and any("," in text for text in texts):
        given = [text for text in texts if text]
        if all(_DECIMAL_COMMA.fullmatch(text) for text in given):
            return [text.replace(",", ".") for text in texts]
    return texts


def _exams_table(path: Path, data: bytes) -> RawTable:
    try:
        exams = from_jsonl(Exam, data)
    except DamagedObject as error:
        raise UserError(f"{path}: {error}") from error
    if not exams:
        raise UserError(f"{path}: a table without rows")
    columns: dict[str, list[str]] = {"exam": [exam.exam for exam in exams]}
    columns["patient"] = [exam.patient for exam in exams]
    own = sorted({name for exam in exams for name in exam.fields})
    for name in (*FIELDS, *own):
        columns[name] = [_text(exam.value_of(name)) for exam in exams]
    return RawTable(name=path.name, columns=columns)


def _text(value: Value) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else value
