"""A weighted sum of figures, with its variance over runs and patients: one estimator for every question.

Runs are readers and exams are cases, and both are random: an interval is about other networks trained by
the same protocol and tested on other patients. This is the analysis of multi-reader multi-case studies of
Obuchowski and Rockette 1995 with the degrees of freedom of Hillis 2007, for runs that are nested in their
cell (a training set and a task) and crossed with exams, and exams nested in patients.
"""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from nameplate.stats.influence import Merit

POWER = 0.80
"""Of the smallest detectable value: it would be found in four campaigns of five."""
_ROUNDING = 1e-20
"""A smaller variance is what rounding leaves; one wrong answer in ten thousand makes one of 1e-8."""


@dataclass(frozen=True, eq=False, slots=True)
class Term:
    """One figure of one cell in a weighted sum."""

    cell: Hashable
    """Terms of one cell are of the same runs, in the same order."""
    factor: float
    merit: Merit
    patients: Sequence[str] | NDArray[np.int64]
    """Of the exams of ``merit``, in its order: names in all terms of a sum, or numbers in all."""


@dataclass(frozen=True, slots=True)
class Contrast:
    """A weighted sum of figures and where its uncertainty comes from."""

    value: float
    cases: float
    """Variance over patients."""
    runs: float
    """Variance over training runs."""
    df: float | None
    """Degrees of freedom; None with a single run in a cell, of which no interval over runs can be given."""
    kept: tuple[int, ...]
    """Runs of each cell."""

    @property
    def variance(self) -> float:
        """Of the value, over runs and patients."""
        return self.cases + self.runs

    @property
    def run_share(self) -> float | None:
        """Share of the variance that is the runs'; None without an interval."""
        return None if self.df is None or self.variance <= 0 else self.runs / self.variance

    def interval(self, confidence: float) -> tuple[float, float] | None:
        """The interval of this confidence."""
        if self.df is None:
            return None
        reach = float(student.ppf((1 + confidence) / 2, self.df)) * math.sqrt(self.variance)
        return self.value - reach, self.value + reach

    def p(self) -> float | None:
        """Two-sided, of the value being zero; None when nothing varies."""
        if self.df is None or self.variance <= 0:
            return None
        return float(2 * student.sf(abs(self.value) / math.sqrt(self.variance), self.df))

    def detectable(self, confidence: float) -> float | None:
        """The smallest value that an analysis like this would find with a power of 80 %."""
        if self.df is None:
            return None
        return _reach(confidence, self.df) * math.sqrt(self.variance)

    def detectable_with(self, confidence: float, *, runs: float = 1.0, patients: float = 1.0) -> float | None:
        """The same with so many times the runs and patients, at the same degrees of freedom."""
        if self.df is None:
            return None
        return _reach(confidence, self.df) * math.sqrt(self.cases / patients + self.runs / runs)


def _reach(confidence: float, df: float) -> float:
    """Standard errors between zero and a value that is found with the power wanted."""
    return float(student.ppf((1 + confidence) / 2, df)) + float(student.ppf(POWER, df))


def contrast(terms: Sequence[Term], *, runs_vary: bool = True) -> Contrast:
    """The sum of factor x figure over the terms, each figure averaged over the runs of its cell.

    The variance over patients is that of the sums of influences; what the few runs add to it by their
    own noise on the same exams is taken off again (it is in the variance over runs already). Without
    ``runs_vary`` the sum is about these very runs, one or several, and other patients: there is no variance
    over runs, and the degrees of freedom are those of the patients, fewer where few patients bear most of it.
    """
    columns, patients = _numbered([term.patients for term in terms])
    by_cell: dict[Hashable, list[int]] = {}
    for place, term in enumerate(terms):
        by_cell.setdefault(term.cell, []).append(place)
    value, runs, cases, spread = 0.0, 0.0, 0.0, 0.0
    total = np.zeros(patients)
    kept: list[int] = []
    for places in by_cell.values():
        k = terms[places[0]].merit.values.size
        values, influence = np.zeros(k), np.zeros((k, patients))
        for place in places:
            term = terms[place]
            values += term.factor * term.merit.values
            for run in range(k):
                influence[run] += np.bincount(
                    columns[place], weights=term.factor * term.merit.influence[run], minlength=patients
                )
        value += float(values.mean())
        total += influence.mean(axis=0)
        kept.append(k)
        if k > 1 and runs_vary:
            of_runs = float(values.var(ddof=1)) / k
            runs += of_runs
            spread += of_runs**2 / (k - 1)
            products = influence @ influence.T
            own = float(np.trace(products)) / k
            shared = float(products.sum() - np.trace(products)) / (k * (k - 1))
            cases -= (own - shared) / k
    cases = max(cases + float(total @ total), 0.0)
    if cases + runs < _ROUNDING:
        cases = runs = spread = 0.0
    # Hillis' degrees of freedom, and those of the patients beside them: few patients are few, too.
    spread += cases**2 / (max(patients - 1, 1) if runs_vary else _borne_by(total))
    df = (cases + runs) ** 2 / spread if spread > 0 else math.inf
    one_run = runs_vary and min(kept) < 2
    return Contrast(value=value, cases=cases, runs=runs, df=None if one_run else df, kept=tuple(kept))


def _borne_by(influence: NDArray[np.float64]) -> float:
    """Degrees of freedom of the sum of squares of the patients' influences, at most their number minus one.

    A variance V that is known with a variance W has 2 V^2 / W of them (Satterthwaite 1946); here W is that of
    a sum of independent squares. Near an AUROC of 1 a handful of patients makes nearly all of the variance:
    intervals with as many degrees of freedom as patients held the truth in 91 instead of 95 %.
    """
    squares = influence**2
    variance = float(squares.sum())
    of_variance = float(squares @ squares) - variance**2 / len(squares)
    most = max(len(squares) - 1.0, 1.0)
    return min(2 * variance**2 / of_variance, most) if of_variance > 0 else most


def _numbered(patients: Sequence[Sequence[str] | NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], int]:
    """The patients of each term as numbers from 0 without a gap, and how many there are."""
    if all(isinstance(of_term, np.ndarray) for of_term in patients):
        different, columns = np.unique(np.concatenate(patients), return_inverse=True)
        ends = np.cumsum([len(of_term) for of_term in patients])[:-1]
        return list(np.split(columns.astype(np.int64), ends)), different.size
    number: dict[object, int] = {}
    found = [[number.setdefault(patient, len(number)) for patient in of_term] for of_term in patients]
    return [np.array(of_term, dtype=np.int64) for of_term in found], len(number)
