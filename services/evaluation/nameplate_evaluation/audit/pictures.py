"""The pictures of an audit: the main metric of every level, the gaps beside the margin, ROC curves."""

import numpy as np
from matplotlib.axes import Axes

from nameplate.stats.metrics import roc_curve
from nameplate_evaluation.audit.audit import Audit, NetworkAudit
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.panel import ALL_COLOUR, FAINT, Panel, colour_of, draw

_ROW_INCHES = 0.26
_MOST_ROWS = 40
"""Of a picture of levels; the table has all."""


def pictures_of(audit: Audit) -> list[tuple[NetworkAudit, list[Panel]]]:
    """The panels of each network."""
    return [(one, _panels(audit, one, place)) for place, one in enumerate(audit.networks)]


def _panels(audit: Audit, one: NetworkAudit, place: int) -> list[Panel]:
    panels = [_gaps(audit, one, place)] if one.main_gaps else []
    panels.append(_levels(audit, one, place))
    if not audit.table.is_dice:
        panels.append(_roc(audit, one, place))
    return panels


def _name(audit: Audit) -> str:
    return "Dice" if audit.table.is_dice else "AUROC, %"


def _forest(axes: Axes, rows: list[tuple[str, Estimate | None, str]], scale: float) -> None:
    """A line for each row, from top to bottom: a point with its interval."""
    for place, (_, estimate, colour) in enumerate(rows):
        if estimate is None:
            continue
        if estimate.low is not None and estimate.high is not None:
            axes.plot(
                [scale * estimate.low, scale * estimate.high], [place, place], color=colour, linewidth=1.6
            )
        axes.plot([scale * estimate.mean], [place], color=colour, marker="o", linestyle="none")
    axes.set_yticks(range(len(rows)), [text for text, _, _ in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")


def _gaps(audit: Audit, one: NetworkAudit, place: int) -> Panel:
    scale = 1 if audit.table.is_dice else 100
    rows: list[tuple[str, Estimate | None, str]] = [
        (f"{gap.first} \u2212 {gap.second}", gap.estimate, ALL_COLOUR) for gap in one.main_gaps
    ]

    def paint(axes: Axes) -> None:
        axes.axvspan(-scale * audit.margin, scale * audit.margin, color="#eeeeee", linewidth=0)
        axes.axvline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        _forest(axes, rows, scale)
        axes.set_xlabel("Gap in Dice" if audit.table.is_dice else "Gap in AUROC, points")

    return draw(
        f"gaps-{place}",
        f"Gaps between {audit.factor.plural}",
        paint,
        size=(4.4, 1.0 + _ROW_INCHES * max(2, len(rows))),
        caption="Grey band: the margin. Bars: intervals of each gap alone.",
    )


def _levels(audit: Audit, one: NetworkAudit, place: int) -> Panel:
    scale = 1 if audit.table.is_dice else 100
    rows: list[tuple[str, Estimate | None, str]] = []
    for comparison in one.comparisons:
        for of in comparison.of_level:
            value = of.values[audit.metric]
            main = comparison is one.main
            colour = colour_of(of.level, audit.factor.names) if main else ALL_COLOUR
            text = of.level if main else f"{comparison.levels.title}: {of.level}"
            rows.append((text, value if isinstance(value, Estimate) else None, colour))
    rows = rows[:_MOST_ROWS]
    whole = one.whole.values[audit.metric]

    def paint(axes: Axes) -> None:
        if isinstance(whole, Estimate):
            axes.axvline(scale * whole.mean, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        _forest(axes, rows, scale)
        axes.set_xlabel(_name(audit))

    return draw(
        f"levels-{place}",
        "Every level of every column",
        paint,
        size=(4.4, 1.0 + _ROW_INCHES * len(rows)),
        caption="Dashed: all exams together.",
    )


def _roc(audit: Audit, one: NetworkAudit, place: int) -> Panel:
    labels = audit.table.labels
    assert labels is not None
    scores = one.network.values.mean(axis=0)

    def paint(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        for number, level in enumerate(audit.factor.names):
            chosen = audit.factor.exams(number)
            curve = roc_curve(labels[chosen], scores[chosen])
            if curve is None:
                continue
            colour = colour_of(level, audit.factor.names)
            step = max(1, len(curve.false_positive_rate) // 200)
            kept = np.r_[0 : len(curve.false_positive_rate) : step, len(curve.false_positive_rate) - 1]
            axes.plot(
                curve.false_positive_rate[kept], curve.true_positive_rate[kept], color=colour, label=level
            )
            if one.threshold is not None:
                called = scores[chosen] >= one.threshold
                truth = labels[chosen]
                axes.plot(
                    [called[~truth].mean()],
                    [called[truth].mean()],
                    color=colour,
                    marker="o",
                    linestyle="none",
                )
        axes.set_aspect("equal")
        axes.set_xlim(-0.02, 1.0)
        axes.set_ylim(0.0, 1.02)
        axes.set_xlabel("1 \u2212 specificity")
        axes.set_ylabel("Sensitivity")
        axes.legend(frameon=False, loc="lower right", fontsize=9, handlelength=1.6)

    several = "Scores averaged over the runs. " if len(one.network.runs) > 1 else ""
    return draw(
        f"roc-{place}",
        "ROC curves",
        paint,
        size=(3.4, 3.2),
        caption=f"{several}Points: the threshold." if one.threshold is not None else several,
    )
