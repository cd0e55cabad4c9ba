"""The box around a mask."""

import numpy as np
from numpy.typing import NDArray


def box_around(mask: NDArray[np.bool_], margins: tuple[int, int, int]) -> tuple[slice, slice, slice]:
    """The smallest box with the mask and a margin of voxels along each axis, within the array."""
    box = []
    for axis, margin in enumerate(margins):
        places = np.flatnonzero(mask.any(axis=tuple(other for other in (0, 1, 2) if other != axis)))
        first, last = (int(places[0]), int(places[-1])) if len(places) else (0, -1)
        box.append(slice(max(first - margin, 0), last + 1 + margin))
    return box[0], box[1], box[2]
