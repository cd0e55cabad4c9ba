"""Intervals of shares and of their differences, also of few exams and near 0 and 1.

A share is an accuracy, a sensitivity or anything else between 0 and 1 that is estimated with a variance; an
AUROC is one, too. Its interval is that of Wilson (1927) for as many independent exams as would give the
variance (Korn and Graubard 1998): patients with several exams count for less. The interval of a difference
is made of those of the two shares by the method of Zou and Donner (Stat Med 27:1693, 2008; Newcombe's of 1998
with a correlation). Unlike one of so many standard errors on either side, they hold what they promise when
nearly all exams are right, and say something even when all are.
"""

import math
from dataclasses import dataclass

from scipy.optimize import brentq
from scipy.stats import t as student

_LEAST_P = 1e-12


@dataclass(frozen=True, slots=True)
class Share:
    """A share, how much it varies, and what it rests on."""

    value: float
    variance: float
    units: float
    """Independent exams that it rests on: its size where every exam gives the same."""
    df: float
    """Degrees of freedom of its variance."""

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this confidence, with the quantile of t."""
        p = min(max(self.value, 0.0), 1.0)
        spread = p * (1 - p)
        size = spread / self.variance if spread > 0 and self.variance > 0 else self.units
        q = float(student.ppf((1 + confidence) / 2, self.df))
        centre = (p + q * q / (2 * size)) / (1 + q * q / size)
        reach = q / (1 + q * q / size) * math.sqrt(spread / size + (q / (2 * size)) ** 2)
        return max(0.0, min(p, centre - reach)), min(1.0, max(p, centre + reach))


@dataclass(frozen=True, slots=True)
class Difference:
    """The first share minus the second."""

    first: Share
    second: Share
    variance: float
    """Of the difference: less than the sum of the shares' variances where they are of the same patients or
    runs."""
    df: float
    """Degrees of freedom of that, for its power; the interval has those of the shares."""

    @property
    def value(self) -> float:
        """The difference."""
        return self.first.value - self.second.value

    def interval(self, confidence: float) -> tuple[float, float]:
        """The interval of this confidence."""
        a, b = self.first, self.second
        (low_a, high_a), (low_b, high_b) = a.interval(confidence), b.interval(confidence)
        product = math.sqrt(a.variance * b.variance)
        shared = (a.variance + b.variance - self.variance) / 2
        r = min(max(shared / product, -1.0), 1.0) if product > 0 else 0.0
        down = _reach(a.value - low_a, high_b - b.value, r)
        up = _reach(high_a - a.value, b.value - low_b, r)
        return max(-1.0, self.value - down), min(1.0, self.value + up)

    def p(self) -> float:
        """Two-sided, of no difference: the interval of confidence 1 - p has 0 at its end."""

        def beyond(log_p: float) -> float:
            low, high = self.interval(1 - math.exp(log_p))
            return low if self.value > 0 else -high

        if self.value == 0:
            return 1.0
        least = math.log(_LEAST_P)
        if beyond(least) > 0:
            return _LEAST_P
        if beyond(-1e-9) <= 0:
            return 1.0
        return float(math.exp(brentq(beyond, least, -1e-9, xtol=1e-6)))

    def detectable(self, confidence: float, power: float = 0.80) -> float | None:
        """The smallest true difference that an analysis like this would find with this power.

        The two shares are thought to be as far from their middle, with as many independent exams: so the
        variances go with the shares. None where not even the largest would be found.
        """
        middle = (self.first.value + self.second.value) / 2
        largest = 2 * min(middle, 1 - middle) * (1 - 1e-9)
        if not largest > 0:
            return None

        def end(gap: float) -> float:
            return self._apart(middle, gap).interval(confidence)[0]

        if end(largest) <= 0:
            return None
        found = float(brentq(end, 1e-9, largest, xtol=1e-6)) if end(1e-9) < 0 else 0.0
        quantile = float(student.ppf(power, self.df))

        def spare(gap: float) -> float:
            return gap - found - quantile * math.sqrt(self._apart(middle, gap).variance)

        return float(brentq(spare, found, largest, xtol=1e-6)) if spare(largest) > 0 else None

    def _apart(self, middle: float, gap: float) -> "Difference":
        """The same with shares so far apart around the middle."""
        moved = []
        for share, value in ((self.first, middle + gap / 2), (self.second, middle - gap / 2)):
            spread = share.value * (1 - share.value)
            size = spread / share.variance if spread > 0 and share.variance > 0 else share.units
            moved.append(Share(value, value * (1 - value) / size, share.units, share.df))
        before = self.first.variance + self.second.variance
        shrinkage = self.variance / before if before > 0 else 1.0
        variance = shrinkage * (moved[0].variance + moved[1].variance)
        return Difference(moved[0], moved[1], variance, self.df)


def _reach(one: float, other: float, r: float) -> float:
    return math.sqrt(max(one * one + other * other - 2 * r * one * other, 0.0))
