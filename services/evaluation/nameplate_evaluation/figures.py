"""The plots of the report, as lists of panels."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from nameplate.stats.metrics import roc_curve
from nameplate.steps.training import Run
from nameplate_evaluation import published
from nameplate_evaluation.advantage import Gap
from nameplate_evaluation.analysis import Analysis, CellFigures, ResultGrid
from nameplate_evaluation.marks import intervals, paper_marks, tasks_below
from nameplate_evaluation.panel import (
    ALL_COLOUR,
    FAINT,
    INK,
    LEVEL_COLOURS,
    Panel,
    colour_of,
    colours_of,
    draw,
    marker_of,
)
from nameplate_evaluation.tables import METRIC_NAMES, is_paper

_POINTS_OF_A_CURVE = 60


def result_panels(analysis: Analysis, grid: ResultGrid, metric: str) -> tuple[Panel, ...]:
    """One metric on each level's test exams by difficulty, one panel per training set."""
    sets = list(dict.fromkeys(figures.training_set for figures in grid.cells))
    datasets = list(analysis.campaign.datasets_of(grid.experiment))
    return tuple(
        draw(
            f"{grid.name}-{metric}-{training_set}",
            f"Trained on {training_set}",
            lambda axes, training_set=training_set: _results(  # type: ignore[misc]
                axes, analysis, grid, metric, datasets, training_set
            ),
        )
        for training_set in sets
    )


def _results(
    axes: Axes, analysis: Analysis, grid: ResultGrid, metric: str, datasets: list[str], training_set: str
) -> None:
    levels = analysis.levels
    for place, level in enumerate(levels):
        shift = (place - (len(levels) - 1) / 2) * 0.13
        colour = colour_of(level, levels)
        estimates = [analysis.estimate(grid.measured(d, training_set, level, metric)) for d in datasets]
        intervals(axes, estimates, shift, colour, marker_of(level, levels), level)
        if is_paper(analysis):
            paper = [published.spheres(training_set, dataset, level, metric) for dataset in datasets]
            aside = shift + (0.2 if shift >= 0 else -0.2)
            paper_marks(axes, paper, aside, colour, marker_of(level, levels))
    axes.axhline(50, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
    axes.set_ylim(40, 102)
    tasks_below(axes, datasets)
    axes.set_ylabel(f"Test {METRIC_NAMES[metric] if metric == 'auroc' else METRIC_NAMES[metric].lower()}, %")


def gap_panels(analysis: Analysis, grid: ResultGrid, gaps: tuple[Gap, ...]) -> tuple[Panel, ...]:
    """Gaps in accuracy and AUROC by difficulty: one panel per pair of levels, one line per training set."""
    datasets = list(analysis.campaign.datasets_of(grid.experiment))
    shown = _drawn(grid, gaps)
    panels = []
    colours = _colours(analysis, shown)
    for first, second in dict.fromkeys((gap.first, gap.second) for gap in shown):
        for metric in ("accuracy", "auroc"):

            def paint(axes: Axes, first: str = first, second: str = second, metric: str = metric) -> None:
                for place, (training_set, colour) in enumerate(colours.items()):
                    by_dataset = {
                        gap.dataset: gap.by_metric.get(metric)
                        for gap in shown
                        if (gap.first, gap.second, gap.training_set) == (first, second, training_set)
                    }
                    shift = (place - (len(colours) - 1) / 2) * 0.15
                    intervals(
                        axes,
                        [by_dataset.get(d) for d in datasets],
                        shift,
                        colour,
                        marker_of(training_set, analysis.levels),
                        f"trained on {training_set}",
                    )
                axes.axhline(0, color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
                tasks_below(axes, datasets)
                axes.set_ylabel(f"{first} \u2212 {second}, points")

            panels.append(
                draw(
                    f"gap-{grid.name}-{metric}-{first}-{second}",
                    f"Gap in {'AUROC' if metric == 'auroc' else 'accuracy'}, {first} \u2212 {second}, "
                    f"trained on {', '.join(colours)}",
                    paint,
                )
            )
    return tuple(panels)


def roc_panels(analysis: Analysis, grid: ResultGrid) -> tuple[Panel, ...]:
    """ROC curves of the averaged outputs of the kept runs, by test level: the paper's Figure 4."""
    panels = []
    for figures in grid.cells:
        if figures.test is None:
            continue

        def paint(axes: Axes, figures: CellFigures = figures) -> None:
            axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.9, linestyle=(0, (4, 3)))
            for place, level in enumerate(analysis.levels):
                scores = figures.test and figures.test.of_levels({level})
                curve = scores and roc_curve(scores.labels, scores.values.mean(axis=0))
                if not curve:
                    continue
                fpr, tpr = curve.false_positive_rate, curve.true_positive_rate
                area = float(np.trapezoid(tpr, fpr))
                axes.plot(
                    fpr,
                    tpr,
                    color=colour_of(level, analysis.levels),
                    linestyle=("-", (0, (5, 1.5)), "-.", ":")[place % 4],
                    label=f"{level} {area:.3f}",
                )
            axes.set_xlim(-0.02, 1.0)
            axes.set_ylim(0.0, 1.02)
            axes.set_aspect("equal")
            axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
            axes.set_yticks([0, 0.5, 1], ["0", "0.5", "1"])
            axes.set_xlabel("1 \u2212 specificity")
            axes.set_ylabel("Sensitivity")
            axes.legend(frameon=False, loc="lower right", fontsize=9, handlelength=1.6)

        panels.append(
            draw(
                f"roc-{figures.cell.name}",
                f"{figures.dataset}, trained on {figures.training_set}" + _group(grid, figures),
                paint,
                size=(2.7, 2.6),
                caption=f"mean of {len(figures.test.seeds)} kept runs",
            )
        )
    return tuple(panels)


def _group(grid: ResultGrid, figures: CellFigures) -> str:
    return f", group {figures.group + 1}" if grid.experiment.groups > 1 else ""


def training_panels(grid: ResultGrid) -> tuple[Panel, ...]:
    """Losses by epoch of every run, one panel per cell."""
    panels = []
    for figures in grid.cells:
        runs = [run for run in figures.cell.runs if run.history]
        if not runs:
            continue
        kept = set(figures.cell.selection.kept)

        def paint(axes: Axes, runs: list[Run] = runs, kept: set[int] = kept) -> None:
            for run in sorted(runs, key=lambda run: run.seed in kept):
                chosen = run.seed in kept
                epochs = [e.epoch for e in run.history]
                for values, colour in (
                    ([e.train_loss for e in run.history], ALL_COLOUR),
                    ([e.val_loss for e in run.history], LEVEL_COLOURS[1]),
                ):
                    xs, ys = _thinned(epochs, values)
                    axes.plot(
                        xs,
                        ys,
                        color=colour,
                        linewidth=1.2 if chosen else 0.8,
                        alpha=0.9 if chosen else 0.35,
                        linestyle="-" if chosen else (0, (3, 2)),
                    )
            losses = [v for r in runs for e in r.history for v in (e.train_loss, e.val_loss)]
            finite = [v for v in losses if np.isfinite(v)]
            if finite:
                axes.set_ylim(0, min(max(finite), 3 * float(np.quantile(finite, 0.9))) * 1.05)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
            axes.set_xlabel("Epoch")
            axes.set_ylabel("Loss")

        converged = sum(run.outcome == "converged" for run in runs)
        panels.append(
            draw(
                f"training-{figures.cell.name}",
                f"{figures.dataset}, {figures.training_set}" + _group(grid, figures),
                paint,
                size=(2.7, 2.1),
                caption=f"{converged} of {len(runs)} converged, {len(kept)} kept",
            )
        )
    return tuple(panels)


def _thinned(xs: list[int], ys: list[float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most sixty points, first and last included, so that long trainings stay small."""
    places = np.unique(np.linspace(0, len(xs) - 1, min(len(xs), _POINTS_OF_A_CURVE)).astype(int))
    return np.asarray(xs, dtype=np.float64)[places], np.asarray(ys, dtype=np.float64)[places]


def convergence_panels(analysis: Analysis) -> tuple[Panel, ...]:
    """Share of runs that converged, by task, one bar per training set."""
    panels = []
    for grid in analysis.judged():
        datasets = list(analysis.campaign.datasets_of(grid.experiment))
        sets = list(dict.fromkeys(figures.training_set for figures in grid.cells))

        def paint(
            axes: Axes, grid: ResultGrid = grid, datasets: list[str] = datasets, sets: list[str] = sets
        ) -> None:
            width = 0.8 / max(1, len(sets))
            for place, training_set in enumerate(sets):
                for x, dataset in enumerate(datasets):
                    figures = [
                        c for c in grid.cells if (c.dataset, c.training_set) == (dataset, training_set)
                    ]
                    trained = sum(c.cell.selection.trained for c in figures)
                    if not trained:
                        continue
                    converged = sum(c.cell.selection.converged for c in figures)
                    left = x + (place - (len(sets) - 1) / 2) * width
                    axes.bar(
                        left,
                        100 * converged / trained,
                        width * 0.9,
                        color=colour_of(training_set, analysis.levels),
                        label=training_set if x == 0 else None,
                    )
                    axes.text(
                        left,
                        100 * converged / trained + 2,
                        f"{converged}/{trained}",
                        ha="center",
                        va="bottom",
                        fontsize=8,
                        color=INK,
                    )
            tasks_below(axes, datasets)
            axes.set_ylim(0, 112)
            axes.set_yticks([0, 50, 100])
            axes.set_ylabel("Runs converged, %")
            if axes.get_legend_handles_labels()[0]:
                axes.legend(
                    frameon=False,
                    fontsize=9,
                    ncols=len(sets),
                    loc="lower center",
                    bbox_to_anchor=(0.5, 1.0),
                    handlelength=1.0,
                    columnspacing=1.2,
                )

        panels.append(
            draw(
                f"convergence-{grid.name}",
                "Runs that converged, by training set",
                paint,
                size=(5.4, 2.5),
            )
        )
    return tuple(panels)


def legend_of_gaps(
    analysis: Analysis, grids: Iterable[ResultGrid], gaps: tuple[Gap, ...]
) -> tuple[tuple[str, str], ...]:
    """(training set, colour) of all that ``gap_panels`` draws of these grids."""
    drawn: dict[str, str] = {}
    for grid in grids:
        drawn |= _colours(analysis, _drawn(grid, gaps))
    return tuple(drawn.items())


def _drawn(grid: ResultGrid, gaps: tuple[Gap, ...]) -> list[Gap]:
    """The gaps of a grid that are drawn."""
    return [gap for gap in gaps if gap.grid is grid and gap.group == 0]


def _colours(analysis: Analysis, gaps: list[Gap]) -> dict[str, str]:
    """The colour of each training set, in the order in which they appear."""
    return colours_of(list(dict.fromkeys(gap.training_set for gap in gaps)), analysis.levels)


def legend_of(analysis: Analysis) -> tuple[tuple[str, str], ...]:
    """(level, colour) of the test exams, for the page's own legend."""
    return tuple((level, colour_of(level, analysis.levels)) for level in analysis.levels)
