"""Figures of merit of a cell: by model, averaged, and resampled by patient."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.stats.bootstrap import Weights, percentile_interval, resampled_auroc, resampled_mean
from nameplate.stats.metrics import THRESHOLD, auroc
from nameplate_evaluation.scores import Scores


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure for printing."""

    mean: float
    """Over the kept models."""
    sd: float | None
    """Over the kept models; None for a single one or for a difference."""
    low: float | None
    high: float | None
    """The bootstrap interval over patients; None if nothing could be resampled."""
    models: int
    exams: int

    def holds(self, value: float) -> bool | None:
        """Whether the interval contains the value; None without an interval."""
        if self.low is None or self.high is None:
            return None
        return self.low <= value <= self.high


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """One figure of merit of one cell on one set of exams."""

    by_model: NDArray[np.float64]
    """(models,)"""
    draws: NDArray[np.float64]
    """(resamples,): mean over the models, with the same resamples in every cell of a cohort."""
    exams: int

    @property
    def mean(self) -> float:
        """Over the kept models."""
        return float(self.by_model.mean())

    def estimate(self, confidence: float) -> Estimate:
        """Mean, standard deviation over models and interval over patients."""
        interval = percentile_interval(self.draws, confidence)
        models = self.by_model.size
        return Estimate(
            mean=self.mean,
            sd=float(self.by_model.std(ddof=1)) if models > 1 else None,
            low=None if interval is None else interval.low,
            high=None if interval is None else interval.high,
            models=models,
            exams=self.exams,
        )


def measure(metric: str, scores: Scores, weights: Weights) -> Measured | None:
    """One metric of all models on these exams; None if it is not defined.

    ``metric`` is accuracy, sensitivity, specificity, auroc or dice; ``weights`` is
    (resamples, exams) for the same exams in the same order.
    """
    labels, values = scores.labels, scores.values
    if metric == "auroc":
        if labels.all() or not labels.any():
            return None
        each = np.array([auroc(labels, row) for row in values], dtype=np.float64)
        return Measured(each, resampled_auroc(values, labels, weights), labels.size)
    if metric == "dice":
        return Measured(values.mean(axis=1), resampled_mean(values.mean(axis=0), weights), labels.size)
    chosen = {"accuracy": np.ones_like(labels), "sensitivity": labels, "specificity": ~labels}[metric]
    if not chosen.any():
        return None
    right = ((values >= THRESHOLD) == labels)[:, chosen].astype(np.float64)
    draws = resampled_mean(right.mean(axis=0), weights[:, chosen])
    return Measured(right.mean(axis=1), draws, int(chosen.sum()))


def combine(parts: list[tuple[float, Measured]], confidence: float) -> Estimate:
    """A weighted sum of figures (a difference, a mean of differences) with its paired interval.

    All parts must come from resamples of one cohort. There is no standard deviation over models:
    models of different cells are not paired.
    """
    draws = sum(factor * part.draws for factor, part in parts)
    interval = percentile_interval(np.asarray(draws), confidence)
    return Estimate(
        mean=sum(factor * part.mean for factor, part in parts),
        sd=None,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        models=sum(part.by_model.size for _, part in parts),
        exams=sum(part.exams for _, part in parts),
    )
