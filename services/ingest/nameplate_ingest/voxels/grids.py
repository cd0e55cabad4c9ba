"""A volume's geometry as that of its axial slices, so that the rules for DICOM series judge it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.dicom.geometry import LARGEST, SMALLEST, SliceGeometry
from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.stored import StoredVolume

_SKEW = 0.01
"""Cosine between rows and columns that is still a right angle, as for DICOM."""
_PIXEL_MM = (0.05, 10.0)
_FAR_MM = 1e5
_DIGITS = 9
"""Of positions: what is behind them comes from multiplying, not from the file."""


@dataclass(frozen=True, slots=True)
class Planes:
    """The slices of a volume, in the order of its axis that runs along the head."""

    order: tuple[int, int, int]
    """The array's axes: of the slices, of their rows, of their columns."""
    grids: tuple[SliceGeometry, ...]

    def plane(self, voxels: NDArray[Any], number: int) -> NDArray[Any]:
        """Slice ``number``, axes (row, column)."""
        found: NDArray[Any] = voxels.transpose(self.order)[number]
        return found


def planes_of(stored: StoredVolume) -> Planes:
    """The slices of a volume; steps between them that are not along their normal are a gantry's tilt.

    Raises Refused for a geometry that is missing, impossible, or what programs make up.
    """
    steps, origin = stored.affine[:3, :3], stored.affine[:3, 3]
    if not np.isfinite(stored.affine).all() or np.abs(origin).max() > _FAR_MM:
        raise Refused("geometry", "position or directions not valid")
    if np.array_equal(np.abs(steps), np.eye(3)) and not origin.any():
        raise Refused(
            "geometry", "steps of 1 mm, no turn, begins at 0: no scanner's, but made up by a program"
        )
    lengths = np.linalg.norm(steps, axis=0)
    if min(lengths) < 1e-3 or max(lengths) > 1e3:
        raise Refused("geometry", f"voxels of {_told(lengths)} mm")
    directions = steps / lengths
    if abs(np.linalg.det(directions)) < 0.5:
        raise Refused("geometry", "directions are not apart")
    along = int(np.abs(directions[2]).argmax())
    across, down = (axis for axis in range(3) if axis != along)
    if abs(float(directions[:, across] @ directions[:, down])) > _SKEW:
        raise Refused("geometry", "rows and columns are not perpendicular")
    if not all(_PIXEL_MM[0] <= lengths[axis] <= _PIXEL_MM[1] for axis in (across, down)):
        raise Refused("geometry", f"pixels of {_told(lengths[[across, down]])} mm")
    columns, rows, slices = (stored.shape[axis] for axis in (across, down, along))
    if not (SMALLEST <= rows <= LARGEST and SMALLEST <= columns <= LARGEST):
        raise Refused("size", f"{rows} x {columns} pixels")
    a, b, c = (float(value) for value in directions[:, across])
    d, e, f = (float(value) for value in directions[:, down])
    grids = []
    for number in range(slices):
        x, y, z = (round(float(value), _DIGITS) + 0.0 for value in origin + number * steps[:, along])
        spacing = float(lengths[down]), float(lengths[across])
        grids.append(SliceGeometry(rows, columns, (x, y, z), (a, b, c, d, e, f), spacing))
    return Planes((along, down, across), tuple(grids))


def _told(lengths: NDArray[np.float64]) -> str:
    return " x ".join(f"{length:.3g}" for length in lengths)
