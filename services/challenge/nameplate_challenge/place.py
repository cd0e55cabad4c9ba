"""Places in a brain: the same relative to every brain, and moved no farther than a sphere needs."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.affine import apply_affine
from nameplate.image.sphere import DIGITS, SLACK_MM, Point, holds
from nameplate.image.volume import Volume
from nameplate.streams import stream

REACH = 0.75
"""How far out of the brain's middle places are drawn, as a share of the way to its surface."""


@dataclass(frozen=True, slots=True)
class BrainFrame:
    """The ellipsoid along the patient's axes (right, front, head) that is spread out as the brain is.

    Its middle and half axes come from all voxels of the mask, so that a cropped base, a thin spur of the mask
    or another grid moves them little: less than the two voxels that make a bounding box.
    """

    centre_mm: Point
    """RAS mm in the patient."""
    half_mm: Point

    def point(self, place: Point) -> Point:
        """A place, in half axes from the middle (1 is the surface), as RAS mm in the patient."""
        x, y, z = (
            round(middle + share * half, DIGITS)
            for middle, share, half in zip(self.centre_mm, place, self.half_mm, strict=True)
        )
        return x, y, z


def frame_of(mask: Volume) -> BrainFrame | None:
    """The frame of a mask (i, j, k); None if it is empty or flat."""
    voxels = np.argwhere(mask.array).astype(np.float64)
    if not len(voxels):
        return None
    middle = apply_affine(mask.affine, voxels.mean(axis=0))
    axes = mask.affine[:3, :3]
    spread = np.diagonal(axes @ np.cov(voxels, rowvar=False, bias=True) @ axes.T)
    if not (spread > 0).all():
        return None
    # Of a full ellipsoid, the half axis is the square root of five standard deviations.
    half = np.sqrt(5.0 * spread)
    return BrainFrame(_point(middle), _point(half))


def drawn_places(seed: int, count: int) -> list[Point]:
    """So many places, evenly from the inner ``REACH`` of the ellipsoid; more of them keep the first ones."""
    places = []
    for number in range(count):
        rng = stream(seed, "challenge", "place", number)
        direction = rng.normal(size=3)
        length = REACH * rng.random() ** (1 / 3)
        places.append(_point(length * direction / np.sqrt((direction**2).sum())))
    return places


@dataclass(frozen=True, slots=True)
class Settled:
    """Where a sphere went."""

    centre_mm: Point
    """RAS mm in the patient."""
    moved_mm: float
    """From where it was wanted."""


def settled(
    mask: Volume,
    room_mm: Callable[[], NDArray[np.float32]],
    wanted_mm: Point,
    radius_mm: float,
    most_moved_mm: float,
) -> Settled | None:
    """The wanted place if the whole sphere is inside the brain there, else the nearest voxel with room.

    ``room_mm`` gives the mask's room (``nameplate.image.sphere.room_mm``), and is asked only where it is
    needed. None if there is no such voxel within ``most_moved_mm``.
    """
    if holds(mask, wanted_mm, radius_mm):
        return Settled(wanted_mm, 0.0)
    axes = mask.affine[:3, :3]
    wanted = np.linalg.solve(axes, np.array(wanted_mm) - mask.affine[:3, 3])
    reach = most_moved_mm / np.array(mask.spacing_mm)
    room = room_mm()
    first = np.clip(np.floor(wanted - reach), 0, room.shape).astype(int)
    last = np.clip(np.ceil(wanted + reach) + 1, 0, room.shape).astype(int)
    box = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
    voxels = np.argwhere(room[box] >= radius_mm + SLACK_MM) + first
    if not len(voxels):
        return None
    points = apply_affine(mask.affine, voxels)
    # Rounded, so that of two voxels equally far the first one is taken on every machine.
    away = np.round(np.sqrt(((points - wanted_mm) ** 2).sum(axis=1)), DIGITS)
    nearest = int(away.argmin())
    if away[nearest] > most_moved_mm:
        return None
    return Settled(_point(points[nearest]), float(away[nearest]))


def _point(values: NDArray[np.float64]) -> Point:
    x, y, z = (round(float(value), DIGITS) for value in values)
    return x, y, z
