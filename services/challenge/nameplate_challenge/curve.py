"""The chance that a lesion is found, by its radius, and the smallest radius that is found often enough.

Found is what reaches the threshold, and a model that alarms without a lesion also 'finds' small ones. So the
chance at radius r is

    guess + (1 - guess - lapse) / (1 + exp(-slope (log r - log r50)))

where the ``guess`` is also what untouched exams alarm with, and the ``lapse`` is what is missed at any size
(Wichmann and Hill 2001). Guess, slope, r50 and lapse have the highest posterior under weak priors, which only
matter where the data say little (all found, none found, a step between two radii). Many resamples are fitted
at once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, xlogy
from scipy.stats import beta

Floats = NDArray[np.float64]

LAPSES = np.array([0.0, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.4, 0.65])
_CREDIBLE = (0.1, 0.5, 0.9)
"""Quantiles of the guess, given the untouched exams, that are tried with every lapse."""
_LAPSE_PRIOR = 10.0
"""A lapse of x is taken to be (1 - x) to this power as likely as none."""
_SLOPE, _SLOPE_SD = np.log(6.0), 0.8
"""Prior of the slope's logarithm: within two sd, from 10 to 90 % over a factor of 1.2 to 6 in radius."""
_PLACE_SD = 1.5
"""Prior of log r50 around the middle of the radii."""
_ROUNDS, _STEP, _CLOSE, _SMALL = 15, 0.7, 1e-5, 1e-9


@dataclass(frozen=True, slots=True)
class Fit:
    """Curves of one kind of lesion, one a resample; all arrays are (resamples,)."""

    guess: Floats
    lapse: Floats
    log_r50: Floats
    slope: Floats

    def found(self, radius_mm: Floats) -> Floats:
        """The chances at these radii, (resamples, radii)."""
        eta = self.slope[:, None] * (np.log(radius_mm)[None, :] - self.log_r50[:, None])
        return self.guess[:, None] + (1.0 - self.guess - self.lapse)[:, None] * expit(eta)

    def radius_mm(self, share: float) -> Floats:
        """Where the chance is ``share``: infinite where it is never, 0 where it always is more."""
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (share - self.guess) / (1.0 - self.guess - self.lapse)
            inside = np.clip(part, _SMALL, 1 - _SMALL)
            radius = np.exp(self.log_r50 + (np.log(inside) - np.log1p(-inside)) / self.slope)
        return np.where(self.guess >= share, 0.0, np.where(part >= 1.0, np.inf, radius))


def fitted(radius_mm: Floats, found: Floats, cases: Floats, alarms: Floats, untouched: Floats) -> Fit:
    """The curves of these counts.

    ``found`` of ``cases`` are (resamples, radii), ``alarms`` of ``untouched`` exams (resamples,).
    """
    x = np.log(radius_mm)
    middle = float(x.mean())
    guesses = np.stack([beta.ppf(part, alarms + 0.5, untouched - alarms + 0.5) for part in _CREDIBLE])
    guesses = np.where(untouched > 0, guesses, 0.0)
    # Every guess with every lapse: (pairs, resamples).
    guess = np.repeat(guesses, len(LAPSES), axis=0)
    lapse = np.tile(LAPSES, len(_CREDIBLE))[:, None]
    base = guess[..., None]
    room = np.maximum(1.0 - guess - lapse, 0.02)[..., None]
    a = np.full(room.shape[:2], middle)
    s = np.full(room.shape[:2], _SLOPE)
    for _ in range(_ROUNDS):
        slope = np.exp(s)[..., None]
        eta = slope * (x - a[..., None])
        q = expit(eta)
        p = np.clip(base + room * q, _SMALL, 1 - _SMALL)
        change = room * q * (1 - q)
        weight = change / (p * (1 - p))
        pull = (found - cases * p) * weight
        information = cases * change * weight
        gradient_a = -(slope[..., 0]) * pull.sum(-1) - (a - middle) / _PLACE_SD**2
        gradient_s = (pull * eta).sum(-1) - (s - _SLOPE) / _SLOPE_SD**2
        aa = slope[..., 0] ** 2 * information.sum(-1) + 1 / _PLACE_SD**2
        ass = -slope[..., 0] * (information * eta).sum(-1)
        ss = (information * eta**2).sum(-1) + 1 / _SLOPE_SD**2
        determinant = aa * ss - ass**2
        step_a = (ss * gradient_a - ass * gradient_s) / determinant
        step_s = (aa * gradient_s - ass * gradient_a) / determinant
        a = a + np.clip(step_a, -_STEP, _STEP)
        s = s + np.clip(step_s, -_STEP, _STEP)
        if max(np.abs(step_a).max(), np.abs(step_s).max()) < _CLOSE:
            break
    p = np.clip(base + room * expit(np.exp(s)[..., None] * (x - a[..., None])), _SMALL, 1 - _SMALL)
    likelihood = (xlogy(found, p) + xlogy(cases - found, 1 - p)).sum(-1)
    likelihood -= ((a - middle) / _PLACE_SD) ** 2 / 2 + ((s - _SLOPE) / _SLOPE_SD) ** 2 / 2
    likelihood += (
        xlogy(alarms, guess) + xlogy(untouched - alarms, 1 - guess) + _LAPSE_PRIOR * np.log1p(-lapse)
    )
    best = likelihood.argmax(axis=0)
    every = np.arange(len(alarms))
    return Fit(guess[best, every], lapse[best, 0], a[best, every], np.exp(s[best, every]))
