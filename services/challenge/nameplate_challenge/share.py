"""A share of cases and the difference of two, for one model: the uncertainty is that of the patients alone.

Cases of one patient go together; the intervals are those of ``nameplate.stats.share``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.stats import share as stats
from nameplate.stats.contrast import Contrast, Term, contrast
from nameplate.stats.influence import Merit, mean_merit


@dataclass(frozen=True, eq=False, slots=True)
class Share:
    """How many of some cases, and what that says about others like them."""

    cases: int
    hits: int
    value: float
    low: float | None
    """None with a single patient, of which no interval can be given."""
    high: float | None
    merit: Merit
    patients: Sequence[str]
    """Of each case."""

    @property
    def known(self) -> stats.Share:
        """With its variance over patients."""
        variance = _over_patients([(1.0, self)]).variance
        patients = len(set(self.patients))
        return stats.Share(self.value, variance, patients, patients - 1)


def share_of(hits: NDArray[np.bool_], patients: Sequence[str], confidence: float) -> Share | None:
    """The share of hits, (cases,); None without cases."""
    merit = mean_merit(hits[None, :].astype(np.float64))
    if merit is None:
        return None
    found = Share(len(hits), int(hits.sum()), float(merit.values[0]), None, None, merit, patients)
    count = len(set(patients))
    if count < 2:
        return found
    low, high = found.known.interval(confidence)
    return Share(found.cases, found.hits, found.value, low, high, merit, patients)


def _over_patients(parts: Sequence[tuple[float, Share]]) -> Contrast:
    terms = [Term("", factor, share.merit, share.patients) for factor, share in parts]
    return contrast(terms, runs_vary=False)


@dataclass(frozen=True, slots=True)
class Difference:
    """The second minus the first."""

    value: float
    low: float | None
    high: float | None
    p: float | None
    """Two-sided, of no difference; below 1 - confidence just where the interval leaves out zero."""


def difference(first: Share, second: Share, confidence: float) -> Difference:
    """The difference of two shares; patients may be in both."""
    value = second.value - first.value
    if first.low is None or second.low is None:
        return Difference(value, None, None, None)
    variance = _over_patients([(1.0, second), (-1.0, first)]).variance
    patients = min(len(set(first.patients)), len(set(second.patients)))
    found = stats.Difference(second.known, first.known, variance, patients - 1)
    return Difference(value, *found.interval(confidence), found.p())
