"""The advantage of the own level within strata: among test exams that agree in a field.

If the advantage came with the field alone, it would be smaller among exams that have the same value. It is
compared with the advantage on the same exams taken together, as exams outside the strata may be easier or
harder. The networks are those that were trained on all exams: only the test exams are chosen.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from nameplate.campaign.factor import FieldLevels
from nameplate.campaign.field import Field
from nameplate.cohort.fields import values_of
from nameplate.steps.ingest import Exam
from nameplate_evaluation.advantage import Advantage, Parts, advantage_of
from nameplate_evaluation.analysis import Analysis, CellFigures, ResultGrid
from nameplate_evaluation.measure import Estimate, combine, measure
from nameplate_evaluation.separability.grouping import grouping
from nameplate_evaluation.separability.separability import FieldRow, Separability

FEWEST_EXAMS = 10
"""Test exams of each level that a stratum needs."""
PARTS = (4, 3)
"""Into how many groups a number is cut: the first that leaves a stratum with enough exams."""


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """Test exams of one group of values."""

    name: str
    exams: tuple[int, ...]
    """Of each level."""
    advantage: Estimate


@dataclass(frozen=True, kw_only=True)
class Stratified:
    """The advantage in AUROC over all tasks, within the strata of one field."""

    cohort: str
    field: Field
    strata: tuple[Stratum, ...]
    """Those with enough exams of each level, at least one."""
    exams: int
    """Test exams in these strata."""
    of_exams: int
    """Test exams altogether."""
    within: Estimate
    """Mean over the strata, weighted by their exams."""
    together: Estimate
    """On the exams of these strata, with no regard to the strata."""
    whole: Estimate
    """On all test exams."""
    change: Estimate
    """Within minus together: of the same networks and exams."""

    @property
    def shrinks(self) -> bool:
        """Whether the advantage is shown to be smaller within the strata."""
        return self.together.mean > 0 and self.change.high is not None and self.change.high < 0


def stratified(
    analysis: Analysis, grid: ResultGrid, separability: Separability, exams: Sequence[Exam]
) -> tuple[Stratified, ...]:
    """One for each field that overlaps in part, could do so by nature, and has a stratum with enough exams.

    ``exams`` are those of the grid's cohort, which must be the one of ``separability``.
    """
    whole = advantage_of(analysis, grid, "auroc")
    tested = _test_exams(grid)
    if whole is None or not tested:
        return ()
    chosen = [exam for exam in sorted(exams, key=lambda exam: exam.exam) if exam.exam in tested]
    found = (
        _within(analysis, grid, whole, row, chosen)
        for row in separability.of_kind("partly")
        if not row.is_nested
    )
    return tuple(one for one in found if one is not None)


def _test_exams(grid: ResultGrid) -> frozenset[str]:
    return frozenset(exam for cell in grid.cells if cell.test is not None for exam in cell.test.exams)


def _within(
    analysis: Analysis, grid: ResultGrid, whole: Advantage, row: FieldRow, exams: Sequence[Exam]
) -> Stratified | None:
    values = values_of(exams, row.field)
    for parts in PARTS:
        groups = grouping(row.field, values, parts)
        strata = [] if groups is None else _strata(analysis, grid, whole, groups, exams)
        if strata:
            break
    else:
        return None
    total = sum(sum(stratum.exams) for stratum, _, _ in strata)
    weighted: Parts = tuple(
        (factor * sum(stratum.exams) / total, measured)
        for stratum, advantage, _ in strata
        for factor, measured in advantage.overall_parts
    )
    union = frozenset[str]().union(*(names for _, _, names in strata))
    together = advantage_of(analysis, restricted(analysis, grid, union), "auroc")
    if together is None or set(together.by_task) != set(whole.by_task):
        return None
    less = tuple((-factor, measured) for factor, measured in together.overall_parts)
    confidence = analysis.confidence
    return Stratified(
        cohort=grid.cohort,
        field=row.field,
        strata=tuple(stratum for stratum, _, _ in strata),
        exams=total,
        of_exams=len(exams),
        within=combine(weighted, confidence, ceiling=False),
        together=together.overall,
        whole=whole.overall,
        change=combine((*weighted, *less), confidence, ceiling=False),
    )


def _strata(
    analysis: Analysis, grid: ResultGrid, whole: Advantage, groups: FieldLevels, exams: Sequence[Exam]
) -> list[tuple[Stratum, Advantage, frozenset[str]]]:
    """The strata in which every level has enough exams and every task of ``whole`` has an advantage.

    With their exams' names.
    """
    by_name: dict[str, list[Exam]] = {}
    for exam in exams:
        if (name := groups.level_of(exam)) is not None:
            by_name.setdefault(name, []).append(exam)
    factor = analysis.campaign.factor
    strata = []
    for name in groups.levels or sorted(by_name):
        rows = by_name.get(name, [])
        counts = tuple(sum(factor.level_of(exam) == level for exam in rows) for level in factor.levels)
        if min(counts) < FEWEST_EXAMS:
            continue
        names = frozenset(exam.exam for exam in rows)
        part = restricted(analysis, grid, names)
        advantage = advantage_of(analysis, part, "auroc")
        if advantage is not None and set(advantage.by_task) == set(whole.by_task):
            stratum = Stratum(name=name, exams=counts, advantage=advantage.overall)
            strata.append((stratum, advantage, names))
    return strata


def restricted(analysis: Analysis, grid: ResultGrid, exams: Collection[str]) -> ResultGrid:
    """The grid with the AUROCs of these test exams alone."""
    cells = []
    for figures in grid.cells:
        test = figures.test
        if test is not None:
            test = test.where(np.array([exam in exams for exam in test.exams], dtype=bool))
        measured = {}
        for level in analysis.levels:
            scores = test and test.of_levels({level})
            if scores is not None and (figure := measure(figures.cell.name, "auroc", scores)) is not None:
                measured[level, "auroc"] = figure
        cells.append(CellFigures(figures.cell, None, test, measured))
    return ResultGrid(grid.experiment, grid.cohort, tuple(cells))
