"""The slices of an exam that a dataset keeps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """An exam cut to a dataset's number of slices."""

    image: Volume
    mask: Volume
    padded: int
    """Slices of air added because the exam has fewer."""


def brain_slices(image: Volume, mask: Volume, slices: int, floor_hu: int) -> Cut:
    """Keep ``slices`` consecutive slices along k that include the brain.

    The window is centred on the brain as far as the exam reaches; of a brain taller than the window, the
    part with the largest volume is kept. If the exam has fewer slices, air of ``floor_hu`` is added, half
    below and half above. The affine moves with the window. Raises ValueError for a mask of another shape.
    """
    if image.array.shape != mask.array.shape:
        raise ValueError(f"an image of {image.array.shape} with a mask of {mask.array.shape}")
    depth = image.array.shape[2]
    first = _first_slice(np.count_nonzero(mask.array, axis=(0, 1)), slices)
    first = min(max(first, 0), depth - slices) if depth > slices else -((slices - depth) // 2)
    below, above = max(0, -first), max(0, first + slices - depth)
    kept = slice(max(0, first), min(depth, first + slices))
    pad = ((0, 0), (0, 0), (below, above))
    affine = image.affine.copy()
    affine[:3, 3] += affine[:3, 2] * first
    return Cut(
        image=Volume(np.pad(image.array[:, :, kept], pad, constant_values=floor_hu), affine),
        mask=Volume(np.pad(mask.array[:, :, kept], pad), affine),
        padded=below + above,
    )


def _first_slice(area: NDArray[np.intp], slices: int) -> int:
    """First slice of the window: centred on the brain, or on its largest part if it is too tall."""
    inside = np.flatnonzero(area)
    if len(inside) == 0:
        return (len(area) - slices) // 2
    low, high = int(inside[0]), int(inside[-1]) + 1
    if high - low <= slices:
        return (low + high - slices) // 2
    sums = np.convolve(area[low:high], np.ones(slices, dtype=area.dtype), mode="valid")
    return low + int(np.argmax(sums))
