"""When a mask has found a lesion, and what in it is a false alarm: the one place where this is decided.

The *lesion's region* is every voxel whose centre is within the sphere or at most ``MARGIN_MM`` outside of it,
and the voxel of its centre. The score of a case with a lesion is the highest value of its region, so a lesion
is found at a threshold if the map reaches it anywhere in there: it need not cover the lesion. A false alarm
is a connected region (26 neighbours) at or above the threshold that has no voxel in the lesion's. In an exam
without a lesion the score is the highest value anywhere, and every region is a false alarm.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import label

from nameplate.image.affine import apply_affine
from nameplate.image.box import box_around
from nameplate.image.sphere import Point
from nameplate.image.volume import Volume

MARGIN_MM = 2.0


def hit(
    values: NDArray[Any], image: Volume, sphere: tuple[Point, float] | None, threshold: float
) -> tuple[float, int]:
    """Score and false alarms of a map (i, j, k) on the grid of ``image``.

    ``sphere`` is centre (RAS mm) and radius (mm) of the lesion, if there is one.
    """
    positive = values >= threshold
    if sphere is None:
        return _score(values), _regions(positive, None)
    near = _near(image, *sphere)
    return _score(values[near]), _regions(positive, near)


def _score(values: NDArray[Any]) -> float:
    """The highest value, as the decimal number that it was before it was stored: 0.7 in 32 bits is 0.7."""
    return float(f"{float(values.max()):.7g}")


def _near(image: Volume, centre_mm: Point, radius_mm: float) -> NDArray[np.bool_]:
    """The lesion's region."""
    inverse = np.asarray(np.linalg.inv(image.affine), dtype=np.float64)
    middle = apply_affine(inverse, centre_mm)
    reach = (radius_mm + MARGIN_MM) / np.array(image.spacing_mm)
    first = np.clip(np.floor(middle - reach), 0, image.array.shape).astype(int)
    last = np.clip(np.ceil(middle + reach) + 1, 0, image.array.shape).astype(int)
    box = tuple(slice(low, high) for low, high in zip(first, last, strict=True))
    near = np.zeros(image.array.shape, dtype=bool)
    voxels = np.moveaxis(np.indices(near[box].shape), 0, -1) + first
    away = apply_affine(image.affine, voxels) - centre_mm
    near[box] = (away**2).sum(axis=-1) <= (radius_mm + MARGIN_MM) ** 2
    nearest = np.clip(np.rint(middle), 0, np.array(image.array.shape) - 1).astype(int)
    near[tuple(nearest)] = True
    return near


def _regions(positive: NDArray[np.bool_], near: NDArray[np.bool_] | None) -> int:
    """Connected regions that do not touch ``near``."""
    box = box_around(positive, (0, 0, 0))
    regions, count = label(positive[box], structure=np.ones((3, 3, 3)))
    touched = 0 if near is None else np.count_nonzero(np.unique(regions[near[box]]))
    return int(count) - int(touched)
