"""A sphere in a brain: where it fits, which share of each voxel it fills, how it is blended in.

The axes of every affine here are orthogonal, like those of the volumes that the ingest writes.
"""

from collections.abc import Sequence
from itertools import product
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nameplate.image.envelope import lower_envelope
from nameplate.image.volume import Volume

Box = tuple[slice, slice, slice]
Point = tuple[float, float, float]

DIGITS = 4
"""Decimals of a centre and a radius in mm, so that the last bits of a machine's arithmetic reach no file."""

SLACK_MM = 10.0**-DIGITS
"""Room that a sphere must have beyond its radius, for the rounding of its centre."""

# Points along i and along j of a voxel at which the sphere is measured for partial volume; along k it
# is measured exactly.
SUPERSAMPLING = 6


class Blend(Protocol):
    """A sphere that takes the place of the tissue: where, how large, and which intensity it has."""

    @property
    def centre_mm(self) -> Point:
        """RAS mm in the patient."""

    @property
    def radius_mm(self) -> float:
        """In mm."""

    @property
    def hu_mean(self) -> float:
        """In HU."""

    @property
    def hu_sd(self) -> float:
        """In HU."""


def room_mm(mask: Volume, cap_mm: float) -> NDArray[np.float32]:
    """Radius in mm of the largest ball around each voxel's centre that stays inside the mask.

    Exact: the ball touches no part of any voxel outside the mask, and everything beyond the volume's
    border counts as outside. Axes (i, j, k) as in the mask; 0 outside it, at most ``cap_mm``.
    """
    inside = mask.array != 0
    room = np.zeros(inside.shape, dtype=np.float32)
    if not inside.any():
        return room
    hits = [np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    box = tuple(slice(int(hit[0]), int(hit[-1]) + 1) for hit in hits)
    # The squared distance to the nearest face of an outside voxel is a sum over the axes, so its
    # minimum can be taken one axis after another. One ring of outside voxels represents the rest.
    # In memory k comes first: it has the fewest voxels, and long inner lines are fast.
    ringed = np.ascontiguousarray(np.pad(inside[box], 1).transpose(2, 0, 1)).transpose(1, 2, 0)
    first, *others = np.argsort(mask.spacing_mm, kind="stable")
    squared = np.square(_line_distance(ringed, int(first), mask.spacing_mm[first], cap_mm))
    for axis in others:
        squared = lower_envelope(squared, axis, mask.spacing_mm[axis], cap_mm, start=0.5)
    room[box] = np.sqrt(squared)[1:-1, 1:-1, 1:-1]
    return room


def common_room_mm(masks: Sequence[Volume], cap_mm: float) -> NDArray[np.float32]:
    """Radius in mm of a ball around each voxel's centre of the first mask that stays inside every mask.

    The masks are of one head, on any grids. Exact where all have the first one's grid; elsewhere never too
    large, and too small by a voxel's diagonal at most. Axes (i, j, k) as in the first mask; 0 outside of
    any, at most ``cap_mm``.
    """
    first, *others = masks
    room = room_mm(first, cap_mm)
    for other in others:
        voxels = np.nonzero(room)
        points = (first.affine[:3, :3] @ np.array(voxels, dtype=float)).T + first.affine[:3, 3]
        room[voxels] = np.minimum(room[voxels], _room_at(other, points, cap_mm))
    return room


def _room_at(mask: Volume, points_mm: NDArray[np.float64], cap_mm: float) -> NDArray[np.float64]:
    """Radius in mm of a ball around each point, (n, 3) in RAS mm, that stays inside the mask.

    The largest that is inside the ball of one of the eight voxels around the point.
    """
    spacing = np.array(mask.spacing_mm)
    # At most a diagonal is lost on the way to a voxel's centre: without it, the cap would come down by it.
    balls = np.pad(room_mm(mask, cap_mm + float(np.sqrt((spacing**2).sum()))), 1)
    place = _voxel_place(mask.affine, points_mm)
    room = np.zeros(len(place))
    for corner in product((0, 1), repeat=3):
        voxel = np.floor(place) + corner
        away = np.sqrt((((place - voxel) * spacing) ** 2).sum(axis=1))
        # One ring of voxels represents all that is outside of the volume.
        i, j, k = (np.clip(voxel + 1, 0, np.array(balls.shape) - 1)).astype(int).T
        room = np.maximum(room, balls[i, j, k] - away)
    return np.minimum(room, cap_mm)


def _line_distance(
    inside: NDArray[np.bool_], axis: int, spacing_mm: float, cap_mm: float
) -> NDArray[np.float32]:
    """Distance in mm along one axis to the nearest face of an outside voxel; both ends are outside."""
    lines = np.moveaxis(inside, axis, 0)
    place = np.arange(len(lines), dtype=np.int32)[:, None, None]
    before = np.maximum.accumulate(np.where(lines, 0, place))
    after = np.minimum.accumulate(np.where(lines, len(lines), place)[::-1])[::-1]
    steps = np.minimum(place - before, after - place).astype(np.float32)
    # An outside voxel is 0 steps from itself, an inside one half a voxel nearer to the face.
    distance = np.clip((steps - np.float32(0.5)) * np.float32(spacing_mm), 0, np.float32(cap_mm))
    return np.moveaxis(distance, 0, axis)


def holds(mask: Volume, centre_mm: Point, radius_mm: float) -> bool:
    """Whether the ball (centre in RAS mm) touches no part of a voxel outside the mask or its border."""
    centre = _voxel_place(mask.affine, centre_mm)
    box, squares = [], []
    for middle, spacing, size in zip(centre, mask.spacing_mm, mask.array.shape, strict=True):
        # From a voxel's centre to its face it is half a voxel.
        low, high = middle - radius_mm / spacing + 0.5, middle + radius_mm / spacing - 0.5
        if low < 0 or high > size - 1:
            return False
        box.append(slice(int(np.floor(low)), int(np.ceil(high)) + 1))
        away = np.abs(np.arange(box[-1].start, box[-1].stop) - middle)
        squares.append((np.maximum(away - 0.5, 0) * spacing) ** 2)
    x, y, z = squares
    outside = mask.array[tuple(box)] == 0
    touched = x[:, None, None] + y[None, :, None] + z[None, None, :] < radius_mm**2
    return not bool((outside & touched).any())


def draw_centre(
    rng: np.random.Generator, room: NDArray[np.float32], radius_mm: float, affine: NDArray[np.float64]
) -> Point | None:
    """A centre (RAS mm) drawn evenly from the voxel centres with room for the radius; None without any."""
    places = np.flatnonzero(room >= radius_mm + SLACK_MM)
    if len(places) == 0:
        return None
    voxel = np.unravel_index(int(places[rng.integers(len(places))]), room.shape)
    return _rounded(affine[:3, :3] @ np.array(voxel, dtype=float) + affine[:3, 3])


def shifted(rng: np.random.Generator, masks: Sequence[Volume], centre_mm: Point, radius_mm: float) -> Point:
    """The centre moved evenly within a voxel of the first mask, or unmoved if the ball would leave a mask.

    With only voxel centres, spheres would be cut into slices in only a few ways. Nothing is drawn a
    second time, so the search ends and is exact.
    """
    away = rng.uniform(-0.5, 0.5, size=3)
    moved = _rounded(np.array(centre_mm) + (masks[0].affine[:3, :3] * away).sum(axis=1))
    return moved if all(holds(mask, moved, radius_mm) for mask in masks) else centre_mm


def _rounded(point_mm: NDArray[np.float64]) -> Point:
    x, y, z = point_mm
    return round(float(x), DIGITS), round(float(y), DIGITS), round(float(z), DIGITS)


def _voxel_place(affine: NDArray[np.float64], point_mm: Point | NDArray[np.float64]) -> NDArray[np.float64]:
    """Voxel indices, whole or not, of a point or of many, (..., 3)."""
    # Written out for orthogonal axes: the same bits with any linear algebra library.
    away = np.asarray(point_mm, dtype=np.float64) - affine[:3, 3]
    axes = affine[:3, :3]
    place: NDArray[np.float64] = (axes * away[..., None]).sum(axis=-2) / (axes * axes).sum(axis=0)
    return place


def occupancy(volume: Volume, centre_mm: Point, radius_mm: float) -> tuple[Box, NDArray[np.float64]]:
    """Share of each voxel that the sphere fills, in the box of voxels that it may touch.

    Returns the box as slices of (i, j, k) and the shares, 0 to 1. The sphere's chords along k are exact,
    and measured at ``SUPERSAMPLING`` x ``SUPERSAMPLING`` places of each voxel: a share is off by less than
    a tenth, and on average over the sphere's edge by less than a hundredth.
    """
    centre = _voxel_place(volume.affine, centre_mm)
    box = []
    for middle, spacing, size in zip(centre, volume.spacing_mm, volume.array.shape, strict=True):
        reach = radius_mm / spacing + 0.5
        low, high = max(0, int(np.floor(middle - reach))), min(size, int(np.ceil(middle + reach)) + 1)
        box.append(slice(low, max(low, high)))
    inner = (np.arange(SUPERSAMPLING) + 0.5) / SUPERSAMPLING - 0.5
    x, y = (
        ((np.arange(part.start, part.stop)[:, None] + inner).ravel() - middle) * spacing
        for part, middle, spacing in zip(box[:2], centre, volume.spacing_mm, strict=False)
    )
    half = np.sqrt(np.maximum(radius_mm**2 - x[:, None] ** 2 - y[None, :] ** 2, 0.0))
    faces = (np.arange(box[2].start, box[2].stop + 1) - 0.5 - centre[2]) * volume.spacing_mm[2]
    n = SUPERSAMPLING
    share = np.empty((len(x) // n, len(y) // n, box[2].stop - box[2].start))
    for k in range(share.shape[2]):
        chord = np.clip(half, faces[k], faces[k + 1]) - np.clip(-half, faces[k], faces[k + 1])
        share[:, :, k] = chord.reshape(len(x) // n, n, len(y) // n, n).mean(axis=(1, 3))
    return (box[0], box[1], box[2]), np.clip(share / volume.spacing_mm[2], 0.0, 1.0)


def insert(
    image: Volume, sphere: Blend, rng: np.random.Generator, intensity: Literal["per_voxel", "per_sphere"]
) -> Volume:
    """The image (HU, int16) with the sphere blended in by the share of each voxel that it fills.

    Its intensity is drawn from Normal(hu_mean, hu_sd) for each voxel of the sphere's box, or once; voxels
    that the sphere does not touch keep their value.
    """
    box, share = occupancy(image, sphere.centre_mm, sphere.radius_mm)
    size = share.shape if intensity == "per_voxel" else ()
    hu = rng.normal(sphere.hu_mean, sphere.hu_sd, size=size)
    array = image.array.copy()
    blended = array[box] * (1.0 - share) + hu * share
    limits = np.iinfo(array.dtype)
    array[box] = np.clip(np.rint(blended), limits.min, limits.max).astype(array.dtype)
    return Volume(array, image.affine)


def raised(image: Volume, centre_mm: Point, radius_mm: float, hu: float) -> Volume:
    """The image (HU, integers) with ``hu`` added to each voxel by the share of it that the sphere fills.

    The tissue's noise and texture stay as they are, unlike with ``insert``.
    """
    box, share = occupancy(image, centre_mm, radius_mm)
    array = image.array.copy(order="K")
    limits = np.iinfo(array.dtype)
    array[box] = np.clip(np.rint(array[box] + hu * share), limits.min, limits.max).astype(array.dtype)
    return image.with_array(array)
