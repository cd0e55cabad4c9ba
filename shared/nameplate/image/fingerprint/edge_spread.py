"""The edge-spread function of a head: how HU rise from air to skin, over all clean places of the outline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.outline import (
    INSIDE_MM,
    Band,
    Floats,
    Outline,
    band_of,
    chosen_slices,
    fitted,
)
from nameplate.image.fingerprint.slices import Missing, Slices

AIR_HU = -1000.0
"""A first guess; the picture's own air is measured."""
BINS_A_PIXEL = 8
FWHM = 2.355
"""Full width at half maximum of a normal distribution, in standard deviations."""

_ROUNDS = 3
_NORMAL = 0.8416
"""The normal distribution is between 0.2 and 0.8 within this many standard deviations."""
_SOFT_HU = 200.0
"""The brain's median is not farther from water than this."""
_CLEAN_HU = 60.0
"""Air differs by no more than this from air; hair, a pillow or the table do."""
_FLESH_HU = -350.0
"""Below this there is no skin or fat: an ear's fold, hair, a sinus."""
_FIT = 0.25
"""The outline fits where its pixels are within this many standard deviations of the edge's width: the rest
blurs the edge by three per cent at most."""
_SUPPORT = 0.6
"""Least weight of the pixels that a parabola goes through, of about 1.3 when each direction has one."""
_COSINE = 0.87
"""Least cosine of the angle between ray and normal."""
_SLANT = 0.3
"""Most that the edge may move within a slice, as a share of its full width at half maximum."""
_SLANT_PIXELS, _SLANT_MM = 0.6, 0.3
"""The larger of these is the limit, too: an edge that slants everywhere is wide, and must not allow itself
to slant."""
_LEAST_PLACES, _LEAST_MM = 50, 100.0
"""Least length of clean outline, in directions and in mm."""
_STEP_OFF = 0.35
"""Most that the step at the edge may differ from that between air and brain; else it is not skin."""
_COARSE_MM = 1.5
"""With pixels of this size the edge reaches through the skin into the fat."""
_WIDEST = 0.3
"""Greatest width of the edge, as a share of how far outside of it air is looked at."""
_STEP_TRUST = 0.08
"""A difference beyond this is the work of fat and bone on a coarse edge, not of skin."""
_SKIN = 0.975
"""Usual step at the edge as a share of that from air to brain: skin is as dense, the fat below it is not."""

_NO_EDGE = Missing("no edge of the head in view")
_UNCLEAN = Missing("too little of the head's edge is a clean, upright step from air to skin")
_NO_STEP = Missing("the edge of the head is not a step from air to skin")


@dataclass(frozen=True, slots=True, eq=False)
class EdgeSpread:
    """The edge of one exam; arrays are (bin,)."""

    depth_mm: Floats
    """Distance from the edge, ascending, positive in the head: the edge is where HU are halfway up."""
    hu: Floats
    """Mean HU of the pixels there."""
    at_floor: Floats
    """Share of these pixels that hold the lowest value of all."""
    air_hu: float
    step_hu: float
    """From air to skin."""
    width_mm: float
    """Standard deviation of the line-spread function, were it normal."""
    slant_mm: Floats
    """How far the edge moves within a slice, (place,); 0 where it is not known."""
    pixel_mm: float
    """The longer side of a pixel."""

    @property
    def places(self) -> int:
        """Directions of the outline that were clean, summed over slices; each is about a pixel long."""
        return len(self.slant_mm)


def edge_spread(slices: Slices) -> EdgeSpread | Missing:
    """The edge between air and skin, or why there is none to be measured."""
    picked, stride = chosen_slices(slices)
    if not len(picked):
        return Missing("no brain is found")
    if len(picked) < 2:
        return Missing("too few slices through the brain")
    inside = slices.hu[picked][slices.brain[picked]]
    inside = inside[np.isfinite(inside)]
    inside = inside[:: max(1, len(inside) // 50_000)]
    if not len(inside):
        return Missing("the brain has no known values")
    soft = float(np.median(inside))
    if abs(soft) > _SOFT_HU:
        return Missing("what is marked as brain is no soft tissue")
    hidden = _hidden(slices, picked, (AIR_HU + soft) / 2)
    if hidden is not None:
        return hidden
    band = band_of(slices, picked, (AIR_HU + soft) / 2)
    if isinstance(band, Missing):
        return band

    outline = Outline.rough(band)
    depth = outline.depth(band)
    edge = _first(band, depth, soft)
    found: _Found | Missing = _NO_EDGE
    for turn in range(_ROUNDS):
        share = (band.hu - edge.air_hu) / (soft - edge.air_hu)
        steep = (share > 0.2) & (share < 0.8) & (np.abs(depth) < 1.5 * (band.pixel_mm + edge.width_mm))
        if not steep.any():
            return _NO_EDGE
        outline, away = fitted(band, outline, steep, np.interp(share[steep], edge.share, edge.depth_mm))
        depth = outline.depth(band)
        # The first outline follows a guessed edge: how well it fits says nothing yet.
        clean = _clean(band, outline, depth, edge, away if turn else np.zeros_like(away), stride)
        if np.count_nonzero(clean) < max(_LEAST_PLACES, _LEAST_MM / band.pixel_mm):
            return _UNCLEAN
        slant = outline.shift()[clean] / stride
        if not slices.adjacent:
            # Of slices from all over the series, the distance is not known.
            slant = np.zeros_like(slant)
        found = _spread(band, depth, clean, edge, soft, slant, max(slices.pixel_mm))
        if isinstance(found, Missing):
            return found
        edge = found.edge
    if isinstance(found, Missing):
        return found
    if found.edge.width_mm > _WIDEST * band.reach_mm:
        return Missing("the edge is too blurred to show how far it reaches")
    # A step too high is bone without skin, one too low something before the skin; but with coarse pixels fat
    # can hide the turning point, too.
    low = found.seen < 1 - _STEP_OFF and band.pixel_mm < _COARSE_MM
    if low or found.seen > 1 + _STEP_OFF:
        return _NO_STEP
    return found.spread


def _hidden(slices: Slices, picked: NDArray[np.intp], level_hu: float) -> Missing | None:
    """Why no air can be seen in these slices, if none can."""
    hu, brain = slices.hu[picked], slices.brain[picked]
    if ((hu < level_hu) & ~brain).any():
        return None
    outside = hu[~brain & np.isfinite(hu)]
    if not len(outside):
        return _NO_EDGE
    # A few thousand of them tell shares of hundredths.
    outside = outside[:: max(1, len(outside) // 20_000)]
    counts = np.unique(outside, return_counts=True)[1]
    if counts.max() > 0.98 * len(outside):
        return _NO_EDGE
    if counts[0] > 0.02 * len(outside):
        return Missing("the window cuts off the air beside the skin")
    return Missing("no air around the head")


@dataclass(frozen=True, slots=True, eq=False)
class _Edge:
    """What is known of the edge from the round before."""

    air_hu: float
    width_mm: float
    depth_mm: Floats
    share: Floats
    """Of the step from air to brain, at each depth; ascending."""


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    spread: EdgeSpread
    edge: _Edge
    seen: float
    """Twice the rise to the steepest place, as a share of the step that the brain lets expect."""


def _first(band: Band, depth: Floats, soft: float) -> _Edge:
    """A normal distribution as wide as the strip of half-filled pixels along the rough outline."""
    from scipy.special import ndtr

    share = (band.hu - AIR_HU) / (soft - AIR_HU)
    strip = (share > 0.2) & (share < 0.8) & (np.abs(depth) < 1.5 * band.pixel_mm + 1.5)
    length = float(band.rough.sum()) * 2 * np.pi / band.directions
    width = max(np.count_nonzero(strip) * band.pixel_mm**2 / length / (2 * _NORMAL), 0.1 * band.pixel_mm)
    steps = np.linspace(-2.5, 2.5, 101)
    return _Edge(air_hu=AIR_HU, width_mm=float(width), depth_mm=steps * width, share=ndtr(steps))


def _clean(
    band: Band, outline: Outline, depth: Floats, edge: _Edge, away: Floats, stride: int
) -> NDArray[np.bool_]:
    """Where the outline is a smooth, upright edge with nothing but air outside, in (slice, direction)."""
    fwhm = FWHM * edge.width_mm
    outside = (depth < -2 * fwhm) & (depth > -band.reach_mm)
    below = (depth > 1.5 * edge.width_mm) & (depth < INSIDE_MM)
    # Written so that a value that is not known is a bad one.
    bad = outside & ~(np.abs(band.hu - edge.air_hu) < _CLEAN_HU)
    bad |= below & ~(band.hu > _FLESH_HU)
    bad |= ~np.isfinite(band.hu) & (depth > -band.reach_mm)
    most = min(_SLANT * fwhm, max(_SLANT_PIXELS * band.pixel_mm, _SLANT_MM))
    return np.asarray(
        (band.around(band.per_cell(bad)) == 0)
        & (away < _FIT * edge.width_mm)
        & (outline.cosine > _COSINE)
        & (np.abs(outline.shift()) / stride < most)
        & (outline.support > _SUPPORT * band.half_window),
        dtype=bool,
    )


def _spread(
    band: Band,
    depth: Floats,
    clean: NDArray[np.bool_],
    before: _Edge,
    soft: float,
    slant_mm: Floats,
    pixel_mm: float,
) -> _Found | Missing:
    """The edge-spread function over the clean places, and where and how high the step is."""
    bin_mm = band.pixel_mm / BINS_A_PIXEL
    at = np.floor((depth + band.reach_mm) / bin_mm).astype(np.intp)
    bins = int((band.reach_mm + INSIDE_MM) / bin_mm)
    use = clean.ravel()[band.cell] & (at >= 0) & (at < bins) & np.isfinite(band.hu)
    count = np.bincount(at[use], minlength=bins)
    enough = count > 3
    if not enough.any():
        return _UNCLEAN
    count, values, where = count[enough], band.hu[use], at[use]
    mm = np.bincount(where, depth[use], minlength=bins)[enough] / count
    hu = np.bincount(where, values, minlength=bins)[enough] / count
    at_floor = np.bincount(where, values <= values.min(), minlength=bins)[enough] / count
    far = mm < -0.75 * band.reach_mm
    if not far.any():
        return Missing("too little air around the head")
    air = float(np.median(hu[far]))
    middle = halfway(mm, hu, (air + soft) / 2, before.width_mm)
    core = np.abs(mm - middle) < before.width_mm
    if np.count_nonzero(core) < 5:
        return Missing("the edge is sharper than the pixels can show")

    # The steepest place: the turning point of a cubic through the middle of the edge.
    fit = np.polynomial.Polynomial.fit(mm[core] - middle, hu[core], 3, w=np.sqrt(count[core]))
    cubic = fit.convert()
    _, _, second, third = np.append(cubic.coef, np.zeros(4))[:4]
    expected = _SKIN * (soft - air)
    turning, seen = 0.0, expected
    if third < 0:
        turning = float(np.clip(-second / (3 * third), -before.width_mm, before.width_mm))
        seen = 2 * (float(cubic(turning)) - air)
    slope = float(cubic.deriv()(turning))
    if slope <= 0:
        return _NO_STEP
    trusted = float(np.clip(seen, (1 - _STEP_TRUST) * expected, (1 + _STEP_TRUST) * expected))
    step = (trusted + expected) / 2
    width = (soft - air) / (np.sqrt(2 * np.pi) * slope)

    near = np.abs(mm - middle) < 1.6 * before.width_mm
    share = np.maximum.accumulate((hu[near] - air) / (soft - air)) + 1e-9 * np.arange(np.count_nonzero(near))
    spread = EdgeSpread(
        depth_mm=mm - halfway(mm, hu, air + step / 2, width),
        hu=hu,
        at_floor=at_floor,
        air_hu=air,
        step_hu=step,
        width_mm=float(width),
        slant_mm=slant_mm,
        pixel_mm=pixel_mm,
    )
    edge = _Edge(air_hu=air, width_mm=float(width), depth_mm=mm[near], share=share)
    return _Found(spread=spread, edge=edge, seen=seen / expected)


def halfway(depth_mm: Floats, hu: Floats, level_hu: float, width_mm: float) -> float:
    """Depth in mm at which an edge that is about ``width_mm`` wide rises through a level."""
    rising = depth_mm < 1.5 * width_mm + 0.5
    return float(np.interp(level_hu, np.maximum.accumulate(hu[rising]), depth_mm[rising]))
