"""Geometry of images as pure functions on 4 x 4 matrices (voxel index to RAS mm) and DICOM vectors.

DICOM uses LPS (x to the patient's left, y to the back, z to the head), NIfTI uses RAS; both in mm.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


def slice_axes(orientation: ArrayLike) -> NDArray[np.float64]:
    """Three perpendicular unit vectors from ImageOrientationPatient, as rows (LPS).

    The first is the direction in which columns count up, the second that of rows, the third the
    slice normal (their cross product). The second is made exactly perpendicular to the first.

    >>> slice_axes([1, 0, 0, 0, 1, 0])[2].tolist()
    [0.0, 0.0, 1.0]
    """
    given = np.asarray(orientation, dtype=np.float64).reshape(2, 3)
    across = given[0] / np.linalg.norm(given[0])
    down = given[1] - across * float(given[1] @ across)
    down /= np.linalg.norm(down)
    return np.stack([across, down, np.cross(across, down)])


def affine_from_axes(
    axes: NDArray[np.float64], spacing_mm: tuple[float, float, float], origin_mm: ArrayLike
) -> NDArray[np.float64]:
    """The affine in RAS of an array whose axes run along the rows of ``axes`` (LPS), at ``origin_mm`` (LPS).

    >>> affine_from_axes(np.eye(3), (2.0, 2.0, 5.0), (10.0, 20.0, 30.0))[:3, 3].tolist()
    [-10.0, -20.0, 30.0]
    """
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(axes, dtype=np.float64).T * np.asarray(spacing_mm, dtype=np.float64)
    affine[:3, 3] = np.asarray(origin_mm, dtype=np.float64)
    turned = LPS_TO_RAS @ affine
    return turned + 0.0  # no negative zeros, so that equal geometry is equal bytes


def apply_affine(affine: NDArray[np.float64], points: ArrayLike) -> NDArray[np.float64]:
    """Points of shape (..., 3) through the affine.

    >>> apply_affine(np.diag([2.0, 3.0, 4.0, 1.0]), [1, 1, 1]).tolist()
    [2.0, 3.0, 4.0]
    """
    place: NDArray[np.float64] = np.asarray(points, dtype=np.float64) @ affine[:3, :3].T + affine[:3, 3]
    return place


def angle_degrees(a: ArrayLike, b: ArrayLike) -> float:
    """Angle between two lines (their direction does not count), 0 to 90 degrees.

    >>> round(angle_degrees([0, 0, 1], [0, 1, -1]), 6)
    45.0
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    cosine = abs(float(first @ second)) / (math.hypot(*first) * math.hypot(*second))
    return math.degrees(math.acos(min(1.0, cosine)))


def canonical_axes(affine: NDArray[np.float64]) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which array axis becomes i, j, k of canonical (RAS) order, and whether it is then reversed.

    The assignment is the one whose axes agree best with right, front and head; the affine's columns
    must be perpendicular enough to make it unique.

    >>> canonical_axes(np.diag([-1.0, -1.0, 5.0, 1.0]))
    ((0, 1, 2), (True, True, False))
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    orders = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))
    best = max(orders, key=lambda order: sum(abs(directions[row, order[row]]) for row in range(3)))
    i, j, k = (bool(directions[row, best[row]] < 0) for row in range(3))
    return best, (i, j, k)


def reorder_affine(
    affine: NDArray[np.float64],
    shape: tuple[int, int, int],
    order: tuple[int, int, int],
    reverse: tuple[bool, bool, bool],
) -> NDArray[np.float64]:
    """The affine after an array of ``shape`` is transposed by ``order``, then reversed by ``reverse``.

    >>> reorder_affine(np.diag([-1.0, 1.0, 1.0, 1.0]), (5, 4, 3), (0, 1, 2), (True, False, False))[0].tolist()
    [1.0, 0.0, 0.0, -4.0]
    """
    turned = affine.copy()
    turned[:3, :3] = affine[:3, list(order)]
    for axis in range(3):
        if reverse[axis]:
            turned[:3, 3] += turned[:3, axis] * (shape[order[axis]] - 1)
            turned[:3, axis] *= -1
    return turned + 0.0


def has_perpendicular_axes(affine: NDArray[np.float64]) -> bool:
    """Whether the voxels are boxes: true of what the ingest writes, not of a sheared (tilted) volume.

    >>> has_perpendicular_axes(np.diag([2.0, 2.0, 5.0, 1.0]))
    True
    """
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(axes.T @ axes, np.eye(3), atol=1e-3))
