"""What a test against chance could have found: how large a difference, with so many patients."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtri, chndtrinc

POWER = 0.80
"""The chance of finding it that a difference needs to be called detectable."""
WORTH_FINDING = {"number": 0.80, "text": 0.37}
"""Standardised difference of a number, Cramer's V of a text.

0.8 standard deviations are commonly called a large difference (Cohen, 1988). Between two levels of equal size
they are a correlation of 0.8 / sqrt(0.8^2 + 4) = 0.37, which is V.
"""
STATISTICS = {"number": 4, "text": 2}
"""Of which the most unusual one decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """How much the exams tell of a field: noncentrality is ``information`` times the square of the effect."""

    kind: Literal["number", "text"]
    freedom: int
    """Degrees of freedom of chi-square."""
    information: float

    def detectable(self, level: float) -> float:
        """The least effect that a test at this significance level finds four times in five.

        That of the chi-square approximation at the level over the number of statistics. Infinite where
        nothing can be found.
        """
        if self.freedom < 1 or self.information <= 0:
            return float("inf")
        critical = chdtri(self.freedom, level / STATISTICS[self.kind])
        return float(np.sqrt(chndtrinc(critical, self.freedom, 1 - POWER) / self.information))

    def enough(self, level: float) -> bool:
        """Whether a difference that is worth finding would be found."""
        return self.detectable(level) <= WORTH_FINDING[self.kind]


def sensitivity_of(kind: Literal["number", "text"], patients: tuple[int, ...], values: int) -> Sensitivity:
    """From the patients of each level (at least two levels), and how many values a text has.

    Patients are counted and not exams: those of one patient may all be alike. Of a number the effect is a
    difference of the two levels with fewest patients, the others in the middle.
    """
    if kind == "number":
        first, second = sorted(patients)[:2]
        information = first * second / (first + second) if first else 0.0
        return Sensitivity(kind=kind, freedom=len(patients) - 1, information=information)
    width = min(values, len(patients)) - 1
    freedom = (values - 1) * (len(patients) - 1)
    return Sensitivity(kind=kind, freedom=freedom, information=float(sum(patients) * width))
