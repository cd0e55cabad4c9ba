"""How alike the levels of the factor are in age and sex, before and after matching."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.factor import FieldLevels
from nameplate.steps.cohort import Member
from nameplate.steps.ingest import Exam


@dataclass(frozen=True, kw_only=True)
class BalanceRow:
    """Age and sex of one level of the factor; None if nothing is known."""

    stage: Literal["before", "after"]
    level: str
    exams: int
    patients: int
    age_known: int
    age_mean: float | None
    """Years."""
    age_sd: float | None
    """Years; the sample's, None for fewer than two ages."""
    sex_known: int
    """Exams recorded as female or male."""
    female: float | None
    """Share of females among these."""
    age_difference: float | None
    """Difference of the mean age from the first level, in pooled standard deviations."""
    female_difference: float | None
    """Difference of the share of females from the first level, in pooled standard deviations."""


def balance_table(
    exams: Sequence[Exam], members: Sequence[Member], factor: FieldLevels
) -> tuple[BalanceRow, ...]:
    """One row per level of ``exams`` (before), then one per level of those among ``members`` (after).

    A difference below 0.1 standard deviations is commonly taken as balanced (Austin 2009). It is
    None if too little is known about either level, 0 if neither varies and they are equal.
    """
    chosen = {member.exam for member in members}
    return (*_rows("before", exams, factor), *_rows("after", [e for e in exams if e.exam in chosen], factor))


def _rows(stage: Literal["before", "after"], exams: Sequence[Exam], factor: FieldLevels) -> list[BalanceRow]:
    rows = []
    first: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
    for level in factor.levels:
        of_level = [exam for exam in exams if factor.level_of(exam) == level]
        # Sorted, so that the last bits of the sums do not depend on the order of the exams.
        ages = np.sort([exam.age for exam in of_level if exam.age is not None]).astype(float)
        female = np.sort([exam.sex == "F" for exam in of_level if exam.sex in ("F", "M")]).astype(float)
        first = first or (ages, female)
        rows.append(
            BalanceRow(
                stage=stage,
                level=level,
                exams=len(of_level),
                patients=len({exam.patient for exam in of_level}),
                age_known=len(ages),
                age_mean=float(ages.mean()) if len(ages) else None,
                age_sd=float(ages.std(ddof=1)) if len(ages) > 1 else None,
                sex_known=len(female),
                female=float(female.mean()) if len(female) else None,
                age_difference=_difference(ages, first[0], ddof=1),
                female_difference=_difference(female, first[1], ddof=0),
            )
        )
    return rows


def _difference(values: NDArray[np.float64], others: NDArray[np.float64], *, ddof: int) -> float | None:
    """Standardised difference of two means."""
    if min(len(values), len(others)) <= ddof:
        return None
    gap = float(values.mean() - others.mean())
    pooled = float(np.sqrt((values.var(ddof=ddof) + others.var(ddof=ddof)) / 2))
    if pooled == 0.0:
        return 0.0 if gap == 0.0 else None
    return gap / pooled
