"""The lower envelope of distances along one axis: one step of an exact distance transform."""

import numpy as np
from numpy.typing import NDArray


def lower_envelope(
    squared: NDArray[np.float32], axis: int, spacing_mm: float, cap_mm: float, *, start: float = 0.0
) -> NDArray[np.float32]:
    """The least sum of a voxel's value and the squared distance to it along one axis, in mm2.

    Distances start ``start`` voxels from the other voxel's centre: 0 is from centre to centre, 0.5 from the
    nearer face. Only the few samples within ``cap_mm`` are searched, which on coarse grids beats a general
    transform.
    """
    lines = np.moveaxis(squared, axis, 0)
    lowest = lines.copy(order="K")
    for offset in range(1, min(int(cap_mm / spacing_mm + start), len(lines) - 1) + 1):
        candidate = lines + np.float32(((offset - start) * spacing_mm) ** 2)
        np.minimum(lowest[:-offset], candidate[offset:], out=lowest[:-offset])
        np.minimum(lowest[offset:], candidate[:-offset], out=lowest[offset:])
    return np.moveaxis(lowest, 0, axis)
