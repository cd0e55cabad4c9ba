"""The advantage as a function of difficulty, for campaigns with enough tasks to draw one."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

from nameplate.campaign.dataset import DifficultySettings
from nameplate_evaluation.advantage import Advantage
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.measure import contrast_of

LEAST_TASKS = 6


@dataclass(frozen=True, kw_only=True)
class Curve:
    """The advantage in AUROC by task, with the best curve that never falls."""

    advantage: Advantage
    axis: str
    """What changes from task to task."""
    x: tuple[float, ...]
    fit: NDArray[np.float64]
    """Weighted least squares under the condition that it never falls (isotonic)."""
    margin: float
    onset: str | None
    """The first task from which on the fit is above the margin; None if it never is."""
    shown: str | None
    """The first task whose interval is above the margin."""


def curve_of(analysis: Analysis, advantage: Advantage) -> Curve | None:
    """The curve of an advantage in AUROC; None with too few tasks."""
    tasks = list(advantage.parts)
    if advantage.metric != "auroc" or len(tasks) < LEAST_TASKS:
        return None
    difficulties = [analysis.campaign.datasets.spheres.difficulty(task) for task in tasks]
    axis, x = axis_of(difficulties)
    contrasts = [contrast_of(parts) for parts in advantage.parts.values()]
    values = np.array([one.value for one in contrasts])
    # A cell without any error has no variance; the smallest of the others keeps it from ruling the fit.
    variances = np.array([one.variance for one in contrasts])
    least = variances[variances > 0].min() if (variances > 0).any() else 1.0
    fit = isotonic_regression(values, weights=1.0 / np.maximum(variances, least)).x
    margin = analysis.campaign.analysis.margin.auroc
    above = np.flatnonzero(fit > margin)
    intervals = [one.interval(analysis.confidence) for one in contrasts]
    shown = next(
        (task for task, span in zip(tasks, intervals, strict=True) if span and span[0] > margin), None
    )
    return Curve(
        advantage=advantage,
        axis=axis,
        x=x,
        fit=np.asarray(fit, dtype=np.float64),
        margin=margin,
        onset=tasks[int(above[0])] if above.size else None,
        shown=shown,
    )


def axis_of(difficulties: list[DifficultySettings]) -> tuple[str, tuple[float, ...]]:
    """The one quantity that changes from task to task and its values, or the tasks' places."""
    quantities = {
        "radius, mm": [sum(item.radius_mm) / 2 for item in difficulties],
        "sphere, HU": [item.hu_mean for item in difficulties],
        "share of changed spheres": [item.share if item.start else 0.0 for item in difficulties],
    }
    changing = {name: values for name, values in quantities.items() if len(set(values)) > 1}
    if len(changing) == 1:
        ((name, values),) = changing.items()
        if len(set(values)) == len(values):
            return name, tuple(values)
    return "task", tuple(float(place) for place in range(len(difficulties)))
