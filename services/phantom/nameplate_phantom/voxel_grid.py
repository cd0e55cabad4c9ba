"""The simulation grid, and smooth random fields on it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from nameplate_phantom.shape import Floats


@dataclass(frozen=True, slots=True)
class VoxelGrid:
    """An isotropic, axis-aligned grid in the patient's LPS frame; arrays on it have axes (z, y, x)."""

    origin: tuple[float, float, float]
    """Centre of the first voxel in mm, as (x, y, z)."""
    step_mm: float
    shape: tuple[int, int, int]
    """Voxels along z, y and x."""

    def axes(self) -> tuple[Floats, Floats, Floats]:
        """Positions in mm along x, y and z."""
        x, y, z = (
            (start + self.step_mm * np.arange(count)).astype(np.float32)
            for start, count in zip(self.origin, self.shape[::-1], strict=True)
        )
        return x, y, z

    def halved(self) -> "VoxelGrid":
        """Every other voxel of this grid, and more at the end so that it is covered."""
        depth, height, width = (count // 2 + 1 for count in self.shape)
        return VoxelGrid(self.origin, 2 * self.step_mm, (depth, height, width))

    def affine_ras(self) -> NDArray[np.float64]:
        """From (i, j, k) of the array flipped to right-anterior-superior order, to RAS mm."""
        _, height, width = self.shape
        x, y, z = self.origin
        affine = np.diag([self.step_mm] * 3 + [1.0])
        affine[:3, 3] = (-(x + self.step_mm * (width - 1)), -(y + self.step_mm * (height - 1)), z)
        return affine

    def to_ras(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array with axes (z, y, x) in LPS as an array (i, j, k) in RAS, for ``affine_ras``."""
        return np.ascontiguousarray(array.transpose(2, 1, 0)[::-1, ::-1])


def _spline_matrix(points: int, knots: int) -> sparse.csr_matrix:
    """Cubic B-splines on ``knots`` even knots, sampled at ``points`` even points: (points, knots)."""
    at = np.linspace(1.0, knots - 2.0, points)
    base = np.minimum(at.astype(int), knots - 3)
    t = at - base
    weights = (
        np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1)
        / 6.0
    )
    columns = base[:, None] + np.arange(-1, 3)[None, :]
    rows = np.repeat(np.arange(points), 4)
    return sparse.csr_matrix(
        (weights.ravel().astype(np.float32), (rows, columns.ravel())), shape=(points, knots)
    )


def _halving_matrix(points: int, knots: int) -> sparse.csr_matrix:
    """Linear interpolation onto twice as many points: (points, knots)."""
    at = np.arange(points)
    columns = np.stack([at // 2, (at + 1) // 2], axis=1)
    weights = np.full(2 * points, 0.5, dtype=np.float32)
    return sparse.csr_matrix((weights, (np.repeat(at, 2), columns.ravel())), shape=(points, knots))


def _spread(
    knots: Floats, shape: tuple[int, int, int], matrix: Callable[[int, int], sparse.csr_matrix]
) -> Floats:
    # Sparse products instead of a matrix library: the same bytes for any number of threads.
    a, b, c = knots.shape
    depth, height, width = shape
    along_x = matrix(width, c) @ np.ascontiguousarray(knots.reshape(a * b, c).T)
    by_y = np.ascontiguousarray(along_x.reshape(width, a, b).transpose(2, 1, 0).reshape(b, a * width))
    along_y = matrix(height, b) @ by_y
    by_z = np.ascontiguousarray(along_y.reshape(height, a, width).transpose(1, 0, 2).reshape(a, -1))
    along_z: Floats = matrix(depth, a) @ by_z
    return along_z.reshape(shape)


def interpolate(knots: Floats, shape: tuple[int, int, int]) -> Floats:
    """Spread cubic spline coefficients with axes (z, y, x) evenly over a grid of this shape."""
    return _spread(knots, shape, _spline_matrix)


def refine(field: Floats, grid: VoxelGrid) -> Floats:
    """A field on ``grid.halved()``, linearly interpolated onto ``grid``."""
    return _spread(field, grid.shape, _halving_matrix)


HEAD_MM = (192.0, 226.0, 184.0)
"""Size of the model along z, y and x: it decides the number of knots of a field, at any voxel size."""


def knots_for(spacing_mm: float) -> tuple[int, int, int]:
    """How many spline knots about ``spacing_mm`` apart cover a head along z, y and x."""
    z, y, x = (max(5, round(length / spacing_mm) + 3) for length in HEAD_MM)
    return z, y, x


def smooth_field(rng: np.random.Generator, grid: VoxelGrid, spacing_mm: float) -> Floats:
    """A smooth random field of about unit spread that varies over ``spacing_mm``."""
    knots = rng.standard_normal(knots_for(spacing_mm), dtype=np.float32)
    return interpolate(knots * np.float32(2.1), grid.shape)


def folded_field(rng: np.random.Generator, grid: VoxelGrid, wavelength_mm: float) -> Floats:
    """A random field of unit spread with one dominant wavelength: its zeros are folded sheets."""
    spacing = wavelength_mm / 3.6
    knots = rng.standard_normal(knots_for(spacing), dtype=np.float32)
    band = ndimage.gaussian_filter(knots, 0.75) - ndimage.gaussian_filter(knots, 1.25)
    return interpolate(band / np.float32(band.std()), grid.shape)
