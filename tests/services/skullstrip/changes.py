"""Simulated changes of a real head whose intracranial space is known."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nameplate.image.volume import Volume
from nameplate.streams import stream

Mask = NDArray[np.bool_]
Case = tuple[str, Volume, Mask]


def changed_heads(image: Volume, inside: Mask) -> Iterator[Case]:
    """Name, image and intracranial space of every change; ``image`` has canonical axes (RAS)."""
    for sd in (5.0, 10.0, 15.0, 20.0):
        noise = stream(7, f"noise {sd}").normal(0.0, sd, image.array.shape)
        yield f"noise {sd:.0f} HU", image.with_array(_hu(image.array + noise)), inside
    for side in ("left", "right"):
        for radius in (25.0, 35.0, 45.0):
            yield f"craniectomy R {radius:.0f} {side}", craniectomy(image, inside, radius, side), inside
    for thickness in (8.0, 15.0):
        yield f"bleed {thickness:.0f} mm", _bleed(image, inside, thickness), inside
    for degrees in (-15.0, 10.0, 25.0):
        yield f"tilt {degrees:.0f} degrees", *_tilted(image, inside, degrees)
    for name, low, high in (("base", 8, 0), ("vertex", 0, 5), ("base and vertex", 8, 7)):
        kept = np.s_[:, :, low : image.array.shape[2] - high]
        yield f"{name} cropped", Volume(np.ascontiguousarray(image.array[kept]), image.affine), inside[kept]
    for scale in (0.7, 0.8, 1.1):
        sized = image.affine.copy()
        sized[:3] *= scale
        yield f"size {scale}", Volume(image.array, sized), inside


def craniectomy(image: Volume, inside: Mask, radius_mm: float, side: str) -> Volume:
    """The image with soft tissue in place of the bone around a point of one side of the skull."""
    x, y, z = _places(image)
    middle = [
        float(axis.ravel()[np.flatnonzero(inside.any(axis=other)).mean().astype(int)])
        for axis, other in ((x, (1, 2)), (y, (0, 2)), (z, (0, 1)))
    ]
    row = inside[:, _nearest(y, middle[1] - 10.0), _nearest(z, middle[2] + 10.0)]
    end = np.flatnonzero(row)[0 if side == "left" else -1]
    distance = (x - x.ravel()[end]) ** 2 + (y - middle[1] + 10.0) ** 2 + (z - middle[2] - 10.0) ** 2
    soft = stream(7, "flap").normal(40.0, 4.0, image.array.shape)
    # Voxels of the edge too: their share of bone is gone.
    flap = (distance < radius_mm**2) & (image.array > 100)
    return image.with_array(_hu(np.where(flap, soft, image.array)))


def _bleed(image: Volume, inside: Mask, thickness_mm: float) -> Volume:
    """The image with a bleed against the skull, over the upper half of one side."""
    x, _, z = _places(image)
    columns, _, slices = np.nonzero(inside)
    deep = ndimage.distance_transform_edt(inside, image.spacing_mm)
    bleed = inside & (deep < thickness_mm) & (image.array < 110)
    bleed &= (x < x.ravel()[int(columns.mean())] - 25.0) & (z > z.ravel()[int(slices.mean())] - 10.0)
    blood = stream(7, "bleed").normal(70.0, 4.0, image.array.shape)
    return image.with_array(_hu(np.where(bleed, blood, image.array)))


def _tilted(image: Volume, inside: Mask, degrees: float) -> tuple[Volume, Mask]:
    """The image and the space turned about the left-right axis, with room for what leaves the stack."""
    angle, spacing = np.deg2rad(degrees), np.array(image.spacing_mm)
    turn = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    matrix = np.diag(1.0 / spacing) @ turn @ np.diag(spacing)
    shape = (*image.array.shape[:2], image.array.shape[2] + 8)
    offset = (np.array(image.array.shape) - 1) / 2 - matrix @ ((np.array(shape) - 1) / 2)
    hu = ndimage.affine_transform(
        image.array.astype(np.float32), matrix, offset, output_shape=shape, order=1, cval=-1000.0
    )
    # Turned as a signed distance: a mask of thick slices would turn into steps.
    depth = ndimage.distance_transform_edt(inside, spacing) - ndimage.distance_transform_edt(~inside, spacing)
    turned = ndimage.affine_transform(depth, matrix, offset, output_shape=shape, order=1, cval=-100.0)
    return Volume(_hu(hu), np.diag([*spacing, 1.0])), turned > 0


def _places(image: Volume) -> list[NDArray[np.float64]]:
    """Millimetres along each axis, shaped to broadcast."""
    axes = [np.arange(count) * step for count, step in zip(image.array.shape, image.spacing_mm, strict=True)]
    return list(np.meshgrid(*axes, indexing="ij", sparse=True))


def _nearest(axis: NDArray[np.float64], place: float) -> int:
    return int(np.abs(axis.ravel() - place).argmin())


def _hu(values: NDArray[np.floating]) -> NDArray[np.int16]:
    return np.rint(values).astype(np.int16)
