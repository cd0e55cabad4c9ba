"""A share of cases and the difference of two, for one model: the uncertainty is that of the patients alone.

Cases of one patient go together. The variance is that of the sums of influences by patient
(``nameplate.stats``); with it go an effective number of independent cases, Wilson's interval for that number
(which stays within 0 to 1 and has a length where all or none are found), and for differences Newcombe's
combination of two such intervals (1998), with the correlation that shared patients bring (Zou and Donner
2008).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from nameplate.stats.influence import mean_merit


@dataclass(frozen=True, eq=False, slots=True)
class Share:
    """How many of some cases, and what that says about others like them."""

    cases: int
    hits: int
    value: float
    low: float | None
    """None with a single patient, of which no interval can be given."""
    high: float | None
    by_patient: dict[str, float]
    """Sums of the influences."""


def share_of(hits: NDArray[np.bool_], patients: Sequence[str], confidence: float) -> Share | None:
    """The share of hits, (cases,); None without cases."""
    merit = mean_merit(hits[None, :].astype(np.float64))
    if merit is None:
        return None
    names, place = np.unique(np.array(patients), return_inverse=True)
    sums = np.bincount(place, weights=merit.influence[0], minlength=len(names))
    value, low, high = float(merit.values[0]), None, None
    if len(names) > 1:
        variance = float((sums**2).sum()) * len(names) / (len(names) - 1)
        # Where all are alike there is no variance: a patient is then one case, and no more.
        number = min(value * (1 - value) / variance, len(hits)) if variance > 0 else len(names)
        t = _quantile(len(names), confidence)
        middle = (value + t**2 / (2 * number)) / (1 + t**2 / number)
        half = t / (1 + t**2 / number) * math.sqrt(value * (1 - value) / number + t**2 / (4 * number**2))
        low, high = min(max(0.0, middle - half), value), max(min(1.0, middle + half), value)
    return Share(len(hits), int(hits.sum()), value, low, high, dict(zip(names.tolist(), sums, strict=True)))


def _quantile(patients: int, confidence: float) -> float:
    return float(student.ppf((1 + confidence) / 2, patients - 1))


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
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Difference(value, None, None, None)
    together = _correlation(first, second)

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(one**2 + other**2 - 2 * together * one * other, 0.0))

    down = reach(second.value - second.low, first.high - first.value)
    up = reach(second.high - second.value, first.value - first.low)
    df = min(len(first.by_patient), len(second.by_patient)) - 1
    towards_zero = down if value > 0 else up
    p = 1.0
    if value != 0 and towards_zero > 0:
        t = float(student.ppf((1 + confidence) / 2, df))
        p = float(2 * student.sf(t * abs(value) / towards_zero, df))
    return Difference(value, max(value - down, -1.0), min(value + up, 1.0), p)


def _correlation(first: Share, second: Share) -> float:
    product = sum(value * second.by_patient.get(name, 0.0) for name, value in first.by_patient.items())
    size = math.sqrt(
        sum(value**2 for value in first.by_patient.values())
        * sum(value**2 for value in second.by_patient.values())
    )
    return product / size if size > 0 else 0.0
