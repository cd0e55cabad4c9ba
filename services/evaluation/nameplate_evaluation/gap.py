"""Gaps between the levels of the factor, and the training set's share in them."""

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nameplate.stats.delong import Comparison, compare_independent, holm, placements
from nameplate_evaluation.analysis import Analysis, CellFigures, ResultGrid
from nameplate_evaluation.measure import Estimate, Measured, combine


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
    delong: Comparison | None
    """Test of the difference of the mean AUROCs; None if there is no AUROC to test."""
    p_holm: float | None
    """DeLong's p adjusted for all gaps of this grid."""


@dataclass(frozen=True, kw_only=True)
class Advantage:
    """How much better a network does on the level that it was trained on.

    Over the training sets of one level each: the mean result on their own level's test exams minus the
    mean result on the others'. The difficulty of a level's exams, their quality for training and their
    number all cancel; what remains is the effect of the training set's factor.
    """

    grid: ResultGrid
    dataset: str
    group: int
    metric: str
    estimate: Estimate
    error_of_models: float | None
    """Standard error due to the small number of kept models, which the interval does not include. None
    with a single model in a training set."""
    parts: tuple[tuple[float, Measured], ...]


def gaps_of(analysis: Analysis, grid: ResultGrid) -> tuple[Gap, ...]:
    """All gaps of a grid, first minus second level, in the grid's order."""
    gaps: list[Gap] = []
    for figures in grid.cells:
        for first, second in combinations(analysis.levels, 2):
            by_metric = {}
            for metric in ("accuracy", "auroc", "dice"):
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
                        delong=_delong(figures, first, second) if "auroc" in by_metric else None,
                        p_holm=None,
                    )
                )
    adjusted = holm([gap.delong.p if gap.delong else None for gap in gaps])
    return tuple(Gap(**{**vars(gap), "p_holm": p}) for gap, p in zip(gaps, adjusted, strict=True))


def _delong(figures: CellFigures, first: str, second: str) -> Comparison | None:
    sides = []
    for level in (first, second):
        scores = figures.test and figures.test.of_levels({level})
        if scores is None:
            return None
        placed = placements(scores.values, scores.labels, scores.patients)
        if placed is None:
            return None
        sides.append(placed)
    return compare_independent(sides[0], sides[1])


def advantage_of(
    analysis: Analysis, grid: ResultGrid, dataset: str, metric: str, group: int = 0
) -> Advantage | None:
    """The own-level advantage on one dataset; None unless each level has a training set with kept models."""
    levels = analysis.levels
    own, other = 1.0 / len(levels), -1.0 / (len(levels) * (len(levels) - 1))
    parts = []
    spread = 0.0
    for trained in levels:
        by_model = np.zeros(1)
        for tested in levels:
            measured = grid.measured(dataset, trained, tested, metric, group)
            if measured is None:
                return None
            factor = own if trained == tested else other
            parts.append((factor, measured))
            by_model = by_model + factor * measured.by_model
        spread += float(by_model.var(ddof=1)) / by_model.size if by_model.size > 1 else math.nan
    return Advantage(
        grid=grid,
        dataset=dataset,
        group=group,
        metric=metric,
        estimate=combine(parts, analysis.confidence),
        error_of_models=None if math.isnan(spread) else math.sqrt(spread),
        parts=tuple(parts),
    )


def growth(analysis: Analysis, easy: Advantage, hard: Advantage) -> Estimate:
    """How much the advantage grows from one dataset to another, paired over the same patients."""
    parts = [*hard.parts, *((-factor, measured) for factor, measured in easy.parts)]
    return combine(parts, analysis.confidence)
