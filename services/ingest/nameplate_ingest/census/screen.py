"""A census on a terminal: with rich where that is installed and somebody looks, else as plain text."""

import sys
from collections.abc import Iterator, Sequence

from nameplate.service.columns import aligned
from nameplate_ingest.census.counts import Table
from nameplate_ingest.census.section import Section


def print_census(sections: Sequence[Section]) -> None:
    """Print the sections."""
    if sys.stdout.isatty() and _print_rich(sections):
        return
    print("\n".join(plain_lines(sections)))  # noqa: T201  (the command's output)


def plain_lines(sections: Sequence[Section]) -> Iterator[str]:
    """The sections as text."""
    for place, section in enumerate(sections):
        if place:
            yield ""
        yield section.title
        width = max((len(name) for name, value in section.lines if value), default=0)
        for name, value in section.lines:
            yield f"  {name:<{width}}  {value}" if value else f"  {name}"
        for table in section.tables:
            yield ""
            yield from (f"  {line}" for line in _plain_table(table))
        for note in section.notes:
            yield ""
            yield from (f"  {line}" for line in _wrapped(note))


def _plain_table(table: Table) -> list[str]:
    if not table.rows:
        return [table.title, f"  {table.without_rows}"]
    return aligned([[table.title, table.unit], *([row.value, row.shown] for row in table.rows)], 1)


def _wrapped(text: str) -> list[str]:
    from textwrap import wrap

    return wrap(text, 100)


def _print_rich(sections: Sequence[Section]) -> bool:
    """Whether rich could print them."""
    try:
        # Imported here: it takes longer than the census of a small folder.
        from rich.box import SIMPLE_HEAD
        from rich.columns import Columns
        from rich.console import Console
        from rich.padding import Padding
        from rich.table import Table as Grid
        from rich.text import Text
    except ImportError:  # an installation of the ingest alone
        return False
    console = Console(highlight=False)
    for place, section in enumerate(sections):
        console.print(Text(("\n" if place else "") + section.title, style="bold"))
        lines = Grid.grid(padding=(0, 2))
        for name, value in section.lines:
            lines.add_row(Text(name), Text(value, style="bold"))
        console.print(Padding(lines, (0, 0, 1, 2)))
        grids = []
        for table in section.tables:
            grid = Grid(box=SIMPLE_HEAD)
            grid.add_column(Text(table.title), no_wrap=True)
            grid.add_column(Text(table.unit), justify="right")
            for row in table.rows:
                grid.add_row(Text(row.value), Text(row.shown, style="" if row.count is not None else "dim"))
            if not table.rows:
                grid.add_row(Text(table.without_rows, style="dim"), "")
            grids.append(grid)
        console.print(Columns(grids))
        for note in section.notes:
            console.print(Text(note, style="dim"))
    return True
