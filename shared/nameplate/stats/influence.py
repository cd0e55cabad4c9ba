"""Figures of merit of several runs on the same exams, each with the influence of every exam on it.

An influence is how much a figure would change if exams like this one were a little more frequent. Sums
of influences by patient give the variance of a figure, or of any weighted sum of figures, over patients
(``contrast``): for the AUROC this is DeLong's variance from placements (DeLong, DeLong and
Clarke-Pearson 1988; by patient, Obuchowski 1997).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from scipy.stats import norm, rankdata

Floats = NDArray[np.float64]
_ITERATIONS, _RIDGE = 50, 1e-6


@dataclass(frozen=True, eq=False, slots=True)
class Merit:
    """One figure of every run, (runs,), and each exam's influence on it, (runs, exams).

    The influences of a run add up to zero, and their squares to the figure's variance over exams.
    """

    values: Floats
    influence: Floats


def auroc_merit(scores: Floats, labels: NDArray[np.bool_]) -> Merit | None:
    """AUROC from ``scores`` (runs, exams) and ``labels`` (exams,); None if a class has no exam.

    The influence of a positive is its placement (the share of negatives that it outscores, ties counting
    half) minus the AUROC, over the number of positives; of a negative likewise. A factor n / (n - 1) in
    the variance makes up for the mean being estimated from the same exams.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if positives == 0 or negatives == 0:
        return None
    everyone = rankdata(scores, axis=1)
    above = (everyone[:, labels] - rankdata(scores[:, labels], axis=1)) / negatives
    below = 1.0 - (everyone[:, ~labels] - rankdata(scores[:, ~labels], axis=1)) / positives
    area: Floats = above.mean(axis=1)
    influence = np.zeros(scores.shape)
    influence[:, labels] = (above - area[:, None]) / positives * _inflation(positives)
    influence[:, ~labels] = (below - area[:, None]) / negatives * _inflation(negatives)
    return Merit(area, influence)


def mean_merit(values: Floats, strata: NDArray[np.bool_] | None = None) -> Merit | None:
    """Mean of ``values`` (runs, exams): a share, if they are 0 and 1; None without exams.

    ``strata`` (exams,) are labels whose numbers the cohort fixes: the variance is that within each.
    """
    count = values.shape[1]
    if count == 0:
        return None
    influence = np.zeros(values.shape)
    for part in (np.ones(count, dtype=bool),) if strata is None else (strata, ~strata):
        if part.any():
            here = values[:, part]
            influence[:, part] = (here - here.mean(axis=1, keepdims=True)) * _inflation(int(part.sum()))
    return Merit(values.mean(axis=1), influence / count)


def probit(merit: Merit, labels: NDArray[np.bool_]) -> Merit:
    """An AUROC on the scale of standard deviations: the normal quantile, which has no ceiling.

    An AUROC of 0 or 1 is moved to half of the smallest step that the number of exams allows.
    """
    step = 0.5 / (int(labels.sum()) * int((~labels).sum()))
    z: Floats = norm.ppf(np.clip(merit.values, step, 1.0 - step))
    return Merit(z, merit.influence / norm.pdf(z)[:, None])


def calibration_merits(scores: Floats, labels: NDArray[np.bool_]) -> tuple[Merit, Merit] | None:
    """Intercept and slope of calibration: a logistic regression of the label on the logit of the score.

    Intercept 0 and slope 1 are perfect; a slope below 1 is overconfidence, an intercept below 0 is a
    score that is too high (Cox 1958; here both are estimated together). None if a class has no exam. A
    very small ridge keeps the fit finite where a score separates the classes.
    """
    if labels.all() or not labels.any():
        return None
    y = labels.astype(np.float64)
    clipped = np.clip(scores, 1e-6, 1.0 - 1e-6)
    logits = np.log(clipped) - np.log1p(-clipped)
    values = np.empty((2, len(scores)))
    influence = np.empty((2, *scores.shape))
    for run, x in enumerate(logits):
        design = np.stack([np.ones_like(x), x])
        beta = np.zeros(2)
        for _ in range(_ITERATIONS):
            share = expit(beta @ design)
            curvature = (design * (share * (1 - share))) @ design.T + _RIDGE * len(y) * np.eye(2)
            step = np.linalg.solve(curvature, design @ (y - share) - _RIDGE * len(y) * beta)
            beta = beta + step
            if np.abs(step).max() < 1e-10:
                break
        values[:, run] = beta
        # Each exam bears its part of the ridge too: where a score separates the classes it is not small.
        slopes = design * (y - share) - _RIDGE * beta[:, None]
        influence[:, run] = np.linalg.solve(curvature, slopes) * _inflation(len(y))
    return Merit(values[0], influence[0]), Merit(values[1], influence[1])


def _inflation(count: int) -> float:
    return float(np.sqrt(count / (count - 1))) if count > 1 else 1.0
