"""Findings about a mask by name, and which of them refuse the head.

flag            meaning                                                       refuses the head
no-brain        volume or median HU is not a head's, or nothing was found      yes
base-cropped    the first slice already cuts the brain                         no
vertex-cropped  the last slice still cuts the brain                            no
bone-defect     much of the brain's surface has no bone (craniectomy)          no
thick-slices    slices so far apart that the outline is uncertain              no
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.skullstrip import SkullstripSettings
from nameplate_skullstrip.canal import HEAD_CM2
from nameplate_skullstrip.distance import Spacing, depth, grown

NO_BRAIN = "no-brain"
BASE_CROPPED = "base-cropped"
VERTEX_CROPPED = "vertex-cropped"
BONE_DEFECT = "bone-defect"
THICK_SLICES = "thick-slices"

REFUSING = frozenset({NO_BRAIN})
"""Flags that make a head unusable."""

VERTEX_CM2 = 10.0
"""A last slice with at most this (times the squared head size) misses at most 3 mm of the brain's top."""
COVER_MM = 10.0
"""Surface farther than this from bone counts as bare."""


def findings(
    mask_KIJ: NDArray[np.uint8],
    inside_hu: NDArray[Any],
    spacing_mm: Spacing,
    size: float,
    bare_cm2: float,
    settings: SkullstripSettings,
) -> tuple[str, ...]:
    """The flags of a mask, slices from foot to head; ``spacing_mm`` along k, i and j.

    ``inside_hu`` are the HU of the mask's voxels in any order, ``size`` is the head's size (1 for an
    inscribed radius of 50 mm), ``bare_cm2`` is the result of ``bare_surface``.
    """
    flags = []
    areas = mask_KIJ.sum(axis=(1, 2)) * (spacing_mm[1] * spacing_mm[2] / 100.0)
    ml = float(areas.sum()) * spacing_mm[0] / 10.0
    plausible = settings.least_ml <= ml <= settings.most_ml
    median = float(np.median(inside_hu)) if inside_hu.size else 0.0
    if not plausible or not settings.least_median_hu <= median <= settings.most_median_hu:
        flags.append(NO_BRAIN)
    if len(areas) and areas[0] > HEAD_CM2 * size**2:
        flags.append(BASE_CROPPED)
    if len(areas) and areas[-1] > VERTEX_CM2 * size**2:
        flags.append(VERTEX_CROPPED)
    if bare_cm2 > settings.defect_cm2:
        flags.append(BONE_DEFECT)
    if spacing_mm[0] > settings.thick_mm:
        flags.append(THICK_SLICES)
    return tuple(flags)


def bare_surface(brain: NDArray[np.bool_], bone: NDArray[np.bool_], spacing_mm: Spacing) -> float:
    """Surface of the brain in cm2, on the coarse grid, that is farther than 10 mm from bone.

    The end of the scan is not a surface: beyond it nothing was seen.
    """
    widest = max(spacing_mm)
    surface = brain & (depth(brain, spacing_mm, 2.0 * widest) <= widest)
    bare = surface & ~grown(bone, spacing_mm, COVER_MM)
    # A layer one cell thick: its volume over its thickness is its area.
    return float(np.count_nonzero(bare)) * float(np.prod(spacing_mm)) / widest / 100.0
