"""One small plot as an SVG string: the same values give the same bytes."""

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

# Okabe and Ito's palette, distinct under all common kinds of colour blindness; in grey, by markers.
LEVEL_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
ALL_COLOUR, INK, FAINT, GRID = "#444444", "#222222", "#9a9a9a", "#e4e4e4"
GREYS = (ALL_COLOUR, "#a0a0a0", "#6f6f6f", "#c8c8c8")
MARKERS = ("o", "s", "^", "D", "v", "P")

_STYLE: Any = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "nameplate",
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "axes.edgecolor": "#888888",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.8,
    "lines.markersize": 6,
    "path.simplify": True,
}


@dataclass(frozen=True, slots=True)
class Panel:
    """A small plot with its title; the page places panels side by side or below each other."""

    title: str
    svg: str
    """Our own markup, safe to insert unescaped."""
    caption: str = ""


def colour_of(level: str, levels: tuple[str, ...]) -> str:
    """The colour of a level of the factor; grey for everything else ('mixed')."""
    return LEVEL_COLOURS[levels.index(level) % len(LEVEL_COLOURS)] if level in levels else ALL_COLOUR


def colours_of(sets: Sequence[str], levels: tuple[str, ...]) -> dict[str, str]:
    """The colours of training sets in one plot: those of levels, and a grey for each of the others."""
    others = [name for name in sets if name not in levels]
    greys = {name: GREYS[place % len(GREYS)] for place, name in enumerate(others)}
    return {name: greys.get(name) or colour_of(name, levels) for name in sets}


def marker_of(level: str, levels: tuple[str, ...]) -> str:
    """The marker of a level of the factor."""
    return MARKERS[levels.index(level) % len(MARKERS)] if level in levels else "X"


def draw(
    name: str,
    title: str,
    paint: Callable[[Axes], None],
    *,
    size: tuple[float, float] = (3.1, 2.7),
    caption: str = "",
) -> Panel:
    """Paint on fresh axes and return the panel; ``name`` makes the ids unique in the page.

    ``size`` is in inches. The title is not part of the plot: the page prints it as text.
    """
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        paint(figure.add_subplot())
        FigureCanvasSVG(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return Panel(title, _inline(out.getvalue(), name, title), caption)


def _inline(svg: str, name: str, title: str) -> str:
    """A whole SVG file -> an element for the middle of a page, its ids prefixed by ``name``."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style type=\"text/css\">.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    width, height = re.findall(r'(?:width|height)="([\d.]+)pt"', body)[:2]
    body = re.sub(
        r"<svg[^>]*>",
        f'<svg class="plot" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}"'
        ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        ' stroke-linejoin="round">',
        body,
        count=1,
    )
    prefix = re.sub(r"[^a-zA-Z0-9-]", "-", name)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'(xlink:href|href)="#', rf'\1="#{prefix}-', body)
    body = body.replace("url(#", f"url(#{prefix}-")
    body = body.replace("'DejaVu Sans'", "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif")
    return re.sub(r"\n\s*", "\n", body)
