"""The progress of an ingest on a terminal: files indexed, then studies done, with rate and time left."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


def _nothing(*_: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Progress:
    """Where an ingest reports how far it is."""

    indexing: Callable[[int], None] = _nothing
    """Gets the number of files read so far."""
    converting: Callable[[int, int], None] = _nothing
    """Gets the number of studies done and of all."""


@contextmanager
def progress_on_terminal() -> Iterator[Progress]:
    """Bars on standard error while the block runs; nothing if that is not a terminal."""
    if not sys.stderr.isatty():
        yield Progress()
        return
    try:
        # Imported here: it takes longer than the ingest of a small study.
        from rich import progress as rich
        from rich.console import Console
        from rich.text import Text
    except ImportError:  # an installation of the ingest alone
        yield Progress()
        return

    class RateColumn(rich.ProgressColumn):
        """Files or studies a second."""

        def render(self, task: rich.Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.1f}/s" if speed < 10 else f"{speed:,.0f}/s")

    console = Console(file=sys.stderr, highlight=False)
    with rich.Progress(
        rich.TextColumn("{task.description:<15}"),
        rich.BarColumn(bar_width=32),
        rich.MofNCompleteColumn(),
        RateColumn(),
        rich.TimeRemainingColumn(),
        console=console,
    ) as bars:
        files = bars.add_task("files indexed", total=None)
        studies = bars.add_task("studies done", total=None, visible=False, start=False)

        def indexing(read: int) -> None:
            bars.update(files, completed=read)

        def converting(done: int, total: int) -> None:
            if not bars.tasks[studies].started:
                bars.update(files, total=bars.tasks[files].completed)
                # What an earlier run did says nothing about the time that the rest takes.
                bars.update(studies, completed=done, total=total, visible=True)
                bars.start_task(studies)
            bars.update(studies, completed=done, total=total)

        yield Progress(indexing, converting)
