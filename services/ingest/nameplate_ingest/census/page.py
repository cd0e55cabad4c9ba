"""A census as files: one page that needs no other, and a table of all counts."""

from collections.abc import Sequence
from html import escape

from nameplate.cohort.quality.markup import page, paragraph
from nameplate.records import csv_cell, csv_text
from nameplate_ingest.census.counts import Row, Table
from nameplate_ingest.census.section import Section

PAGE, TABLE = "census.html", "census.csv"
_STYLE = """\
<style>
.tables { columns: 340px 3; column-gap: 36px; }
.tables section { break-inside: avoid; padding-bottom: 14px; } .tables table { width: 100%; margin: 4px 0; }
.tables td:last-child { width: 1%; white-space: nowrap; padding-left: 14px; }
h3 { font-size: 16px; margin: 0; } h3 small { font-weight: 400; color: var(--soft); }
td.bar { width: 34%; padding: 4px 0; } td.bar div { height: 11px; border-radius: 2px; background: var(--link);
  opacity: .75; min-width: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
td.hidden { color: var(--soft); } dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 24px;
  margin: 10px 0 22px; } dt { color: var(--soft); max-width: 62ch; } dd { margin: 0; font-weight: 600; }
dl p { grid-column: 1 / -1; margin: 0; white-space: pre-wrap; font-size: 14px; }
@media (max-width: 700px) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 6px; } }
</style>
"""


def census_files(title: str, sections: Sequence[Section]) -> dict[str, bytes]:
    """The files by name; the same sections give the same bytes."""
    return {PAGE: _page(title, sections), TABLE: _csv(sections)}


def _page(title: str, sections: Sequence[Section]) -> bytes:
    notes = dict.fromkeys(note for section in sections for note in section.notes)
    told = "".join(paragraph(note, "note") for note in notes)
    reading = f"<h2>How to read it</h2>\n{told}" if told else ""
    return page(title, _STYLE, "".join(map(_section, sections)) + reading)


def _section(section: Section) -> str:
    lines = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" if value else f"<p>{escape(name)}</p>\n"
        for name, value in section.lines
    )
    tables = "".join(map(_table, section.tables))
    return f'<h2>{escape(section.title)}</h2>\n<dl>\n{lines}</dl>\n<div class="tables">\n{tables}</div>\n'


def _table(table: Table) -> str:
    head = f"<h3>{escape(table.title)} <small>{escape(table.unit)}</small></h3>\n"
    if not table.rows:
        return f'<section>{head}<p class="note">{table.without_rows}</p></section>\n'
    most = max((row.count or 0 for row in table.rows), default=0)
    rows = "".join(_row(row, most) for row in table.rows)
    return f"<section>{head}<table><tbody>\n{rows}</tbody></table></section>\n"


def _row(row: Row, most: int) -> str:
    """A hidden count has no bar."""
    hidden = row.count is None
    bar = "" if hidden or not most else f'<div style="width:{100 * (row.count or 0) / most:.1f}%"></div>'
    kind = ' class="hidden"' if hidden else ""
    return (
        f'<tr><td>{escape(row.value)}</td><td class="bar">{bar}</td><td{kind}>{escape(row.shown)}</td></tr>\n'
    )


def _csv(sections: Sequence[Section]) -> bytes:
    rows: list[tuple[str, ...]] = [("cohort", "table", "value", "unit", "count")]
    for section in sections:
        rows += [(section.title, "summary", name.strip(), "", value) for name, value in section.lines]
        for table in section.tables:
            rows += [(section.title, table.title, row.value, table.unit, row.shown) for row in table.rows]
    return csv_text([tuple(map(csv_cell, row)) for row in rows]).encode()
