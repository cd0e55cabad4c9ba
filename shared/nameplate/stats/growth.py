"""How an effect grows with difficulty: the axis of the tasks, and the weights of a line through them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Difficulty(Protocol):
    """What places a task: the settings of a difficulty have both."""

    @property
    def start(self) -> str | None:
        """The task whose spheres the other positives keep; None for a task of its own."""

    @property
    def share(self) -> float:
        """Share of the positives whose spheres are changed."""


def difficulty_axis(difficulties: Sequence[Difficulty]) -> tuple[float, ...]:
    """Where each task is, easiest first: its share of changed spheres, else its place in the file.

    The share counts where every task but the first changes the spheres of an earlier one, and each a
    larger part than the one before; the first is then at 0. Otherwise tasks are at 0, 1, 2 and so on.
    """
    shares = [0.0, *(item.share for item in difficulties[1:])]
    changed = all(item.start is not None for item in difficulties[1:])
    if changed and all(before < after for before, after in pairwise(shares)):
        return tuple(shares[: len(difficulties)])
    return tuple(float(place) for place in range(len(difficulties)))


def growth_weights(axis: Sequence[float]) -> NDArray[np.float64]:
    """Weights whose sum with the tasks' effects is the growth from the first task to the last.

    It is the slope of the least-squares line through the effects, times the distance of the ends:
    (x_last - x_first) (x - mean x) / sum (x - mean x)^2. Raises ValueError for fewer than two tasks, or
    for tasks that are all at one place.

    >>> growth_weights((0, 0.20, 0.35)).round(2).tolist()
    [-1.04, 0.09, 0.95]
    """
    x = np.asarray(axis, dtype=np.float64)
    away = x - x.mean() if x.size else x
    spread = float(away @ away)
    if x.size < 2 or spread == 0.0:
        raise ValueError(f"growth needs two tasks at different places, got {x.tolist()}")
    weights: NDArray[np.float64] = (x[-1] - x[0]) * away / spread
    return weights
