"""DeLong's variance of AUROCs and tests of their differences.

DeLong, DeLong and Clarke-Pearson 1988, computed from midranks (Sun and Xu 2014), with the sums over
patients of Obuchowski 1997 when patients have several exams. For several models on the same exams, the
figure is their mean AUROC, which is itself a U-statistic with the models' placements averaged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, rankdata


@dataclass(frozen=True, slots=True, eq=False)
class Placements:
    """Where each exam ranks among those of the other class, averaged over the models.

    ``positive`` (positives,): share of negatives that each positive outscores.
    ``negative`` (negatives,): share of positives that outscore each negative.
    ``positive_patients`` and ``negative_patients`` number the patients of the same exams.
    """

    positive: NDArray[np.float64]
    negative: NDArray[np.float64]
    positive_patients: NDArray[np.intp]
    negative_patients: NDArray[np.intp]

    @property
    def auroc(self) -> float:
        """The mean AUROC over the models."""
        return float(self.positive.mean())


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two AUROCs, first minus second, with a two-sided p-value."""

    difference: float
    standard_error: float
    z: float | None
    """None when the standard error is zero: nothing varies, so nothing can be tested."""
    p: float | None


def placements(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], patients: Sequence[str] | None = None
) -> Placements | None:
    """Placements from ``scores`` (models, exams) and ``labels`` (exams,); None if a class is absent.

    Without ``patients`` every exam counts as its own patient.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if positives == 0 or negatives == 0:
        return None
    everyone = rankdata(scores, axis=1)
    above = (everyone[:, labels] - rankdata(scores[:, labels], axis=1)) / negatives
    below = (everyone[:, ~labels] - rankdata(scores[:, ~labels], axis=1)) / positives
    names = [str(number) for number in range(labels.size)] if patients is None else list(patients)
    number = np.unique(names, return_inverse=True)[1]
    return Placements(above.mean(axis=0), 1.0 - below.mean(axis=0), number[labels], number[~labels])


def covariance(first: Placements, second: Placements) -> float | None:
    """Covariance of two AUROCs on the same exams in the same order; the variance if they are the same.

    None when a class has fewer than two patients.
    """
    patients = int(max(first.positive_patients.max(), first.negative_patients.max())) + 1
    positives, negatives = first.positive.size, first.negative.size
    with_positive = np.unique(first.positive_patients).size
    with_negative = np.unique(first.negative_patients).size
    if with_positive < 2 or with_negative < 2:
        return None
    up = [_sums(p.positive - p.auroc, p.positive_patients, patients) / positives for p in (first, second)]
    down = [_sums(p.negative - p.auroc, p.negative_patients, patients) / negatives for p in (first, second)]
    everyone = np.unique(np.concatenate([first.positive_patients, first.negative_patients])).size
    total = float(up[0] @ up[1]) * with_positive / (with_positive - 1)
    total += float(down[0] @ down[1]) * with_negative / (with_negative - 1)
    total += float(up[0] @ down[1] + down[0] @ up[1]) * everyone / (everyone - 1)
    return total


def _sums(values: NDArray[np.float64], patients: NDArray[np.intp], count: int) -> NDArray[np.float64]:
    return np.bincount(patients, weights=values, minlength=count).astype(np.float64)


def variance(sample: Placements) -> float | None:
    """DeLong's variance of one AUROC; None when a class has fewer than two patients."""
    return covariance(sample, sample)


def compare_independent(first: Placements, second: Placements) -> Comparison | None:
    """Test two AUROCs of different patients (exams of two levels); None when there are too few."""
    variances = variance(first), variance(second)
    if variances[0] is None or variances[1] is None:
        return None
    return _compare(first.auroc - second.auroc, variances[0] + variances[1])


def _compare(difference: float, total: float) -> Comparison:
    # Rounding can leave a variance of 1e-17 where it is zero: not enough for a test.
    if total < 1e-12:
        return Comparison(difference, 0.0, None, None)
    error = math.sqrt(total)
    z = difference / error
    return Comparison(difference, error, z, float(2 * norm.sf(abs(z))))


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjustment for testing several differences at once; None stays None and is not counted."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for step, (p, place) in enumerate(tested):
        worst = max(worst, min(1.0, p * (len(tested) - step)))
        adjusted[place] = worst
    return adjusted
