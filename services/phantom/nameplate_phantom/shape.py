"""Shapes as signed distances in mm at given points, positive inside."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Points in the model head in mm: x to the left (or its absolute value), y to the back, z up."""

    x: Floats
    y: Floats
    z: Floats

    def take(self, where: NDArray[np.intp] | NDArray[np.bool_]) -> "Points":
        """Some of the points."""
        return Points(self.x[where], self.y[where], self.z[where])


def ellipsoid(points: Points, centre: Triple, axes: Triple, turn_degrees: float = 0.0) -> Floats:
    """Distance to an ellipsoid's surface, to first order; ``turn_degrees`` turns it about z.

    Unlike a radial distance, a first-order one keeps the thickness of shells even.
    """
    dx, dy, dz = points.x - centre[0], points.y - centre[1], points.z - centre[2]
    if turn_degrees:
        c, s = np.cos(np.radians(turn_degrees)), np.sin(np.radians(turn_degrees))
        dx, dy = float(c) * dx + float(s) * dy, float(c) * dy - float(s) * dx
    dx *= 1 / axes[0]
    dy *= 1 / axes[1]
    dz *= 1 / axes[2]
    square = dx * dx
    slope = square * (1 / axes[0] ** 2)
    for part, axis in ((dy, axes[1]), (dz, axes[2])):
        part *= part
        square += part
        part *= 1 / axis**2
        slope += part
    radius = np.sqrt(square, out=square)
    slope += 1e-12
    np.sqrt(slope, out=slope)
    distance: Floats = (1 - radius) * (radius + 1e-6) / slope
    return distance


def union(first: Floats, second: Floats, blend_mm: float) -> Floats:
    """Both shapes as one, with their seam rounded over ``blend_mm``."""
    seam = np.abs(first - second)
    np.subtract(blend_mm, seam, out=seam)
    np.maximum(seam, 0, out=seam)
    seam *= seam
    seam *= 1 / (4 * blend_mm)
    seam += np.maximum(first, second)
    return seam


def cover(distance: Floats, soft_mm: float) -> Floats:
    """Share of a voxel of size ``soft_mm`` that is inside, from the distance of its centre."""
    share: Floats = np.clip(distance * (1 / soft_mm) + 0.5, 0, 1)
    return share


def slab(distance: Floats, half_mm: float | Floats, soft_mm: float) -> Floats:
    """Share of a voxel filled by a sheet of half thickness ``half_mm`` at unsigned ``distance``."""
    full = np.minimum(2 * half_mm, soft_mm)
    share: Floats = np.clip(half_mm + soft_mm / 2 - distance, 0, full) * (1 / soft_mm)
    return share


def paint(values: Floats, share: Floats, hu: float | Floats) -> None:
    """Replace ``share`` of each voxel by a material of ``hu``, in place."""
    values += share * (hu - values)
