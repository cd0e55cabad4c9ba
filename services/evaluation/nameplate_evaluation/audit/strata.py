"""The factor's gaps among exams that agree in another column: what is left once that is held fixed."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from nameplate_evaluation.audit.company import Company
from nameplate_evaluation.audit.figure import Figure, Metric, Sample, difference, weighted
from nameplate_evaluation.audit.levels import Levels
from nameplate_evaluation.measure import Estimate

FEWEST_EXAMS = 10
"""Of each level, in a stratum."""


@dataclass(frozen=True, kw_only=True)
class Within:
    """One gap of the factor within the levels of one column."""

    column: Levels
    first: str
    second: str
    strata: int
    exams: int
    """In strata with enough exams of both levels."""
    of_exams: int
    """Of both levels altogether."""
    gap: Estimate
    """Mean over the strata, weighted by their exams."""
    pooled: Estimate
    """On the exams of these strata, with no regard to the strata."""


def within_strata(
    sample: Sample,
    factor: Levels,
    metric: Metric,
    company: Company | None,
    confidence: float,
) -> tuple[Within, ...]:
    """One for each pair of levels and column that goes with the factor in part, and has such strata."""
    if company is None:
        return ()
    found = []
    for row, column in zip(company.rows, company.columns, strict=True):
        if row.kind != "partly":
            continue
        for first, second in combinations(range(len(factor.names)), 2):
            one = _within(sample, factor, (first, second), column, metric, confidence)
            if one is not None:
                found.append(one)
    return tuple(found)


def _within(
    sample: Sample,
    factor: Levels,
    pair: tuple[int, int],
    column: Levels,
    metric: Metric,
    confidence: float,
) -> Within | None:
    sides: tuple[list[Figure], list[Figure]] = ([], [])
    sizes: list[int] = []
    used = np.zeros(sample.exams, dtype=bool)
    for stratum in range(len(column.names)):
        chosen = [factor.exams(level) & column.exams(stratum) for level in pair]
        if min(int(one.sum()) for one in chosen) < FEWEST_EXAMS:
            continue
        measured = [metric(sample.where(one)) for one in chosen]
        if any(isinstance(one, str) for one in measured):
            continue
        for side, one in zip(sides, measured, strict=True):
            assert isinstance(one, Figure)
            side.append(one)
        sizes.append(int(sum(one.sum() for one in chosen)))
        used |= chosen[0] | chosen[1]
    if not sizes:
        return None
    weights = [size / sum(sizes) for size in sizes]
    pooled = [metric(sample.where(factor.exams(level) & used)) for level in pair]
    assert isinstance(pooled[0], Figure)
    assert isinstance(pooled[1], Figure)
    return Within(
        column=column,
        first=factor.names[pair[0]],
        second=factor.names[pair[1]],
        strata=len(sizes),
        exams=sum(sizes),
        of_exams=int((factor.exams(pair[0]) | factor.exams(pair[1])).sum()),
        gap=difference(weighted(sides[0], weights), weighted(sides[1], weights), confidence),
        pooled=difference(pooled[0], pooled[1], confidence),
    )
