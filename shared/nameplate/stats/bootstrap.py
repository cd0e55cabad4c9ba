"""Confidence intervals by resampling patients, for figures averaged over a fixed list of models.

A resample is a row of multiplicities: how often each exam counts. All figures of one cohort are
computed from the same rows, so that differences between training sets, levels or tasks are paired.
The models are not resampled: an interval is about other patients, not other training runs.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.float64]
"""(resamples, exams): how often each exam counts in each resample."""


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle ``confidence`` of a resampled distribution."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether the value is inside, ends included."""
        return self.low <= value <= self.high


def patient_weights(
    strata: Sequence[Hashable], resamples: int, generator: np.random.Generator
) -> NDArray[np.int32]:
    """How often each patient is drawn, (resamples, patients); ``strata`` has one entry per patient.

    Patients are drawn with replacement within their stratum, so every resample keeps the size of each
    stratum, and with it the balance of the cohort.
    """
    members: dict[Hashable, list[int]] = {}
    for patient, stratum in enumerate(strata):
        members.setdefault(stratum, []).append(patient)
    counts = np.zeros((resamples, len(strata)), dtype=np.int32)
    rows = np.arange(resamples)[:, None]
    for positions in members.values():
        size = len(positions)
        flat = (rows * size + generator.integers(size, size=(resamples, size))).ravel()
        drawn = np.bincount(flat, minlength=resamples * size)
        counts[:, positions] = drawn.reshape(resamples, size)
    return counts


def exam_weights(
    patient_of_exam: Sequence[str], patients: Sequence[str], counts: NDArray[np.int32]
) -> Weights:
    """Spread the patients' multiplicities over their exams: (resamples, exams).

    ``patients`` names the columns of ``counts``; raises ValueError for an exam of another patient.
    """
    column = {patient: position for position, patient in enumerate(patients)}
    missing = [patient for patient in patient_of_exam if patient not in column]
    if missing:
        raise ValueError(f"{len(missing)} exams belong to patients that were not resampled")
    weights: Weights = counts[:, [column[patient] for patient in patient_of_exam]].astype(np.float64)
    return weights


def resampled_mean(values: NDArray[np.float64], weights: Weights) -> NDArray[np.float64]:
    """Weighted means of ``values`` (exams,), one per resample; NaN where nothing was drawn."""
    total = weights.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: NDArray[np.float64] = weights @ values / total
    return means


def win_matrix(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of models in which each positive outscores each negative, ties counting half.

    ``positive`` is (models, positives), ``negative`` (models, negatives); the result is
    (positives, negatives) and its mean is the mean AUROC over the models.
    """
    wins = np.zeros((positive.shape[1], negative.shape[1]))
    for ours, theirs in zip(positive, negative, strict=True):
        wins += ours[:, None] > theirs[None, :]
        wins += 0.5 * (ours[:, None] == theirs[None, :])
    return wins / len(positive)


def resampled_auroc(
    scores: NDArray[np.float64], labels: NDArray[np.bool_], weights: Weights
) -> NDArray[np.float64]:
    """Mean AUROC over the models in each resample: (resamples,); NaN where a class was not drawn.

    ``scores`` is (models, exams), ``labels`` (exams,), ``weights`` (resamples, exams). A resample's
    AUROC is a ratio of sums over pairs, so all resamples are one product of matrices.
    """
    wins = win_matrix(scores[:, labels], scores[:, ~labels])
    on_positives, on_negatives = weights[:, labels], weights[:, ~labels]
    numerator = ((on_positives @ wins) * on_negatives).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        area: NDArray[np.float64] = numerator / (on_positives.sum(axis=1) * on_negatives.sum(axis=1))
    return area


def percentile_interval(draws: NDArray[np.float64], confidence: float) -> Interval | None:
    """The percentile interval of resampled figures; NaN draws are left out, None if no draw is left."""
    finite = draws[np.isfinite(draws)]
    if not finite.size:
        return None
    tail = (1.0 - confidence) / 2
    low, high = np.quantile(finite, [tail, 1.0 - tail])
    return Interval(float(low), float(high))
