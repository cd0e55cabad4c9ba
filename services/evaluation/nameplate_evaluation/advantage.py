"""The own-level advantage by task, over all tasks, and its growth; and gaps between test levels.

Each is a weighted sum of figures of cells, and ``measure.combine`` gives the interval of any of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from nameplate.stats.growth import difficulty_axis, growth_weights
from nameplate.stats.holm import holm
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.measure import AT_CEILING, Estimate, Measured, combine

Parts = tuple[tuple[float, Measured], ...]


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One cell's result on one level's test exams minus that on another's."""

    grid: ResultGrid
    dataset: str
    training_set: str
    group: int
    first: str
    second: str
    by_metric: dict[str, Estimate]
    p_holm: float | None = None
    """Of the difference in AUROC, adjusted for all gaps of this grid."""


@dataclass(frozen=True, kw_only=True)
class Advantage:
    """How much better networks do on the level that they were trained on, in one metric.

    By task: over the training sets of one level each, the mean result on their own level's test exams
    minus the mean result on the others'. On the scale on which effects add, the difficulty of a level's
    exams and their quality for training cancel; what remains is that of training and test fitting
    together.
    """

    grid: ResultGrid
    group: int
    metric: str
    by_task: dict[str, Estimate]
    missing: tuple[str, ...]
    """Tasks that lack kept runs of a training set."""
    overall: Estimate
    """Mean over the tasks."""
    growth: Estimate | None
    """From the first task to the last, by a line through all tasks; None for a single task."""
    parts: dict[str, Parts]
    """Of each task."""

    @property
    def at_ceiling(self) -> bool:
        """Whether every task is too easy for a difference to show."""
        return all(estimate.note == AT_CEILING for estimate in self.by_task.values())

    @property
    def overall_parts(self) -> Parts:
        """Of the mean over the tasks."""
        return _mean_of(self.parts)


def advantage_of(
    analysis: Analysis, grid: ResultGrid, metric: str, *, group: int = 0, best: int | None = None
) -> Advantage | None:
    """The advantage in one metric; None unless each level has a training set with kept runs in some task.

    With ``best``, only so many of the best runs of each cell count.
    """
    tasks = analysis.campaign.datasets_of(grid.experiment)
    parts: dict[str, Parts] = {}
    for task in tasks:
        if found := _parts(analysis, grid, task, metric, group, best):
            parts[task] = found
    if not parts:
        return None
    confidence = analysis.confidence
    growth = None
    if len(parts) > 1 and len(parts) == len(tasks) and grid.experiment.what.difficulties:
        weights = growth_weights(difficulty_axis(analysis.campaign.datasets.spheres.difficulties))
        weighted = [(w * f, m) for w, of in zip(weights, parts.values(), strict=True) for f, m in of]
        growth = combine(weighted, confidence, ceiling=False)
    return Advantage(
        grid=grid,
        group=group,
        metric=metric,
        by_task={task: combine(of, confidence) for task, of in parts.items()},
        missing=tuple(task for task in tasks if task not in parts),
        overall=combine(_mean_of(parts), confidence, ceiling=False),
        growth=growth,
        parts=parts,
    )


def _mean_of(parts: dict[str, Parts]) -> Parts:
    """The parts of the mean over tasks."""
    return tuple((factor / len(parts), measured) for of in parts.values() for factor, measured in of)


def _parts(
    analysis: Analysis, grid: ResultGrid, task: str, metric: str, group: int, best: int | None
) -> Parts:
    """The figures of one task with their weights; empty unless all are there."""
    levels, arms = analysis.levels, analysis.own_arms(grid)
    own, other = 1.0 / len(levels), -1.0 / (len(levels) * (len(levels) - 1))
    parts = []
    for trained in levels:
        for tested in levels:
            arm = arms.get(trained)
            measured = None if arm is None else grid.measured(task, arm, tested, metric, group)
            if measured is None:
                return ()
            parts.append((own if trained == tested else other, measured.of_runs(best)))
    return tuple(parts)


def advantages_of(analysis: Analysis, grids: Sequence[ResultGrid]) -> tuple[Advantage, ...]:
    """The advantages of these grids in every metric that has one."""
    found = []
    for grid in grids:
        for group in range(grid.experiment.groups):
            for metric in grid.experiment.what.compared_in:
                advantage = advantage_of(analysis, grid, metric, group=group)
                if advantage is not None:
                    found.append(advantage)
    return tuple(found)


def gaps_of(analysis: Analysis, grid: ResultGrid) -> tuple[Gap, ...]:
    """All gaps of a grid, first minus second level, in the grid's order."""
    gaps: list[Gap] = []
    for figures in grid.cells:
        for first, second in combinations(analysis.levels, 2):
            by_metric = {}
            for metric in ("accuracy", "auroc"):
                ours, theirs = (figures.measured.get((level, metric)) for level in (first, second))
                if ours is not None and theirs is not None:
                    by_metric[metric] = combine([(1.0, ours), (-1.0, theirs)], analysis.confidence)
            if by_metric:
                gaps.append(
                    Gap(
                        grid=grid,
                        dataset=figures.dataset,
                        training_set=figures.training_set,
                        group=figures.group,
                        first=first,
                        second=second,
                        by_metric=by_metric,
                    )
                )
    adjusted = holm([gap.by_metric["auroc"].p if "auroc" in gap.by_metric else None for gap in gaps])
    return tuple(replace(gap, p_holm=p) for gap, p in zip(gaps, adjusted, strict=True))
