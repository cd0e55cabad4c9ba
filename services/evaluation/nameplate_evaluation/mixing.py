"""What mixed training gains over training on one level, with more exams and with as many."""

from dataclasses import dataclass

from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.measure import Estimate, Measured, combine


@dataclass(frozen=True, kw_only=True)
class Gain:
    """AUROC of an arm of all levels minus the mean of the arms of one level, averaged over test levels."""

    dataset: str
    arm: str
    exams: int | None
    """Training exams of a run; None without runs on record."""
    exams_of_one: int | None
    """Training exams of a run of one level, on average."""
    estimate: Estimate


def gains_of(analysis: Analysis, grid: ResultGrid) -> tuple[Gain, ...]:
    """By task and arm of all levels, against this grid's arms of one level; empty unless each level has one.

    The arms of all levels may be those of another experiment with the same task and cohort.
    """
    singles = list(analysis.own_arms(grid).values())
    if len(singles) < len(analysis.levels):
        return ()
    found = []
    for dataset in analysis.campaign.datasets_of(grid.experiment):
        baseline = _mean(analysis, grid, dataset, singles, -1.0)
        for other, arm in [(g, arm) for g in analysis.beside(grid) for arm in g.experiment.all_arms]:
            ours = _mean(analysis, other, dataset, [arm.name], 1.0) if arm.levels is None else None
            if ours is not None and baseline is not None:
                found.append(
                    Gain(
                        dataset=dataset,
                        arm=arm.name,
                        exams=_exams(other, dataset, [arm.name]),
                        exams_of_one=_exams(grid, dataset, singles),
                        estimate=combine([*ours, *baseline], analysis.confidence),
                    )
                )
    return tuple(found)


def _mean(
    analysis: Analysis, grid: ResultGrid, dataset: str, arms: list[str], sign: float
) -> list[tuple[float, Measured]] | None:
    parts = []
    for arm in arms:
        for level in analysis.levels:
            measured = grid.measured(dataset, arm, level, "auroc")
            if measured is None:
                return None
            parts.append((sign / (len(arms) * len(analysis.levels)), measured))
    return parts


def _exams(grid: ResultGrid, dataset: str, arms: list[str]) -> int | None:
    counts = [run.train_exams for arm in arms for c in [grid.cell(dataset, arm)] if c for run in c.cell.runs]
    return round(sum(counts) / len(counts)) if counts else None
