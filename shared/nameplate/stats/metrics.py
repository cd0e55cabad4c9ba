"""Figures of merit of scores against labels, and of masks against masks; numpy and scipy only."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from nameplate.stats.threshold import THRESHOLD


def _pair(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Labels as booleans and scores as floats, both of shape (exams,); raises ValueError."""
    truth, score = np.asarray(labels), np.asarray(scores, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != score.shape:
        raise ValueError(f"expected labels and scores of one length, got {truth.shape} and {score.shape}")
    if not np.isin(truth, (0, 1)).all():
        raise ValueError(f"labels: expected 0 and 1, got {np.unique(truth)[:5].tolist()}")
    if np.isnan(score).any():
        raise ValueError("scores: expected numbers, got NaN")
    return truth.astype(bool), score


def accuracy(labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD) -> float | None:
    """Share of exams on the right side of the threshold; None without exams."""
    truth, score = _pair(labels, scores)
    return float(np.mean((score >= threshold) == truth)) if truth.size else None


def sensitivity(labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD) -> float | None:
    """Share of the positives that score at or above the threshold; None without positives."""
    truth, score = _pair(labels, scores)
    return float(np.mean(score[truth] >= threshold)) if truth.any() else None


def specificity(labels: ArrayLike, scores: ArrayLike, threshold: float = THRESHOLD) -> float | None:
    """Share of the negatives that score below the threshold; None without negatives."""
    truth, score = _pair(labels, scores)
    return float(np.mean(score[~truth] < threshold)) if (~truth).any() else None


def auroc(labels: ArrayLike, scores: ArrayLike) -> float | None:
    """Chance that a positive outscores a negative, ties counting half; None if one class is absent.

    From midranks (Mann-Whitney), so that no monotone map of the scores changes it.
    """
    truth, score = _pair(labels, scores)
    positives = int(truth.sum())
    negatives = truth.size - positives
    if positives == 0 or negatives == 0:
        return None
    ranks = rankdata(score)
    wins = float(ranks[truth].sum()) - positives * (positives + 1) / 2
    return wins / (positives * negatives)


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Operating points from strict to lax, from (0, 0) to (1, 1); both arrays are (points,)."""

    false_positive_rate: NDArray[np.float64]
    true_positive_rate: NDArray[np.float64]


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> RocCurve | None:
    """The corners of the ROC curve, equal scores as one step; None if one class is absent.

    Its area by trapezoids equals ``auroc``.
    """
    truth, score = _pair(labels, scores)
    if truth.all() or not truth.any():
        return None
    order = np.argsort(-score, kind="stable")
    last_of_ties = np.append(np.flatnonzero(np.diff(score[order])), score.size - 1)
    hits = np.cumsum(truth[order])[last_of_ties]
    alarms = last_of_ties + 1 - hits
    tpr = np.concatenate([[0.0], hits / truth.sum()])
    fpr = np.concatenate([[0.0], alarms / (~truth).sum()])
    corner = np.ones(tpr.size, dtype=bool)
    corner[1:-1] = (np.diff(tpr[:-1]) * np.diff(fpr[1:])) != (np.diff(tpr[1:]) * np.diff(fpr[:-1]))
    return RocCurve(fpr[corner], tpr[corner])


def dice(mask: NDArray[Any], truth: NDArray[Any]) -> float:
    """Overlap of two masks of one shape, 2|A and B| / (|A| + |B|); 1 when both are empty."""
    if mask.shape != truth.shape:
        raise ValueError(f"masks: expected one shape, got {mask.shape} and {truth.shape}")
    first, second = mask.astype(bool), truth.astype(bool)
    total = np.count_nonzero(first) + np.count_nonzero(second)
    return 2.0 * np.count_nonzero(first & second) / total if total else 1.0
