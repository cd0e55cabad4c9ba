"""A sphere in a brain: where it can lie, which share of each voxel it fills, how it is blended in."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nameplate.image.volume import Volume
from nameplate.records import Sphere

# Points along each axis of a voxel at which the sphere is sampled for partial volume.
SUPERSAMPLING = 6


def room_mm(mask: Volume, cap_mm: float) -> NDArray[np.float32]:
    """Radius in mm of the largest ball around each voxel's centre that stays inside the mask.

    Exact: the ball touches no part of any voxel outside the mask, and what lies beyond the volume's
    border counts as outside. Axes (i, j, k) as the mask; 0 outside it, at most ``cap_mm``.
    """
    inside = mask.array != 0
    room = np.zeros(inside.shape, dtype=np.float32)
    if not inside.any():
        return room
    box = tuple(
        slice(int(hit[0]), int(hit[-1]) + 1)
        for axis in range(3)
        if len(hit := np.flatnonzero(inside.any(axis=tuple(other for other in range(3) if other != axis))))
    )
    # The squared distance to the nearest face of an outside voxel is a sum over the axes, so its
    # minimum can be taken one axis after the other. One ring of outside voxels stands for the rest.
    squared = np.where(np.pad(inside[box], 1), np.float32(cap_mm**2), np.float32(0.0))
    for axis, spacing in enumerate(mask.spacing_mm):
        lines = np.moveaxis(squared, axis, 0)
        lowest = lines.copy()
        for offset in range(1, min(int(cap_mm / spacing + 0.5), len(lines) - 1) + 1):
            candidate = lines + np.float32(((offset - 0.5) * spacing) ** 2)
            np.minimum(lowest[:-offset], candidate[offset:], out=lowest[:-offset])
            np.minimum(lowest[offset:], candidate[:-offset], out=lowest[offset:])
        squared = np.moveaxis(lowest, 0, axis)
    room[box] = np.sqrt(squared)[1:-1, 1:-1, 1:-1]
    return room


def draw_centre(
    rng: np.random.Generator, room: NDArray[np.float32], radius_mm: float, affine: NDArray[np.float64]
) -> tuple[float, float, float] | None:
    """A centre (RAS mm), evenly among the voxel centres with room for the radius; None without any."""
    places = np.flatnonzero(room >= radius_mm)
    if len(places) == 0:
        return None
    voxel = np.unravel_index(int(places[rng.integers(len(places))]), room.shape)
    x, y, z = affine[:3, :3] @ np.array(voxel, dtype=float) + affine[:3, 3]
    return round(float(x), 4), round(float(y), 4), round(float(z), 4)


def occupancy(
    volume: Volume, centre_mm: tuple[float, float, float], radius_mm: float
) -> tuple[tuple[slice, slice, slice], NDArray[np.float64]]:
    """Share of each voxel that the sphere fills, in the box of voxels that it may touch.

    Returns the box as slices of (i, j, k) and the shares, 0 to 1. The affine's axes are orthogonal.
    """
    inverse = np.linalg.inv(volume.affine)
    centre = inverse[:3, :3] @ np.asarray(centre_mm) + inverse[:3, 3]
    box: list[slice] = []
    squares: list[NDArray[np.float64]] = []
    inner = (np.arange(SUPERSAMPLING) + 0.5) / SUPERSAMPLING - 0.5
    for middle, spacing, size in zip(centre, volume.spacing_mm, volume.array.shape, strict=True):
        reach = radius_mm / spacing + 0.5
        low, high = max(0, int(np.floor(middle - reach))), min(size, int(np.ceil(middle + reach)) + 1)
        box.append(slice(low, max(low, high)))
        points = (np.arange(low, max(low, high))[:, None] + inner[None, :]).ravel()
        squares.append(((points - middle) * spacing) ** 2)
    x, y, z = squares
    filled = (x[:, None, None] + y[None, :, None] + z[None, None, :]) <= radius_mm**2
    n = SUPERSAMPLING
    shape = (len(x) // n, n, len(y) // n, n, len(z) // n, n)
    return (box[0], box[1], box[2]), filled.reshape(shape).mean(axis=(1, 3, 5))


def insert(
    image: Volume,
    sphere: Sphere,
    rng: np.random.Generator,
    intensity: Literal["per_voxel", "per_sphere"],
) -> Volume:
    """The image (HU, int16) with the sphere blended in by the share of each voxel that it fills."""
    box, share = occupancy(image, sphere.centre_mm, sphere.radius_mm)
    size = share.shape if intensity == "per_voxel" else ()
    hu = rng.normal(sphere.hu_mean, sphere.hu_sd, size=size)
    array = image.array.copy()
    blended = array[box] * (1.0 - share) + hu * share
    array[box] = np.rint(blended).astype(array.dtype)
    return Volume(array, image.affine)
