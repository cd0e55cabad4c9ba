"""The controls: where nothing was put in nothing may be found, and what was put in must be found."""

from dataclasses import dataclass
from typing import Literal

from nameplate_evaluation import published
from nameplate_evaluation.advantage import Parts, advantage_of
from nameplate_evaluation.analysis import ALL, Analysis, ResultGrid
from nameplate_evaluation.measure import Estimate, combine

Verdict = Literal["holds", "fails", "cannot tell"]
NAMING_WITHIN = 0.10
"""A null control of naming the level holds if the interval of its AUROC is within 0.5 +- this."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One figure of a control, compared with what it must be."""

    grid: ResultGrid
    role: str
    metric: str
    what: str
    expected: str
    trained: int
    kept: int
    estimate: Estimate | None
    """None when no run was kept."""
    verdict: Verdict

    @property
    def controls(self) -> str:
        """The experiment whose claims it can carry."""
        return self.grid.experiment.name


def checks_of(analysis: Analysis) -> tuple[Check, ...]:
    """All checks of the controls.

    The intervals of null controls are widened for their number (Bonferroni): each of many checks would
    fail by chance some time.
    """
    null = [
        *(
            _naming(analysis, grid, group)
            for grid in analysis.of_task("factor", "null-control")
            for group in range(grid.experiment.groups)
        ),
        *_advantages(analysis, "null-control"),
    ]
    measured = sum(1 for check in null if check.parts)
    confidence = 1.0 - (1.0 - analysis.confidence) / max(1, measured)
    checks = [check.settled(confidence) for check in null]
    checks += [check.settled(analysis.confidence) for check in _advantages(analysis, "positive-control")]
    return tuple(checks)


@dataclass(frozen=True, kw_only=True)
class _Pending:
    grid: ResultGrid
    role: str
    metric: str
    what: str
    group: int
    parts: Parts
    at_most: float
    """For a null control: an effect of this size must be excluded, or would have been found."""
    at_ceiling: bool = False
    """Whether every task is too easy for a difference to show."""

    def settled(self, confidence: float) -> Check:
        estimate = combine(self.parts, confidence, ceiling=False) if self.parts else None
        expected = "above 0"
        if self.role == "null-control":
            expected = "0.5" if self.metric == "naming" else "0"
        cells = [c for c in self.grid.cells if c.group == self.group]
        return Check(
            grid=self.grid,
            role=self.role,
            metric=self.metric,
            what=self.what,
            expected=expected,
            trained=sum(c.cell.selection.trained for c in cells),
            kept=sum(len(c.cell.selection.kept) for c in cells),
            estimate=estimate,
            verdict=self._verdict(estimate),
        )

    def _verdict(self, estimate: Estimate | None) -> Verdict:
        if estimate is None or estimate.low is None or estimate.high is None:
            return "cannot tell"
        if self.role == "positive-control":
            if estimate.low > 0:
                return "holds"
            return "fails" if estimate.high < self.at_most else "cannot tell"
        middle = 0.5 if self.metric == "naming" else 0.0
        if not estimate.low <= middle <= estimate.high:
            return "fails"
        if self.metric == "naming":
            inside = middle - self.at_most <= estimate.low and estimate.high <= middle + self.at_most
            return "holds" if inside else "cannot tell"
        able = not self.at_ceiling and (estimate.detectable or 0.0) <= self.at_most
        return "holds" if able else "cannot tell"


def _naming(analysis: Analysis, grid: ResultGrid, group: int) -> _Pending:
    cell = next((c for c in grid.cells if c.group == group), None)
    measured = None if cell is None else cell.measured.get((ALL, "auroc"))
    of = f", group {group + 1}" if grid.experiment.groups > 1 else ""
    return _Pending(
        grid=grid,
        role="null-control",
        metric="naming",
        what=f"AUROC of naming the {analysis.campaign.factor.title}{of}",
        group=group,
        parts=() if measured is None else ((1.0, measured),),
        at_most=NAMING_WITHIN,
    )


def _advantages(analysis: Analysis, role: str) -> list[_Pending]:
    factor = analysis.campaign.factor.title
    pending = []
    for metric, unit in (("auroc", "AUROC"), ("dice", "Dice")):
        for grid in analysis.grids:
            if grid.experiment.what.compared_in[:1] != (metric,) or analysis.role(grid.cohort) != role:
                continue
            if len(analysis.own_arms(grid)) < len(analysis.levels):
                continue
            advantage = advantage_of(analysis, grid, metric)
            pending.append(
                _Pending(
                    grid=grid,
                    role=role,
                    metric=metric,
                    what=f"own-{factor} advantage in {unit}",
                    group=0,
                    parts=advantage.overall_parts if advantage else (),
                    at_most=_reference(analysis, grid, metric),
                    at_ceiling=advantage is not None and advantage.at_ceiling,
                )
            )
    return pending


def _reference(analysis: Analysis, grid: ResultGrid, metric: str) -> float:
    """The effect that a control must be able to tell: the study's own if it has one, else the paper's."""
    if metric == "dice":
        return analysis.campaign.analysis.margin.dice
    for study in analysis.study:
        if study.experiment.name == grid.experiment.name:
            advantage = advantage_of(analysis, study, metric)
            if advantage and advantage.overall.low is not None and advantage.overall.low > 0:
                return advantage.overall.mean
    return published.mean_advantage("auroc")
