"""A table of the report: typed cells, printed as HTML by the template and as CSV here."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

from nameplate.records import csv_cell
from nameplate_evaluation.measure import Estimate

Value = str | int | float | Estimate | None
Kind = Literal["text", "count", "percent", "points", "dice", "dice points", "spread", "p", "number", "signed"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column; fractions are stored as fractions and printed by kind."""

    key: str
    label: str
    kind: Kind = "text"
    group: str = ""
    """Shared heading of neighbouring columns."""
    published: bool = False
    """Whether it holds the paper's numbers."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows and columns, with a title and a note on how to read them."""

    name: str
    """File name without its extension."""
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    note: str = ""
    section: str = ""
    """Where the page prints it; empty for tables that are only files."""
    paper: bool = False
    """Whether it is one of the paper's tables, which are numbered; the others get letters."""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.name}: {len(row)} values for {len(self.columns)} columns")

    def spanned(self) -> tuple[tuple[str, int], ...]:
        """The upper heading as (label, columns), or empty if no column has a group."""
        spans: list[tuple[str, int]] = []
        for column in self.columns:
            if spans and column.group and spans[-1][0] == column.group:
                spans[-1] = (column.group, spans[-1][1] + 1)
            else:
                spans.append((column.group, 1))
        return tuple(spans) if any(label for label, _ in spans) else ()

    def without_empty_published(self) -> "Table":
        """The same table without empty columns for the paper's numbers."""
        kept = [
            place
            for place, column in enumerate(self.columns)
            if not column.published or any(row[place] is not None for row in self.rows)
        ]
        return Table(
            self.name,
            self.title,
            tuple(self.columns[place] for place in kept),
            tuple(tuple(row[place] for place in kept) for row in self.rows),
            self.note,
            self.section,
            self.paper,
        )

    def repeated(self, place: int) -> int:
        """How many leading texts of a row repeat the row before, and need not be printed."""
        if place == 0:
            return 0
        same = 0
        for column, value, above in zip(self.columns, self.rows[place], self.rows[place - 1], strict=True):
            if column.kind != "text" or value != above or not value:
                break
            same += 1
        return same


def labelled(
    tables: Iterable[Table], *, after: int = 0, sections: Sequence[str] = ()
) -> list[tuple[str, Table]]:
    """Number the paper's tables from 1 in the order given, and letter the others from A.

    Letters follow the order of ``sections``, as a reader meets them on a page, then the order given. The
    label becomes part of the file name. ``after`` is how many letters are taken.
    """
    given = list(tables)
    places = {section: place for place, section in enumerate(sections)}
    met = sorted(given, key=lambda table: places.get(table.section, len(places)))
    numbers, letters = count(1), count(after)
    labels = {id(table): str(next(numbers)) for table in given if table.paper}
    labels |= {id(table): _letters(next(letters)) for table in met if not table.paper}
    numbered = [(labels[id(table)], table) for table in given]
    return [(label, replace(one, name=f"table-{label.lower()}-{one.name}")) for label, one in numbered]


def _letters(place: int) -> str:
    """A to Z, then AA, AB..., as spreadsheets letter their columns."""
    before, last = divmod(place, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + last)


MINUS, DASH = "\u2212", "\u2013"
_PERCENT = {"percent", "points", "spread"}
_DIGITS = {
    "percent": 1, "points": 1, "spread": 1, "dice": 3, "dice points": 3, "p": 3, "number": 2, "signed": 2,
    "count": 0, "text": 2,
}  # fmt: skip
_SIGNED = {"points", "dice points", "signed"}


def printed(value: float | None, kind: Kind, *, signed: bool = True) -> str:
    """A number for printing: percent with one decimal, Dice with three, differences with their sign.

    What has no sign, as the deviation of differences, is printed with ``signed=False``.
    """
    if value is None:
        return DASH
    if kind == "p" and value < 0.001:
        return "< 0.001"
    scaled = 100.0 * value if kind in _PERCENT else value
    text = f"{scaled:{'+' if kind in _SIGNED and signed else ''}.{_DIGITS[kind]}f}"
    if text.lstrip("+-").strip("0.") == "":
        text = text.lstrip("+-")
    return text.replace("-", MINUS)


def interval(estimate: Estimate, kind: Kind) -> str:
    """The interval for printing, or why there is none."""
    if estimate.low is None or estimate.high is None:
        return estimate.note
    return f"{printed(estimate.low, kind)} to {printed(estimate.high, kind)}"


def csv_bytes(table: Table) -> bytes:
    """The table as CSV (UTF-8, RFC 4180 quoting, fractions of 1); an estimate becomes six columns.

    Text that a spreadsheet would read as a formula gets a leading apostrophe.
    """
    estimates = [
        any(isinstance(row[place], Estimate) for row in table.rows) for place in range(len(table.columns))
    ]
    header: list[str] = []
    for column, wide in zip(table.columns, estimates, strict=True):
        parts = ("mean", "sd", "low", "high", "runs", "note") if wide else ("",)
        header += [f"{column.key}_{part}" if part else column.key for part in parts]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    for row in table.rows:
        cells: list[str] = []
        for value, wide in zip(row, estimates, strict=True):
            cells += _wide(value) if wide else [_plain(value)]
        writer.writerow(cells)
    return out.getvalue().encode()


def _wide(value: Value) -> list[str]:
    if isinstance(value, Estimate):
        return [_plain(v) for v in (value.mean, value.sd, value.low, value.high, value.models, value.note)]
    return [_plain(value), "", "", "", "", ""]


def _plain(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, str):
        return csv_cell(value)
    return str(value)
