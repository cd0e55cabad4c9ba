"""The outline of a head in axial slices, to a fraction of a pixel: where skin meets air.

The outline is a radius around one axis through the brain, for every slice and direction. It is fitted to the
pixels that are half air: each says by its value how far it is from the edge. A local parabola through many
of them averages over the ways in which the edge cuts the pixels.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.slices import Missing, Slices

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

_MOST_SLICES = 8
_WIDE = 0.6
"""Slices with at least this share of the largest brain area: there the head's sides stand upright."""
_NEAREST_MM, _FARTHEST_MM = 30.0, 160.0
"""Radii between which skin is looked for."""
_BACK_SINE = 0.5
"""Directions within 60 degrees of straight back are left out."""
_CIRCLE_MM = 80.0
"""Radius at which one direction is as wide as one pixel."""
INSIDE_MM = 4.0
"""How deep below the skin pixels are looked at; skin and fat, not yet bone."""
_HALF_WINDOW_MM, _HALF_WINDOW_PIXELS = 10.0, 5.5
"""Half the length of outline that one parabola is fitted to: the larger of the two."""


def chosen_slices(slices: Slices) -> tuple[Ints, int]:
    """Slices through the widest part of the brain, a few, and how many of the series one step is."""
    area = slices.brain.sum(axis=(1, 2))
    if not area.any():
        return np.zeros(0, dtype=np.intp), 1
    wide = np.flatnonzero(area >= _WIDE * area.max())
    step = max(1, len(wide) // _MOST_SLICES)
    spare = len(wide) - 1 - step * (min(_MOST_SLICES, len(wide)) - 1)
    return wide[max(0, spare) // 2 :: step][:_MOST_SLICES], step


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """The pixels near the outline, all of them in one row: arrays (pixel,)."""

    hu: Floats
    radius: Floats
    """Distance from the axis in mm."""
    cell: Ints
    """Slice and direction: slice * directions + direction."""
    offset: Floats
    """Angle from the middle of the direction, in directions: -0.5 to 0.5."""
    rough: Floats
    """Radius of the outline to about a pixel, (slice * directions,)."""
    slices: int
    directions: int
    reach_mm: float
    """How far outside the outline pixels are looked at, all of which must be air."""
    pixel_mm: float

    @property
    def half_window(self) -> int:
        """Directions on either side that a parabola is fitted to."""
        size = max(_HALF_WINDOW_MM, _HALF_WINDOW_PIXELS * self.pixel_mm)
        return max(4, round(size / (2 * np.pi * _CIRCLE_MM / self.directions)))

    def per_cell(self, where: NDArray[np.bool_], weights: Floats | None = None) -> Floats:
        """How many of these pixels there are, or the sum of their weights, in (slice, direction)."""
        counts = np.bincount(self.cell[where], weights, minlength=self.slices * self.directions)
        return np.asarray(counts.reshape(self.slices, self.directions), dtype=np.float64)

    def around(self, values: Floats) -> Floats:
        """Sums over the window of a parabola of values in (slice, direction)."""
        half = self.half_window
        padded = np.concatenate([values[:, -half - 1 :], values, values[:, :half]], axis=1)
        running = np.cumsum(padded, axis=1)
        return np.asarray(running[:, 2 * half + 1 :] - running[:, : -2 * half - 1], dtype=np.float64)


def band_of(slices: Slices, picked: Ints, level_hu: float) -> Band | Missing:
    """The pixels within reach of the head's outline in these slices.

    From the axis through the brain's middle outwards, the outline is the first fall below ``level_hu`` that
    is followed by nothing above it for as far as the reach; where there is none (a table, the field's border,
    an unknown value) there are no pixels either. Nor are there any at the back of the head: it is in a
    holder, whose foam is nearly air.
    """
    row_mm, column_mm = slices.pixel_mm
    pixel_mm = float(np.sqrt(row_mm * column_mm))
    hu = slices.hu[picked]
    count, rows, columns = hu.shape
    brain = slices.brain[picked].any(axis=0)
    if not brain.any():
        return Missing("no brain is found")
    middle_row, middle_column = (float(axis.mean()) for axis in np.nonzero(brain))
    reach = max(10.0, 3.5 * pixel_mm)
    directions = max(16, int(2 * np.pi * _CIRCLE_MM / pixel_mm))

    # A coarse look along rays, at the nearest pixels.
    angle = (np.arange(directions) + 0.5) * (2 * np.pi / directions) - np.pi
    looked = np.flatnonzero(np.sin(angle) > -_BACK_SINE)
    angle = angle[looked]
    step = pixel_mm
    radii = np.arange(_NEAREST_MM, _FARTHEST_MM + reach, step)
    at_row = np.rint(middle_row + np.sin(angle)[:, None] * radii / row_mm).astype(np.intp)
    at_column = np.rint(middle_column + np.cos(angle)[:, None] * radii / column_mm).astype(np.intp)
    in_view = (at_row >= 0) & (at_row < rows) & (at_column >= 0) & (at_column < columns)
    place = np.where(in_view, at_row * columns + at_column, 0)
    low = np.concatenate([hu.reshape(count, -1) < level_hu, np.zeros((count, 1), dtype=bool)], axis=1)
    air = np.take(low, np.where(in_view, place, rows * columns), axis=1)
    length = int(np.ceil(reach / step))
    if len(radii) <= length + 1:
        return Missing("the pixels are too coarse for an edge")
    solid = np.zeros((count, len(looked), len(radii) + 1), dtype=np.int16)
    np.cumsum(~air, axis=2, dtype=np.int16, out=solid[:, :, 1:])
    clear = solid[:, :, length + 1 :] == solid[:, :, 1:-length]
    last = ~air[:, :, : clear.shape[2]] & clear
    found, rough = np.zeros((count, directions), bool), np.zeros((count, directions))
    found[:, looked] = last.any(axis=2)
    if not found.any():
        return Missing("no air around the head")
    rough[:, looked] = np.where(found[:, looked], radii[last.argmax(axis=2)] + step / 2, 0.0)

    y = (np.arange(rows) - middle_row) * row_mm
    x = (np.arange(columns) - middle_column) * column_mm
    every = np.hypot(y[:, None], x[None, :]).ravel()
    nearest = float(rough[found].min()) - INSIDE_MM - pixel_mm
    farthest = float(rough.max()) + reach + pixel_mm
    pixels = np.flatnonzero((every > nearest) & (every < farthest))
    radius = every[pixels]
    row, column = np.divmod(pixels, columns)
    turn = (np.arctan2(y[row], x[column]) + np.pi) * (directions / (2 * np.pi))
    direction = np.minimum(turn.astype(np.intp), directions - 1)
    depth = rough[:, direction] - radius
    near = (depth < INSIDE_MM + pixel_mm) & (depth > -reach - pixel_mm) & found[:, direction]
    k, which = np.nonzero(near)
    return Band(
        hu=hu.reshape(count, -1)[k, pixels[which]].astype(np.float64),
        radius=radius[which],
        cell=k * directions + direction[which],
        offset=(turn - direction - 0.5)[which],
        rough=rough.astype(np.float64).ravel(),
        slices=count,
        directions=directions,
        reach_mm=reach,
        pixel_mm=pixel_mm,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """The outline of every slice; arrays have axes (slice, direction)."""

    radius: Floats
    """In mm, at the middle of the direction."""
    slope: Floats
    """Change of the radius in mm from one direction to the next."""
    bend: Floats
    """Second coefficient of the parabola, mm per squared direction."""
    support: Floats
    """Pixels at the edge within the window."""
    cosine: Floats = field(init=False)
    """Of the angle between ray and normal."""

    def __post_init__(self) -> None:
        turn = 2 * np.pi / self.radius.shape[1]
        across = self.slope / (np.maximum(self.radius, 1.0) * turn)
        object.__setattr__(self, "cosine", 1 / np.sqrt(1 + across**2))

    @classmethod
    def rough(cls, band: Band) -> "Outline":
        """The band's own outline, without slopes."""
        radius = band.rough.reshape(band.slices, band.directions)
        nothing = np.zeros(radius.shape)
        return cls(radius=radius, slope=nothing, bend=nothing, support=np.where(radius > 0, 1.0, 0.0))

    def depth(self, band: Band) -> Floats:
        """Distance of the band's pixels from the outline in mm, (pixel,), positive in the head."""
        here, u = band.cell, band.offset
        at = self.radius.ravel()[here] + (self.slope.ravel()[here] + self.bend.ravel()[here] * u) * u
        return np.asarray((at - band.radius) * self.cosine.ravel()[here], dtype=np.float64)

    def shift(self) -> Floats:
        """How far the outline moves from one slice to the next in mm, along its normal; NaN for one slice."""
        if len(self.radius) < 2:
            return np.full(self.radius.shape, np.nan)
        known = np.where(self.support > 0, self.radius, np.nan)
        return np.asarray(np.gradient(known, axis=0) * self.cosine, dtype=np.float64)


def fitted(band: Band, before: Outline, edge: NDArray[np.bool_], depth: Floats) -> tuple[Outline, Floats]:
    """The outline through these pixels of the band, each of which is ``depth`` mm inside of it.

    ``edge`` marks them, (pixel,), and ``depth`` has a value for each of the marked. Returns the outline and
    how far from it, in mm, root mean square, the pixels of the window are, in (slice, direction).
    """
    from scipy.ndimage import correlate1d

    half = band.half_window
    here = band.cell[edge]
    at = band.radius[edge] + depth / before.cosine.ravel()[here]
    at -= before.slope.ravel()[here] * band.offset[edge]
    u = np.arange(-half, half + 1) / half
    kernel = 1.001 - u**2
    weight, sums = band.per_cell(edge), band.per_cell(edge, at)
    moments = [correlate1d(weight, kernel * u**n, axis=1, mode="wrap") for n in range(5)]
    right = [correlate1d(sums, kernel * u**n, axis=1, mode="wrap") for n in range(3)]
    left = np.stack([np.stack([moments[n + m] for m in range(3)], axis=-1) for n in range(3)], axis=-2)
    # Keeps directions without any pixel solvable; too little to move the others.
    left += np.eye(3) * (1e-6 * (1 + moments[0][..., None, None]))
    solved = np.linalg.solve(left, np.stack(right, axis=-1)[..., None])[..., 0]
    parts: Floats = np.asarray(solved, dtype=np.float64)
    outline = Outline(
        radius=parts[..., 0], slope=parts[..., 1] / half, bend=parts[..., 2] / half**2, support=moments[0]
    )
    away = (at - outline.radius.ravel()[here]) * outline.cosine.ravel()[here]
    square = band.around(band.per_cell(edge, away**2)) / np.maximum(band.around(weight), 1)
    return outline, np.sqrt(np.maximum(square, 0))
