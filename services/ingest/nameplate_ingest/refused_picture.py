"""One slice of a refused series as a small picture, so that a person sees what was refused."""

import numpy as np
from numpy.typing import NDArray

from nameplate.image.thumbnail import slice_picture
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.refusal import Refused
from nameplate_ingest.volume.group import Group
from nameplate_ingest.volume.series import axial_angle

MOST_DEGREES = 30.0
"""Slices farther from axial may show a profile or a face, and are not drawn."""


def refused_picture(group: Group) -> bytes | None:
    """The middle slice of the series as PNG, the patient's right on the left and the front up.

    None for images that have no stack, are not axial within 30 degrees, or cannot be decoded.
    """
    stack = group.stack
    if stack is None or not group.slices or not axial_angle(stack) <= MOST_DEGREES:
        return None
    chosen = group.slices[len(group.slices) // 2]
    if chosen.grid is None:
        return None
    try:
        plane = hounsfield(chosen)
    except Refused:
        return None
    return slice_picture(*_upright(plane, chosen.grid.spacing, stack.axes))


def _upright(
    plane: NDArray[np.float32], spacing_mm: tuple[float, float], axes: NDArray[np.float64]
) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """The plane with columns counting up to the patient's left and rows to the back (LPS x and y)."""
    across, down = axes[0], axes[1]
    if abs(across[0]) < abs(down[0]):
        plane, spacing_mm, across, down = plane.T, (spacing_mm[1], spacing_mm[0]), down, across
    rows, columns = -1 if down[1] < 0 else 1, -1 if across[0] < 0 else 1
    return plane[::rows, ::columns], spacing_mm
