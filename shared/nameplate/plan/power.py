"""What a campaign could find, before it runs: the least advantage and growth that it would show.

A network trained on level T of the factor has the value theta(d,T,M) on the exams of level M in task d
(AUROC or Dice). With L levels, the advantage of the own level in a task is

    A(d) = mean over T of [ theta(d,T,T) - mean over M != T of theta(d,T,M) ]

A is the mean of A(d) over the tasks, and the growth is sum of w_d A(d) (``nameplate.stats.growth``). Runs and
exams are both drawn by chance. With s the standard deviation of theta over runs and r its correlation
between two levels, one run's contrast, the bracket, has the variance

    run variance = s^2 (1 - r) (1 + 1/(L-1))

and a cell of k runs contributes run variance / (L^2 k) to A(d). With v the variance of theta over the choice
of a level's exams, e its correlation between two training sets and t that between two levels (0 unless the
exams are twins), A(d) has from its exams the variance

    case variance = v (1 - e) (1 - t) / (L-1)

because the factors of theta(d,T,M) in A(d), 1/L for M = T and -1/(L (L-1)) otherwise, add up to zero over
training sets and over levels, and their squares to 1/(L-1). The tasks share their exams: their A(d) are
correlated by e in this part. Runs are independent.

Together (after Obuchowski and Rockette, with Hillis' degrees of freedom), for any weights w of the tasks:

    runs_c = w_d^2 run variance / (L^2 k_c)
    V   = sum over cells of runs_c  +  sum over d, d' of w_d w_d' (case covariance of d and d')
    df  = V^2 / sum over cells of runs_c^2 / (k_c - 1)
    least effect found in 4 of 5 campaigns = (t(1 - alpha/2, df) + t(0.80, df)) sqrt(V)

Simulated campaigns with the paper's tasks (shares 0, 0.20 and 0.35) and two levels had these standard errors,
in AUROC points; the assumed defaults give the numbers in brackets.

    test exams a level, runs a cell      36, 3         36, 8         81, 10
    A of the last task                   5.5 (5.3)     4.4 (4.3)     3.1 (3.2)
    growth                               5.5 (4.9)     4.3 (3.8)     3.1 (2.9)
    A                                    2.5 (2.5)     2.1 (2.2)     1.5 (1.5)
    least growth found in 4 of 5         15 (15.2)     10 (10.7)     7.5 (8.3)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.analysis import AssumedSettings

POWER = 0.80
"""Share of campaigns that find the effect."""
NORMAL = NormalDist()

Runs = Sequence[tuple[float, ...]]
"""Runs of each cell trained on one level, by task; 2 or more each."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One task as far as it decides what can be found; variances in squared AUROC or Dice."""

    run_variance: float
    """Of one run's contrast between its own level and the others."""
    case_variance: float
    """Of the task's advantage, by the choice of the test exams."""
    runs: tuple[float, ...]
    """Of each cell trained on one level, as many cells as levels; 2 or more each."""


def sphere_tasks(
    axis: Sequence[float],
    runs: Runs,
    *,
    positives: int,
    negatives: int,
    twins: bool,
    assumed: AssumedSettings,
) -> tuple[Task, ...]:
    """The sphere tasks at these places of the axis of difficulty, with a level's test exams."""
    tasks = []
    for auroc, of_cells in zip(task_aurocs(axis, assumed), runs, strict=True):
        sd = assumed.run_sd * probit_density(auroc) / probit_density(assumed.auroc)
        variance = auroc_variance(auroc, positives, negatives)
        tasks.append(_task(sd, variance, of_cells, twins=twins, assumed=assumed))
    return tuple(tasks)


def dice_task(runs: tuple[float, ...], *, exams: int, twins: bool, assumed: AssumedSettings) -> Task:
    """The segmentation, with a level's test exams."""
    return _task(assumed.dice_run_sd, assumed.dice_exam_sd**2 / exams, runs, twins=twins, assumed=assumed)


def _task(
    run_sd: float, variance: float, runs: tuple[float, ...], *, twins: bool, assumed: AssumedSettings
) -> Task:
    levels = len(runs)
    return Task(
        run_variance=run_variance(run_sd, assumed.run_correlation, levels),
        case_variance=case_variance(
            variance, levels, assumed.exam_correlation, assumed.twin_correlation if twins else 0.0
        ),
        runs=runs,
    )


def auroc_variance(auroc: float, positives: int, negatives: int) -> float:
    """Variance of an AUROC over the choice of exams (Hanley and McNeil 1982)."""
    two_positives = auroc / (2 - auroc)
    two_negatives = 2 * auroc**2 / (1 + auroc)
    return (
        auroc * (1 - auroc)
        + (positives - 1) * (two_positives - auroc**2)
        + (negatives - 1) * (two_negatives - auroc**2)
    ) / (positives * negatives)


def task_aurocs(axis: Sequence[float], assumed: AssumedSettings) -> tuple[float, ...]:
    """The AUROC assumed of each task: on a line from the first to the last, on the probit scale."""
    if len(axis) == 1:
        return (assumed.auroc,)
    first, last = NORMAL.inv_cdf(assumed.first_auroc), NORMAL.inv_cdf(assumed.auroc)
    return tuple(NORMAL.cdf(first + (last - first) * (x - axis[0]) / (axis[-1] - axis[0])) for x in axis)


def probit_density(auroc: float) -> float:
    """How much an AUROC changes with its probit."""
    return NORMAL.pdf(NORMAL.inv_cdf(auroc))


def run_variance(sd: float, correlation: float, levels: int) -> float:
    """Variance of one run's value on its own level minus its mean on the others."""
    return sd**2 * (1 - correlation) * (1 + 1 / (levels - 1))


def case_variance(variance: float, levels: int, training_sets: float, twins: float) -> float:
    """Variance of a task's advantage by the choice of exams.

    ``variance`` is that of one value on one level's exams; it is correlated between training sets and, for
    twins, between levels.
    """
    return variance * (1 - training_sets) * (1 - twins) / (levels - 1)


def contrast_variance(
    tasks: Sequence[Task], weights: Sequence[float] | NDArray[np.float64], correlation: float
) -> tuple[float, float]:
    """Variance of the weighted sum of the tasks' advantages, and its degrees of freedom.

    ``correlation`` is that of two tasks' errors by the choice of exams.
    """
    cells = [
        (weight**2 * task.run_variance / len(task.runs) ** 2 / runs, runs)
        for task, weight in zip(tasks, weights, strict=True)
        for runs in task.runs
    ]
    errors = np.array([sqrt(task.case_variance) for task in tasks]) * np.asarray(weights)
    cases = (1 - correlation) * float(errors @ errors) + correlation * float(errors.sum()) ** 2
    variance = sum(of_runs for of_runs, _ in cells) + cases
    freedom = variance**2 / sum(of_runs**2 / (runs - 1) for of_runs, runs in cells)
    return variance, freedom


def least_effect(
    tasks: Sequence[Task],
    weights: Sequence[float] | NDArray[np.float64],
    *,
    correlation: float,
    confidence: float,
) -> float:
    """The smallest sum of this kind that 4 campaigns of 5 would tell from zero, two-sided."""
    from scipy.special import stdtrit  # here: the import takes a while

    variance, freedom = contrast_variance(tasks, weights, correlation)
    quantiles = stdtrit(freedom, (1 + confidence) / 2) + stdtrit(freedom, POWER)
    return float(quantiles) * sqrt(variance)
