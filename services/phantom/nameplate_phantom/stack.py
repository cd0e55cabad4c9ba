"""Where the slices of a series are: tilted, uneven, off-centre, in the patient's LPS mm."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from nameplate_phantom.shape import Floats
from nameplate_phantom.voxel_grid import VoxelGrid


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Square slices, from the lowest up.

    With a tilted gantry the table still moves along z: the slices lean, but their corners stay above each
    other and their positions differ only in z, as in real tilted series.
    """

    centre: tuple[float, float]
    """x and y of every slice's centre."""
    heights: NDArray[np.float64]
    """z of every slice's centre."""
    thickness: NDArray[np.float64]
    """Thickness of every slice in mm."""
    tilt_degrees: float
    matrix: int
    pixel_mm: float

    @property
    def orientation(self) -> tuple[float, float, float, float, float, float]:
        """ImageOrientationPatient: direction of a row, then of a column."""
        c, s = np.cos(np.radians(self.tilt_degrees)), np.sin(np.radians(self.tilt_degrees))
        return (1.0, 0.0, 0.0, 0.0, float(c), float(-s))

    def positions(self) -> NDArray[np.float64]:
        """ImagePositionPatient of every slice (centre of the first pixel): (slices, 3)."""
        half = (self.matrix - 1) / 2 * self.pixel_mm
        row, column = np.reshape(self.orientation, (2, 3))
        corner = -half * (row + column)
        centres = np.stack(
            [
                np.full(len(self.heights), self.centre[0]),
                np.full(len(self.heights), self.centre[1]),
                self.heights,
            ],
            axis=1,
        )
        placed: NDArray[np.float64] = np.asarray(centres + corner, dtype=np.float64)
        return placed

    def offsets(self) -> NDArray[np.float64]:
        """Offset of pixel centres from the middle of a row or column in mm."""
        middle = (self.matrix - 1) / 2
        return np.asarray((np.arange(self.matrix) - middle) * self.pixel_mm, dtype=np.float64)


def stack_slices(
    *,
    centre: tuple[float, float],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    base: NDArray[np.float64],
    gaps_mm: tuple[float, float],
    tilt_degrees: float,
    matrix: int,
    field_mm: float,
) -> Stack:
    """Place slices from below the point ``low`` to above ``high`` (LPS mm).

    ``gaps_mm`` is the slice distance and thickness below and above the point ``base``, measured along
    the slice normal.
    """
    c, s = np.cos(np.radians(tilt_degrees)), np.sin(np.radians(tilt_degrees))
    normal = np.array([0.0, s, c])
    start, end, change = float(low @ normal), float(high @ normal), float(base @ normal)
    below, above = gaps_mm
    places, sizes = [start], [below if start < change else above]
    while places[-1] < end:
        step = below if places[-1] + below <= change else above
        places.append(places[-1] + step)
        sizes.append(step)
    heights = (np.array(places) - centre[1] * s) / c
    return Stack(centre, heights, np.array(sizes), tilt_degrees, matrix, field_mm / matrix)


def _linear(at: NDArray[np.float64], count: int) -> tuple[NDArray[np.intp], Floats]:
    """Lower neighbour and the upper neighbour's weight; the outermost voxels extend forever."""
    at = np.clip(at, 0.0, count - 1.0)
    lower = np.minimum(at.astype(np.intp), count - 2)
    return lower, (at - lower).astype(np.float32)


def sample(volume: Floats, grid: VoxelGrid, stack: Stack) -> Floats:
    """Average the volume over each pixel's area and each slice's thickness: (slices, rows, columns).

    Only y and z mix when the gantry tilts, so one sparse product over (z, y) and one over x suffice.
    """
    depth, height, width = grid.shape
    step = grid.step_mm
    c, s = np.cos(np.radians(stack.tilt_degrees)), np.sin(np.radians(stack.tilt_degrees))
    within = max(1, round(stack.pixel_mm / step))
    inner = ((np.arange(within) + 0.5) / within - 0.5) * stack.pixel_mm
    through = max(1, int(np.ceil(float(stack.thickness.max()) / max(step, 1.25))))
    across = (np.arange(through) + 0.5) / through - 0.5

    # Axes: slice, sub-slice, row, sub-row.
    along = (across[None, :] * stack.thickness[:, None])[:, :, None, None]
    down = (stack.offsets()[:, None] + inner[None, :])[None, None]
    z = (stack.heights[:, None, None, None] + along * c - down * s - grid.origin[2]) / step
    y = (stack.centre[1] + along * s + down * c - grid.origin[1]) / step
    z0, wz = _linear(np.broadcast_to(z, np.broadcast_shapes(z.shape, y.shape)), depth)
    y0, wy = _linear(np.broadcast_to(y, z0.shape), height)
    share = np.float32(1.0 / (within * through))
    count = len(stack.heights) * stack.matrix
    corners = [
        ((z0 + dz) * height + y0 + dy, (wz if dz else 1 - wz) * (wy if dy else 1 - wy) * share)
        for dz in (0, 1)
        for dy in (0, 1)
    ]
    columns = np.stack([index for index, _ in corners], axis=-1).transpose(0, 2, 1, 3, 4).reshape(count, -1)
    weights = np.stack([weight for _, weight in corners], axis=-1).transpose(0, 2, 1, 3, 4).reshape(count, -1)
    each = columns.shape[1]
    mix = sparse.csr_matrix(
        (weights.ravel(), columns.ravel().astype(np.int32), np.arange(count + 1, dtype=np.int32) * each),
        shape=(count, depth * height),
    )
    rows = mix @ volume.reshape(depth * height, width)

    x = (stack.centre[0] + stack.offsets()[:, None] + inner[None, :] - grid.origin[0]) / step
    x0, wx = _linear(x, width)
    indices = np.concatenate([x0, x0 + 1], axis=1)
    values = np.concatenate([1 - wx, wx], axis=1) / np.float32(within)
    across_x = sparse.csr_matrix(
        (
            values.ravel(),
            indices.ravel().astype(np.int32),
            np.arange(stack.matrix + 1, dtype=np.int32) * 2 * within,
        ),
        shape=(stack.matrix, width),
    )
    pixels = across_x @ np.ascontiguousarray(rows.T)
    sampled: Floats = np.ascontiguousarray(pixels.T)
    return sampled.reshape(len(stack.heights), stack.matrix, stack.matrix)
