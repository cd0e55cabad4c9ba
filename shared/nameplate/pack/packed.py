"""A packed dataset: windowed images of all exams in one array, in the order of its samples.

Small integers (``Window.quantise``) keep whole HU exactly, in a quarter of the bytes of floats; the
file is memory-mapped, so that the jobs of one machine share one copy.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.tasks import TASKS, TaskName
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate.records import Split
from nameplate.steps.synthesis import Sample


@dataclass(frozen=True, slots=True, eq=False)
class Pack:
    """Images and masks of a dataset; row n of each belongs to ``samples[n]``."""

    images: NDArray[Any]
    """(exam, k, j, i), uint8 or uint16: whole HU above the window's lower end."""
    masks: NDArray[Any] | None
    """(exam, k, j, i), uint8 0 and 1; None for tasks without masks."""
    samples: tuple[Sample, ...]

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or len(self.images) != len(self.samples):
            raise UserError(
                f"a pack of {len(self.samples)} samples has images of shape {self.images.shape}, "
                f"expected ({len(self.samples)}, k, j, i)"
            )
        if self.masks is not None and self.masks.shape != self.images.shape:
            raise UserError(f"masks of shape {self.masks.shape} for images of {self.images.shape}")

    @property
    def spatial(self) -> tuple[int, int, int]:
        """Voxels of an exam along k, j and i."""
        _, k, j, i = self.images.shape
        return int(k), int(j), int(i)

    def rows(self, split: Split, levels: Collection[str] | None = None) -> tuple[int, ...]:
        """Rows of a split, of all levels of the factor or of these."""
        return tuple(
            row
            for row, sample in enumerate(self.samples)
            if sample.split == split and (levels is None or sample.level in levels)
        )


def packed_slices(task: TaskName, seen: InputSettings) -> int | None:
    """Slices that an exam is resampled to before packing.

    None for a task that sees slices: it keeps all, and draws some of them again in each epoch.
    """
    return None if TASKS[task].sees == "slices" else seen.slices


def brain_only(hu_ijk: NDArray[Any], mask_ijk: NDArray[Any]) -> NDArray[Any]:
    """HU of axes (i, j, k) with everything outside the brain set to its median HU.

    The outermost voxels of the mask in each slice are also replaced: they are half bone, and at first
    a network would see nothing but that bright ring. An exam without a brain is returned unchanged.
    """
    from scipy.ndimage import binary_erosion  # imported here: reading packs does not need it

    inside = binary_erosion(mask_ijk != 0, np.ones((3, 3, 1), dtype=bool))
    if not inside.any():
        return hu_ijk
    middle = np.sort(hu_ijk[inside])[np.count_nonzero(inside) // 2]
    filled: NDArray[Any] = np.where(inside, hu_ijk, middle)
    return filled


def pack_volume(hu_ijk: NDArray[Any], window: Window, slices: int | None = None) -> NDArray[Any]:
    """HU of axes (i, j, k) -> quantised (k, j, i), resampled along k to ``slices`` if given.

    HU are averaged before they are clipped, as in a thicker slice of the scanner, and rounded to whole
    HU once. Integer arithmetic throughout: the same bytes on every machine.
    """
    whole = np.rint(hu_ijk) if np.issubdtype(hu_ijk.dtype, np.floating) else hu_ijk
    hu_kji = whole.transpose(2, 1, 0).astype(np.int32)
    if slices is not None and slices != len(hu_kji):
        weights, total = integer_weights(len(hu_kji), slices)
        hu_kji = np.stack([(2 * _weighted(hu_kji, row) + total) // (2 * total) for row in weights])
    return np.ascontiguousarray(window.quantise(hu_kji))


def pack_mask(mask_ijk: NDArray[Any], slices: int | None = None) -> NDArray[np.uint8]:
    """Mask of axes (i, j, k) -> (k, j, i) of 0 and 1: 1 where at least half of the new voxel is inside."""
    mask_kji = (mask_ijk.transpose(2, 1, 0) != 0).astype(np.int32)
    if slices is not None and slices != len(mask_kji):
        weights, total = integer_weights(len(mask_kji), slices)
        mask_kji = np.stack([2 * _weighted(mask_kji, row) >= total for row in weights])
    return np.ascontiguousarray(mask_kji, dtype=np.uint8)


def integer_weights(before: int, after: int) -> tuple[NDArray[np.int32], int]:
    """Whole-number weights (after, before) of a resampling along one axis, and the sum of each row.

    Both cover the same extent. Shrinking weights each old slice by its overlap with the new one, so
    that nothing is lost between samples; growing interpolates linearly between slice centres.
    """
    weights = np.zeros((after, before), dtype=np.int32)
    if after <= before:
        # In units of 1/after of an old slice, new slice n covers [n * before, (n + 1) * before).
        for new in range(after):
            for old in range(new * before // after, before):
                overlap = min((new + 1) * before, (old + 1) * after) - max(new * before, old * after)
                if overlap <= 0:
                    break
                weights[new, old] = overlap
        return weights, before
    # In units of 1/(2 * after), the centre of new slice n is at (2n + 1) * before - after.
    total = 2 * after
    for new in range(after):
        place = min(max((2 * new + 1) * before - after, 0), total * (before - 1))
        old, beyond = divmod(place, total)
        weights[new, old] += total - beyond
        if beyond:
            weights[new, old + 1] += beyond
    return weights, total


def _weighted(volume_kji: NDArray[np.int32], weights: NDArray[np.int32]) -> NDArray[np.int32]:
    """The weighted sum of slices, reading only those with a weight."""
    total = np.zeros(volume_kji.shape[1:], dtype=np.int32)
    for old in np.flatnonzero(weights):
        total += weights[old] * volume_kji[old]
    return total


def write_rows(path: Path, count: int, rows: Iterable[NDArray[Any]]) -> None:
    """Write ``count`` arrays of one shape and type as one .npy file, one after another.

    Only one row is in memory at a time. Raises UserError if rows differ or their number is wrong.
    """
    first: NDArray[Any] | None = None
    written = 0
    with path.open("wb") as file:
        for row in rows:
            if first is None:
                first = np.empty((0, *row.shape), dtype=row.dtype)
                header = {
                    "descr": np.lib.format.dtype_to_descr(row.dtype),
                    "fortran_order": False,
                    "shape": (count, *row.shape),
                }
                np.lib.format.write_array_header_1_0(file, header)
            if row.shape != first.shape[1:] or row.dtype != first.dtype:
                raise UserError(
                    f"row {written} of a pack is {row.shape} {row.dtype}, "
                    f"the first was {first.shape[1:]} {first.dtype}"
                )
            file.write(np.ascontiguousarray(row).data)
            written += 1
    if written != count or first is None:
        raise UserError(f"a pack of {count} rows got {written}")


def open_pack(images: Path, masks: Path | None, samples: Iterable[Sample]) -> Pack:
    """Memory-map what ``write_rows`` wrote; raises UserError for files that do not fit the samples."""
    return Pack(_mapped(images), None if masks is None else _mapped(masks), tuple(samples))


def _mapped(path: Path) -> NDArray[Any]:
    try:
        mapped: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a packed dataset ({error})") from error
    return mapped
