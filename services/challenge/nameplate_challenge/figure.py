"""The detection curves as one SVG: a panel a contrast, a colour and a marker a level."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from nameplate_challenge.curve import Fit
from nameplate_challenge.findings import Curve, Findings

# Okabe and Ito's palette, distinct under all common kinds of colour blindness; in grey, by markers.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_MARKERS = ("o", "s", "^", "D", "v", "P")
_STYLE: Any = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "nameplate",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e4e4",
}


def detection_svg(findings: Findings) -> str:
    """An element for the middle of a page; the same findings give the same bytes."""
    hus = sorted({curve.hu for level in findings.levels for curve in level.curves})
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(4.6 * len(hus), 3.4), layout="constrained")
        panels = figure.subplots(1, len(hus), sharey=True, squeeze=False)[0]
        for axes, hu in zip(panels, hus, strict=True):
            _panel(axes, findings, hu)
        panels[0].set_ylabel("Found, %")
        panels[0].legend(frameon=False, fontsize=8, loc="lower right")
        FigureCanvasSVG(figure)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    body = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    return body.replace("<svg", '<svg class="plot" role="img" aria-label="Detection curves"', 1)


def _panel(axes: Axes, findings: Findings, hu: float) -> None:
    for place, level in enumerate(findings.levels):
        for curve in (one for one in level.curves if one.hu == hu):
            colour, marker = _COLOURS[place % len(_COLOURS)], _MARKERS[place % len(_MARKERS)]
            # Beside each other, so that intervals do not hide one another.
            shift = 1.02 ** (place - (len(findings.levels) - 1) / 2)
            _points(axes, curve, colour, marker, shift, level.level)
    axes.axhline(100 * findings.sensitivity, color="#9a9a9a", linewidth=0.9, linestyle=(0, (4, 3)))
    radii = sorted({p.radius_mm for level in findings.levels for c in level.curves for p in c.points})
    axes.set_xscale("log")
    axes.set_xticks(radii, [f"{radius:g}" for radius in radii])
    axes.set_xticks([], minor=True)
    axes.set_ylim(-2, 102)
    axes.set_xlabel("Radius, mm")
    axes.set_title(f"{hu:+g} HU", fontsize=10)


def _points(axes: Axes, curve: Curve, colour: str, marker: str, shift: float, label: str) -> None:
    radii = np.array([point.radius_mm for point in curve.points]) * shift
    axes.plot(
        radii, [100 * point.share for point in curve.points], marker=marker, color=colour, linestyle="",
        label=label, markersize=5,
    )  # fmt: skip
    for radius, point in zip(radii, curve.points, strict=True):
        if point.low is not None and point.high is not None:
            axes.plot([radius, radius], [100 * point.low, 100 * point.high], color=colour, linewidth=1.2)
    if (line := _line(curve, radii)) is not None:
        axes.plot(line[0], 100 * line[1], color=colour, linewidth=1.6)


def _line(curve: Curve, radii: Sequence[float] | Any) -> tuple[Any, Any] | None:
    """The fitted curve between the radii that were tried."""
    if curve.r50_mm is None or curve.slope is None or curve.guess is None or curve.lapse is None:
        return None
    fit = Fit(*(np.array([value]) for value in (curve.guess, curve.lapse, np.log(curve.r50_mm), curve.slope)))
    x = np.geomspace(radii[0], radii[-1], 60)
    return x, fit.found(x)[0]
