"""P-values of many probes at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """One-sided p-values, each (probes,): that labels by chance reach as much."""

    single: NDArray[np.float64]
    """Of each probe alone."""
    family: NDArray[np.float64]
    """That any probe of the family reaches as much: with 0.05 as the limit, 19 studies of 20 find nothing
    that is not there."""


def step_down(observed: NDArray[np.float64], null: NDArray[np.float64]) -> Adjusted:
    """Westfall and Young's step-down maximum (1993): ``observed`` (probes,), ``null`` (probes, draws).

    Probes are made comparable by the mean and standard deviation of their null values. Draws of the same
    labels for all probes keep how the probes hang together, so that many similar ones cost little; where
    sets of exams differ their draws are independent, which makes the correction stricter.
    """
    probes, draws = null.shape
    if probes == 0:
        return Adjusted(np.zeros(0), np.zeros(0))
    # What was observed is one of the draws: without it the scale would be a little too kind to it.
    every = np.column_stack([observed, null])
    mean, sd = every.mean(axis=1), every.std(axis=1)
    flat = null.std(axis=1) < 1e-9
    sd[sd < 1e-9] = 1.0
    scaled, drawn = (observed - mean) / sd, (null - mean[:, None]) / sd[:, None]
    single = (1 + (null >= observed[:, None]).sum(axis=1)) / (1 + draws)
    order = np.argsort(-scaled, kind="stable")
    # Against the largest of all draws of this probe and of those that found less.
    largest = np.maximum.accumulate(drawn[order[::-1]], axis=0)[::-1]
    steps = (1 + (largest >= scaled[order][:, None]).sum(axis=1)) / (1 + draws)
    family = np.empty(probes)
    family[order] = np.maximum.accumulate(steps)
    family[flat] = 1.0
    return Adjusted(single, family)
