"""The learning rate of a step, as a pure function."""

import math

from nameplate.campaign.experiment import TrainingSettings

WARM_SHARE = 0.3
"""Share of a one-cycle run in which the rate rises."""
START = 1 / 25
END = 1e-4
"""First and last rate of one cycle, as shares of its peak (Smith and Topin 2018)."""


def rate_at(training: TrainingSettings, step: int, steps: int) -> float:
    """Adam's rate at step 0 <= ``step`` < ``steps`` of the whole run."""
    if training.schedule == "constant":
        return training.rate
    peak_at = WARM_SHARE * (steps - 1)
    if step < peak_at:
        return training.rate * _cosine(START, 1.0, step / peak_at)
    return training.rate * _cosine(1.0, END, (step - peak_at) / max(steps - 1 - peak_at, 1.0))


def _cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) * (1 + math.cos(math.pi * share)) / 2
