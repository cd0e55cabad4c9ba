"""The smallest radius that is found often enough, and differences of two: in the data and in every
resample."""

from dataclasses import dataclass

import numpy as np

from nameplate_challenge.curve import Fit, Floats


@dataclass(frozen=True, eq=False, slots=True)
class Radius:
    """A radius or a difference of two, in mm: at least and at most; first in the data, then in the resamples.

    The two are one number where a curve reaches the share within the radii that were tried. Beyond them no
    curve is believed: all that is known is a bound.
    """

    least: Floats
    most: Floats

    @property
    def value(self) -> float | None:
        """In the data; None where it is only bounded."""
        return float(self.least[0]) if self.least[0] == self.most[0] else None

    def interval(self, confidence: float) -> tuple[float, float]:
        """Percentiles of the resamples; infinite where nothing bounds it."""
        outside = (1 - confidence) / 2
        return _quantile(self.least[1:], outside), _quantile(self.most[1:], 1 - outside)

    def p(self) -> float:
        """Two-sided, of being zero: a resample speaks against it only if all that it may be does."""
        below, above = np.count_nonzero(self.least[1:] <= 0), np.count_nonzero(self.most[1:] >= 0)
        return min(1.0, 2 * (1 + min(below, above)) / len(self.least))

    def minus(self, other: "Radius") -> "Radius":
        """The difference, of the same resamples."""
        return Radius(self.least - other.most, self.most - other.least)


def radius_of(fit: Fit, radii_mm: Floats, share: float) -> Radius:
    """Where the curves reach the share; ``radii_mm`` are those tried, in order."""
    radius = fit.radius_mm(share)
    smallest, largest = float(radii_mm[0]), float(radii_mm[-1])
    return Radius(
        least=np.where(radius < smallest, 0.0, np.where(radius > largest, largest, radius)),
        most=np.where(radius < smallest, smallest, np.where(radius > largest, np.inf, radius)),
    )


def _quantile(values: Floats, share: float) -> float:
    """Of values that may be infinite: one of them, and nothing between two."""
    return float(np.quantile(values, share, method="inverted_cdf"))
