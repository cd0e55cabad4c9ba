"""Rows of a packed array that stay on the GPU once they have been there.

A fast card finishes a step sooner than one process can gather the next batch from a file. A pack of small
integers is small beside the card's memory, so each exam is copied once a run instead of once an epoch.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

LARGEST_SHARE = 1 / 8
"""Of the card's memory: a larger pack is not kept there."""


def fits_on(device: torch.device, *arrays: NDArray[Any] | None) -> bool:
    """Whether the device is a GPU, and these arrays together take a small part of its memory.

    It looks at the card and not at what is free: runs on one kind of card must cut their batches alike.
    """
    if device.type != "cuda":
        return False
    size = sum(array.nbytes for array in arrays if array is not None)
    return size <= torch.cuda.get_device_properties(device).total_memory * LARGEST_SHARE


def small_tensor(values: NDArray[Any]) -> Tensor:
    """The same integers as a tensor on the CPU, which shares the memory."""
    # A window holds at most 4096 HU, so the unsigned 16 bits of a pack never need the sign bit.
    return torch.from_numpy(values.view(np.int16) if values.dtype == np.uint16 else values)


class DeviceRows:
    """Gathers exams of one packed array (exam, k, j, i) on the device, still as small integers."""

    def __init__(self, source: NDArray[Any], device: torch.device) -> None:
        self._source, self._device = source, device
        self._kept: dict[int, Tensor] = {}

    def gathered(
        self,
        rows: Sequence[int] | NDArray[np.int64],
        slices: Sequence[NDArray[np.int64] | None],
        flips: Sequence[bool],
    ) -> Tensor:
        """(batch, slices, j, i): the rows' slices in the order asked for, None for all; flipped along i."""
        planes: list[Tensor] = []
        for row, drawn, flip in zip(rows, slices, flips, strict=True):
            exam = self._row(int(row))
            exam = exam.flip(-1) if flip else exam
            # Views by number: an array of numbers would have to travel to the device first.
            planes += [exam] if drawn is None else [exam[int(k)] for k in drawn]
        stacked = torch.stack(planes)
        return stacked.view(len(rows), -1, *stacked.shape[-2:])

    def _row(self, row: int) -> Tensor:
        kept = self._kept.get(row)
        if kept is None:
            # A copy, because torch warns of arrays that may not be written, as a mapped file's.
            kept = self._kept[row] = small_tensor(np.array(self._source[row])).to(self._device)
        return kept
