"""The null control: without a difference between the levels, nothing may be found."""

from dataclasses import dataclass, replace
from typing import Literal

from nameplate.campaign import MIXED
from nameplate_evaluation.analysis import ALL, Analysis
from nameplate_evaluation.gap import advantage_of
from nameplate_evaluation.measure import Estimate, Measured, combine

Parts = tuple[tuple[float, Measured], ...]


@dataclass(frozen=True, kw_only=True)
class Check:
    """One figure of a null control, compared with its expected value."""

    cohort: str
    experiment: str
    what: str
    expected: float
    trained: int
    converged: int
    estimate: Estimate | None = None
    """None when no run of the cell converged."""
    verdict: Literal["holds", "fails", "not measured"] = "not measured"


def checks_of(analysis: Analysis) -> tuple[Check, ...]:
    """All checks of the null controls; intervals are widened for their number (Bonferroni)."""
    pending = [*_factor_checks(analysis), *_advantage_checks(analysis)]
    measured = sum(1 for _, parts in pending if parts)
    confidence = 1.0 - (1.0 - analysis.confidence) / max(1, measured)
    checks = []
    for check, parts in pending:
        estimate = combine(list(parts), confidence) if parts else None
        holds = None if estimate is None else estimate.holds(check.expected)
        if estimate is None or holds is None:
            checks.append(check)
        else:
            checks.append(replace(check, estimate=estimate, verdict="holds" if holds else "fails"))
    return tuple(checks)


def _factor_checks(analysis: Analysis) -> list[tuple[Check, Parts]]:
    checks: list[tuple[Check, Parts]] = []
    for grid in analysis.of_task("factor", control=True):
        for figures in grid.cells:
            selection = figures.cell.selection
            group = f", group {figures.group + 1}" if grid.experiment.groups > 1 else ""
            measured = figures.measured.get((ALL, "auroc"))
            check = Check(
                cohort=grid.cohort,
                experiment=grid.experiment.title,
                what=f"AUROC of naming the {analysis.campaign.factor.name}{group}",
                expected=0.5,
                trained=selection.trained,
                converged=selection.converged,
            )
            checks.append((check, () if measured is None else ((1.0, measured),)))
    return checks


def _advantage_checks(analysis: Analysis) -> list[tuple[Check, Parts]]:
    checks: list[tuple[Check, Parts]] = []
    for grid in analysis.of_task("spheres", control=True):
        for dataset in dict.fromkeys(figures.dataset for figures in grid.cells):
            single = [
                c.cell.selection for c in grid.cells if c.dataset == dataset and c.training_set != MIXED
            ]
            if not single:
                continue
            advantage = advantage_of(analysis, grid, dataset, "auroc")
            check = Check(
                cohort=grid.cohort,
                experiment=grid.experiment.title,
                what=f"own-{analysis.campaign.factor.name} advantage in AUROC, {dataset}",
                expected=0.0,
                trained=sum(selection.trained for selection in single),
                converged=sum(selection.converged for selection in single),
            )
            checks.append((check, advantage.parts if advantage else ()))
    return checks
