"""Sharpness at the edge of the head: the modulation transfer function (MTF) from skin to air.

The skin of a patient is the one edge that every head CT has, and air is the one material in it that is even
(Sanders, Hurwitz and Samei, Medical Physics 43, 2016, measure body CT so). Below the skin it is not: 2 mm
deep there is fat, and bone soon after. So only the outer half of the edge is used. A transfer function
without phase shift has a line-spread function that is its own mirror image, and half of it is all of it. Two
numbers are needed from inside, where the edge is and how high the step is, and they are one: the value at the
edge is halfway up. It is taken from the steepest place of the edge, and from the brain, for skin is soft
tissue like it; the mean of the two is less wrong than each.

It is the transfer function of the pictures as they are: pixels, resampling and all.
"""

from dataclasses import dataclass

import numpy as np

from nameplate.image.fingerprint.catalogue import Measure
from nameplate.image.fingerprint.edge_spread import BINS_A_PIXEL, FWHM, EdgeSpread, edge_spread
from nameplate.image.fingerprint.outline import Floats
from nameplate.image.fingerprint.slices import Missing, Number, Numbers, Slices

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="mtf50",
        group="sharpness",
        unit="/mm",
        title="MTF at 50 %",
        formula="In-plane frequency at which the modulation transfer function falls to 0.5. From the outer "
        "half of the edge-spread function between air and skin, oversampled to an eighth of a pixel over "
        "many clean, upright places of the outline, the back left out: MTF(f) = 1 - 4 pi f * integral of "
        "E(u) sin(2 pi f u) du, E the share of the step at u mm outside the edge.",
    ),
    Measure(
        name="mtf10",
        group="sharpness",
        unit="/mm",
        title="MTF at 10 %",
        formula="As mtf50, for 0.1.",
    ),
    Measure(
        name="edge_overshoot",
        group="sharpness",
        unit="",
        title="overshoot at the edge",
        formula="How far the air beside the skin is darker than the air farther away, at the darkest "
        "distance, as a share of the step from air to skin: edge enhancement.",
    ),
)

_BEYOND = Missing("it is beyond what the pixels can show (Nyquist frequency)")


@dataclass(frozen=True, slots=True, eq=False)
class Transfer:
    """A modulation transfer function; arrays are (frequency,)."""

    frequency: Floats
    """Cycles/mm, from 0 to somewhat beyond the Nyquist frequency."""
    mtf: Floats
    nyquist: float
    """Of the longer side of a pixel, in cycles/mm."""

    def crossing(self, level: float) -> Number:
        """The frequency in cycles/mm at which the function falls to this level."""
        below = np.flatnonzero(self.mtf < level)
        if not len(below) or below[0] == 0:
            return _BEYOND
        pair = slice(int(below[0]) - 1, int(below[0]) + 1)
        at = float(np.interp(-level, -self.mtf[pair], self.frequency[pair]))
        return at if at <= self.nyquist else _BEYOND


def sharpness(slices: Slices) -> Numbers:
    """``mtf50`` and ``mtf10`` in cycles/mm and ``edge_overshoot`` as a share of the step, or why not."""
    edge = edge_spread(slices)
    if isinstance(edge, Missing):
        return {measure.name: edge for measure in MEASURES}
    curve = transfer(edge)
    return {
        "mtf50": curve.crossing(0.5),
        "mtf10": curve.crossing(0.1),
        "edge_overshoot": overshoot(edge),
    }


def transfer(edge: EdgeSpread) -> Transfer:
    """The MTF of the outer half of an edge; what slanting edges lose within a slice is given back."""
    distance, share = _outer(edge)
    fine = edge.pixel_mm / 32
    u = np.arange(0, distance[-1], fine)
    part = np.interp(u, distance, share)
    part[0] /= 2
    nyquist = 0.5 / edge.pixel_mm
    frequency = np.linspace(0, 1.3 * nyquist, 261)
    mtf = 1 - 4 * np.pi * frequency * (np.sin(2 * np.pi * frequency[:, None] * u) @ part) * fine
    some = edge.slant_mm[:: max(1, edge.places // 300)]
    mtf /= np.sinc(frequency[:, None] * some).mean(axis=1)
    return Transfer(frequency=frequency, mtf=np.asarray(mtf, dtype=np.float64), nyquist=nyquist)


def overshoot(edge: EdgeSpread) -> Number:
    """How far air falls below air beside the edge, as a share of the step; at least 0."""
    distance, share = _outer(edge)
    fwhm = FWHM * edge.width_mm
    near = np.flatnonzero((distance > 0.7 * fwhm) & (distance < 4 * fwhm))
    # The mean over a quarter of the width, so that noise alone has no depth.
    window = max(1, round(0.25 * fwhm / (edge.pixel_mm / BINS_A_PIXEL)))
    if len(near) < window:
        return Missing("too little air around the head")
    mean = np.convolve(share[near], np.full(window, 1 / window), mode="valid")
    darkest = int(mean.argmin())
    at_floor = np.append(edge.at_floor[edge.depth_mm < 0], 0.0)[::-1][near]
    if at_floor[darkest : darkest + window].mean() > 0.1:
        return Missing("the air is cut off at the lowest value of the picture")
    return max(0.0, -float(mean[darkest]))


def _outer(edge: EdgeSpread) -> tuple[Floats, Floats]:
    """Distance outside the edge in mm, ascending from 0, and the share of the step there, from one half."""
    outer = edge.depth_mm < 0
    distance = np.append(-edge.depth_mm[outer], 0.0)[::-1]
    share = np.append((edge.hu[outer] - edge.air_hu) / edge.step_hu, 0.5)[::-1]
    return distance, share
