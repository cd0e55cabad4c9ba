"""The user's own mask of an exam: read, checked against the exam's image, and put on the image's grid."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nameplate.errors import UserError
from nameplate.image.mask_grid import mask_onto, share_in_grid
from nameplate.image.volume import Volume, read_untrusted_nifti
from nameplate_ingest.folder.masks import OwnMasks
from nameplate_ingest.refusal import Refused

MOST_VOXELS = 100_000_000
"""Of a mask: 512 x 512 pixels in 380 slices."""
HEAD_HU = -500
"""What is brighter in an image is no air: a mask must know about it."""
LEAST_HELD = 0.95
"""Share of the head that the mask's grid must hold, and of the mask that the image's grid must hold."""


def target_of(masks: OwnMasks, image: Volume) -> Volume:
    """The mask of an exam on its image's grid, uint8 0 and 1.

    Raises Refused for more than one mask, one that is called after several studies, one that cannot be read
    or has more than one value beside 0, and one that is not where the image is.
    """
    if masks.studies > 1:
        raise Refused("mask-shared", f"called after {masks.studies} studies")
    if len(masks.files) != 1:
        raise Refused("mask-twice", f"{len(masks.files)} masks")
    try:
        mask = _read(masks.files[0])
        drawn = _inside(mask.array)
        mask = mask.with_array(drawn)
        _check_place(mask, drawn, image)
        placed = mask_onto(mask, image)
    except Refused:
        raise
    except Exception as error:
        # Whatever a file holds, it costs its exam's mask and nothing else.
        raise Refused("mask-error", type(error).__name__) from error
    if drawn.any() and not placed.any():
        raise Refused("mask-small", "smaller than a voxel of the image")
    return image.with_array(placed)


def _read(path: Path) -> Volume:
    try:
        return read_untrusted_nifti(path.read_bytes(), MOST_VOXELS, placed=True)
    except OSError as error:
        raise Refused("mask-unreadable", f"cannot be read ({type(error).__name__})") from error
    except UserError as error:
        raise Refused("mask-unreadable", str(error)) from error


def _inside(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Where the mask is: of its two values, the one that is not 0."""
    if values.dtype.kind not in "biuf":
        raise Refused("mask-values", "values are no numbers")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise Refused("mask-values", "values are not finite")
    inside: NDArray[np.bool_] = values != 0
    if not inside.any():
        return inside
    if inside.all():
        raise Refused("mask-values", "no voxel is 0")
    if values.min() < 0:
        raise Refused("mask-values", "values below 0")
    if np.count_nonzero(values == values.max()) != np.count_nonzero(inside):
        raise Refused("mask-values", "more than one value beside 0")
    return inside


def _check_place(mask: Volume, drawn: NDArray[np.bool_], image: Volume) -> None:
    """Raise Refused unless both grids hold the same head."""
    try:
        head, own = share_in_grid(image.array > HEAD_HU, image, mask), share_in_grid(drawn, mask, image)
    except ValueError as error:
        raise Refused("mask-place", str(error)) from error
    if head < LEAST_HELD:
        raise Refused("mask-place", f"its grid holds {head:.0%} of the head")
    if own < LEAST_HELD:
        raise Refused("mask-place", f"the image holds {own:.0%} of it")
