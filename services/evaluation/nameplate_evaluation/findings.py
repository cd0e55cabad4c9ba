"""What else the numbers say: description, one sentence each, and no claim."""

import numpy as np
from scipy.stats import fisher_exact

from nameplate_evaluation import own_masks
from nameplate_evaluation.advantage import Advantage
from nameplate_evaluation.analysis import ALL, Analysis, ResultGrid
from nameplate_evaluation.claim import is_small
from nameplate_evaluation.flips import flips_of
from nameplate_evaluation.mixing import gains_of
from nameplate_evaluation.rests_on import points
from nameplate_evaluation.table import interval, printed
from nameplate_evaluation.threshold import transfers_of


def findings_of(
    analysis: Analysis, grid: ResultGrid | None, advantages: tuple[Advantage, ...]
) -> tuple[str, ...]:
    """Sentences on the main experiment, on naming the level, and on segmentation."""
    lines: list[str] = []
    if grid is not None:
        lines += _by_task(grid, advantages)
        lines += _difficulty(analysis, grid)
        lines += _threshold(analysis, grid)
        lines += _mixing(analysis, grid)
        lines += _flips(analysis, grid)
        lines += _convergence(analysis, grid)
    lines += _naming(analysis)
    lines += _segmentation(analysis, advantages)
    return tuple(lines)


def _by_task(grid: ResultGrid, advantages: tuple[Advantage, ...]) -> list[str]:
    lines = []
    for metric, words in (("auroc", "AUROC"), ("accuracy", "accuracy")):
        for advantage in advantages:
            if advantage.grid is grid and advantage.group == 0 and advantage.metric == metric:
                by_task = [
                    f"{points(estimate)} on {task} ({interval(estimate, 'points')})"
                    for task, estimate in advantage.by_task.items()
                ]
                lines.append(f"By task the advantage in {words} is {', '.join(by_task)} points.")
    return lines


def _difficulty(analysis: Analysis, grid: ResultGrid) -> list[str]:
    words = []
    other = next((g for g in analysis.beside(grid) if g.mixed is not None), None)
    if other is None:
        return []
    for dataset in analysis.campaign.datasets_of(grid.experiment):
        figure = analysis.estimate(other.measured(dataset, other.mixed or "", ALL, "auroc"))
        if figure is not None:
            words.append(f"{printed(figure.mean, 'percent')} % on {dataset}")
    if len(words) < 2:
        return []
    return [f"Difficulty by itself, with mixed training on all test exams: AUROC {', '.join(words)}."]


def _threshold(analysis: Analysis, grid: ResultGrid) -> list[str]:
    transfers = transfers_of(analysis, grid)
    if not transfers:
        return []
    lost = sum(one.lost.mean for one in transfers) / len(transfers)
    returned = sum(one.returned.mean for one in transfers) / len(transfers)
    factor = analysis.campaign.factor.title
    share = 100 * analysis.campaign.analysis.specificity
    return [
        f"Carried to the other {factor}, a threshold of {share:g} % specificity loses"
        f" {printed(lost, 'spread')} points of accuracy on average over tasks and training sets;"
        f" {printed(returned, 'spread')} come back with a threshold of that {factor}'s own."
    ]


def _mixing(analysis: Analysis, grid: ResultGrid) -> list[str]:
    by_arm: dict[str, list[float]] = {}
    exams: dict[str, tuple[int | None, int | None]] = {}
    for gain in gains_of(analysis, grid):
        by_arm.setdefault(gain.arm, []).append(gain.estimate.mean)
        exams[gain.arm] = gain.exams, gain.exams_of_one
    words = [
        f"{printed(sum(values) / len(values), 'points')} points with {exams[arm][0]} exams ({arm})"
        for arm, values in by_arm.items()
    ]
    if not words:
        return []
    one = next(iter(exams.values()))[1]
    factor = analysis.campaign.factor.title
    return [f"Against training on {one} exams of one {factor}, mixed training gains {' and '.join(words)}."]


def _flips(analysis: Analysis, grid: ResultGrid) -> list[str]:
    words = [
        f"{printed(one.share.mean, 'percent')} % of the {one.dataset} answers"
        + (f" ({interval(one.share, 'percent')})" if one.share.low is not None else "")
        for one in flips_of(analysis, grid)
        if not one.training_set
    ]
    return [f"The machine alone changed {', '.join(words)}."] if words else []


def _convergence(analysis: Analysis, grid: ResultGrid) -> list[str]:
    """Whether runs converge as often on every level; those that do not are missing from all figures."""
    counts = {}
    for level, arm in analysis.own_arms(grid).items():
        cells = [c.cell.selection for c in grid.cells if c.training_set == arm]
        if cells:
            counts[level] = sum(c.converged for c in cells), sum(c.trained for c in cells)
    if len(counts) < len(analysis.levels):
        return []
    words = [f"{converged} of {trained} on {level}" for level, (converged, trained) in counts.items()]
    table = [[converged, trained - converged] for converged, trained in counts.values()]
    tail = ""
    if any(missing for _, missing in table):
        p = float(fisher_exact(np.array(table)).pvalue)
        tail = f" (Fisher's exact p {printed(p, 'p')})"
    return [f"Runs converged: {', '.join(words)} alone{tail}."]


def _naming(analysis: Analysis) -> list[str]:
    factor = analysis.campaign.factor.title
    lines = []
    for grid in analysis.of_task("factor"):
        measured = [analysis.estimate(c.measured.get((ALL, "accuracy"))) for c in grid.cells]
        known = [estimate for estimate in measured if estimate is not None]
        if known:
            values = " and ".join(f"{printed(estimate.mean, 'percent')} %" for estimate in known)
            lines.append(
                f"The {factor} is named from {grid.experiment.input.slices} slices with an accuracy of"
                f" {values}" + (" in the groups of runs." if len(known) > 1 else ".")
            )
        elif grid.cells:
            trained = sum(c.cell.selection.trained for c in grid.cells)
            lines.append(f"No run learned to name the {factor} (0 of {trained} converged).")
    return lines


def _segmentation(analysis: Analysis, advantages: tuple[Advantage, ...]) -> list[str]:
    margin = analysis.campaign.analysis.margin.dice
    lines = []
    for advantage in advantages:
        if advantage.metric != "dice":
            continue
        estimate = advantage.overall
        tail = f": within \u00b1{margin:g}" if is_small(advantage, margin) else ""
        lines.append(
            f"In {_of_what(analysis, advantage)} the advantage is"
            f" {printed(estimate.mean, 'dice points')} Dice"
            f" ({interval(estimate, 'dice points')}){tail}."
        )
    return lines


def _of_what(analysis: Analysis, advantage: Advantage) -> str:
    if advantage.grid.experiment.task == "masks":
        return f"segmentation of {own_masks.name_of(analysis)}"
    return "brain segmentation"
