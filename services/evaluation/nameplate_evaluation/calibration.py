"""Calibration by level: whether a score of 0.8 means 80 % on the exams of every level."""

from dataclasses import dataclass

from nameplate.stats.influence import calibration_merits
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.measure import Estimate, Measured


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Intercept and slope of one cell on one level's test exams; 0 and 1 are perfect."""

    dataset: str
    training_set: str
    tested: str
    intercept: Estimate
    slope: Estimate


def calibrations_of(analysis: Analysis, grid: ResultGrid) -> tuple[Calibration, ...]:
    """Of every cell and level, but where a run separates the classes: no slope is finite there."""
    found = []
    for figures in grid.cells:
        for level in analysis.levels:
            scores = figures.test and figures.test.of_levels({level})
            area = figures.measured.get((level, "auroc"))
            if scores is None or area is None or area.at_ceiling or area.merit.values.max() == 1.0:
                continue
            merits = calibration_merits(scores.values, scores.labels)
            if merits is None or figures.group:
                continue
            intercept, slope = (
                Measured(
                    cell=figures.cell.name,
                    merit=merit,
                    exams=scores.exams,
                    patients=scores.patients,
                    unbounded=True,
                )
                for merit in merits
            )
            found.append(
                Calibration(
                    dataset=figures.dataset,
                    training_set=figures.training_set,
                    tested=level,
                    intercept=intercept.estimate(analysis.confidence),
                    slope=slope.estimate(analysis.confidence),
                )
            )
    return tuple(found)
