"""Opening by reconstruction: the brain without what thin bridges connect to it (orbits, canals, scalp)."""

import numpy as np
from numpy.typing import NDArray

from nameplate_skullstrip.distance import Spacing, depth, grown
from nameplate_skullstrip.region import largest, touching

LARGE_MM = 12.0
"""Radius of the first opening: what survives it is certainly brain."""
SMALL_MM = 6.0
"""Radius of the second opening: temporal poles, cerebellum, gyri below the vertex."""
REACH_MM = 4.0
"""How far beyond the first opening the second may go, in addition to its own radius."""


def opened(tissue: NDArray[np.bool_], spacing_mm: Spacing, size: float) -> NDArray[np.bool_]:
    """The part of ``tissue`` that a ball can roll through; lengths scale with the head's ``size``."""
    inside = depth(tissue, spacing_mm, (LARGE_MM + 1.0) * size)
    core = largest(inside > LARGE_MM * size)
    body = grown(core, spacing_mm, LARGE_MM * size) & tissue
    fine = touching(inside > SMALL_MM * size, body)
    fine &= grown(body, spacing_mm, REACH_MM * size)
    return body | (grown(fine, spacing_mm, SMALL_MM * size) & tissue)
