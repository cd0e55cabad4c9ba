"""The answer as a picture."""

import numpy as np
from matplotlib.axes import Axes

from nameplate_evaluation import published
from nameplate_evaluation.advantage import Advantage
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.claim import Claim
from nameplate_evaluation.curve import LEAST_TASKS, Curve
from nameplate_evaluation.effect_tables import ROLES
from nameplate_evaluation.flips import flips_of
from nameplate_evaluation.marks import intervals, paper_marks, tasks_below
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.panel import FAINT, GRID, INK, LEVEL_COLOURS, Panel, draw
from nameplate_evaluation.tables import is_paper

_WIDE = (4.6, 2.9)
"""Inches of a panel of which two fill the page's width."""


def headline_panels(analysis: Analysis, claim: Claim | None, curve: Curve | None) -> tuple[Panel, ...]:
    """The answer as a picture: the advantage by task, over all tasks and its growth; then the curve."""
    if claim is None:
        return ()
    main = claim.advantage
    panels = [_advantage_panel(analysis, main), _answer_panel(analysis, main, claim.controls)]
    if curve is not None:
        panels.insert(0, _curve_panel(analysis, curve))
    return tuple(panels)


def _advantage_panel(analysis: Analysis, advantage: Advantage) -> Panel:
    """The advantage in AUROC by task, with its margin."""
    factor = analysis.campaign.factor.title
    tasks = list(advantage.by_task)
    margin = 100 * analysis.campaign.analysis.margin.auroc

    def paint(axes: Axes) -> None:
        axes.axhspan(-margin, margin, color=GRID, alpha=0.6, linewidth=0)
        intervals(axes, list(advantage.by_task.values()), -0.08, INK, "o", "here")
        if is_paper(analysis):
            paper = [published.own_advantage(task, "auroc") for task in tasks]
            paper_marks(axes, paper, 0.12, INK, "o")
        for place, estimate in enumerate(advantage.by_task.values()):
            if estimate.low is None:
                spot = (place - 0.08, 100 * estimate.mean)
                axes.annotate(
                    estimate.note,
                    spot,
                    (0, 7),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                    color=INK,
                )
        axes.axhline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        axes.margins(y=0.12)
        tasks_below(axes, tasks)
        if len(tasks) > LEAST_TASKS - 1:
            axes.tick_params(axis="x", rotation=30, labelsize=8)
        axes.set_ylabel("AUROC advantage, points")

    return draw(f"advantage-{advantage.grid.name}", f"Own-{factor} advantage by task", paint, size=_WIDE)


def _answer_panel(analysis: Analysis, main: Advantage, controls: tuple[Advantage, ...]) -> Panel:
    """What is tested: the mean over the tasks and the growth, of the study and of its controls."""
    rows: list[tuple[str, Estimate, str]] = []
    for advantage in (main, *controls):
        role = ROLES[analysis.role(advantage.grid.cohort)]
        colour = INK if advantage is main else FAINT
        rows.append((f"{role}, all tasks", advantage.overall, colour))
        if advantage.growth is not None:
            rows.append((f"{role}, growth", advantage.growth, colour))
    margin = 100 * analysis.campaign.analysis.margin.auroc

    def paint(axes: Axes) -> None:
        axes.axvspan(-margin, margin, color=GRID, alpha=0.6, linewidth=0)
        axes.axvline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        for place, (_, estimate, colour) in enumerate(rows):
            y = len(rows) - 1 - place
            if estimate.low is not None and estimate.high is not None:
                axes.plot([100 * estimate.low, 100 * estimate.high], [y, y], color=colour, linewidth=2.2)
            axes.plot([100 * estimate.mean], [y], marker="o", markersize=7, color=colour)
        axes.set_yticks(range(len(rows)), [words for words, _, _ in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("AUROC points")

    return draw("answer", "What is tested, and the same in the controls", paint, size=_WIDE)


def _curve_panel(analysis: Analysis, curve: Curve) -> Panel:
    """The advantage over difficulty with the isotonic fit and the margin."""

    def paint(axes: Axes) -> None:
        x = np.asarray(curve.x)
        axes.axhspan(-100 * curve.margin, 100 * curve.margin, color=GRID, alpha=0.6, linewidth=0)
        order = np.argsort(x, kind="stable")
        axes.plot(x[order], 100 * curve.fit[order], color=LEVEL_COLOURS[1], drawstyle="steps-mid")
        for place, estimate in zip(x, curve.advantage.by_task.values(), strict=True):
            if estimate.low is not None and estimate.high is not None:
                axes.plot([place, place], [100 * estimate.low, 100 * estimate.high], color=INK, linewidth=1.4)
            axes.plot([place], [100 * estimate.mean], marker="o", color=INK)
        axes.axhline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
        if x[0] > x[-1]:
            axes.invert_xaxis()
        axes.set_xlabel(curve.axis if curve.axis != "task" else "Task, easy to hard")
        axes.set_ylabel("AUROC advantage, points")

    onset = f"leaves the margin at {curve.onset}" if curve.onset else "never leaves the margin"
    shown = f"shown from {curve.shown} on" if curve.shown else "shown at no task"
    return draw(
        "curve",
        f"Advantage by difficulty, of {analysis.campaign.factor.title}",
        paint,
        size=_WIDE,
        caption=f"Line: the best curve that never falls; it {onset} ({shown}).",
    )


def flips_panels(analysis: Analysis, grids: tuple[ResultGrid, ...]) -> tuple[Panel, ...]:
    """Share of heads whose answer the machine alone changed, by task."""
    panels = []
    for grid in grids:
        shown = [one for one in flips_of(analysis, grid) if not one.training_set]
        if not shown:
            continue
        by_task: list[Estimate | None] = [one.share for one in shown]
        tasks = [one.dataset for one in shown]

        def paint(axes: Axes, by_task: list[Estimate | None] = by_task, tasks: list[str] = tasks) -> None:
            intervals(axes, by_task, 0.0, INK, "o", "flips")
            tasks_below(axes, tasks)
            axes.set_ylim(bottom=0)
            axes.set_ylabel("Heads, %")

        panels.append(draw(f"flips-{grid.name}", f"Answers that flip between twins, {grid.cohort}", paint))
    return tuple(panels)
