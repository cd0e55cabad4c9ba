"""From packed rows to tensors on the device, with named random streams for every draw.

What an exam looks like in an epoch depends only on (campaign seed, run, epoch, exam), so an interrupted
run draws the same as an undisturbed one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from nameplate.campaign.experiment import LearningSettings
from nameplate.pack.packed import Pack
from nameplate.streams import stream
from nameplate_training.device_rows import DeviceRows, fits_on, small_tensor

Part = Literal["images", "masks"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and targets of some exams, on the device, float32."""

    images: Tensor
    """(batch, slices, j, i) for a task that sees slices, else (batch, 1, k, j, i)."""
    targets: Tensor
    """Labels (batch,), or masks (batch, 1, k, j, i) for a task that asks for them."""


@dataclass(frozen=True, kw_only=True)
class Batches:
    """The batches of one run."""

    campaign_seed: int
    run: str | None
    """Name of the run, which names its random streams; None if nothing is trained."""
    learning: LearningSettings
    pack: Pack
    device: torch.device

    @cached_property
    def _kept(self) -> dict[Part, DeviceRows]:
        """Images and masks that stay on a GPU; nothing on a CPU, or if they would fill too much of it."""
        images, masks = self.pack.images, self.pack.masks
        if not fits_on(self.device, images, masks):
            return {}
        kept: dict[Part, DeviceRows] = {"images": DeviceRows(images, self.device)}
        return kept if masks is None else kept | {"masks": DeviceRows(masks, self.device)}

    def of_epoch(self, rows: Sequence[int], epoch: int) -> list[NDArray[np.int64]]:
        """The rows in this epoch's order, cut into equal batches of at most ``training.batch``.

        They are equal to within one exam: a short last batch would give batch norm a poor estimate.
        """
        order = self._stream("order", epoch).permutation(np.asarray(rows))
        return divided(order, self.learning.training.batch)

    def training(self, rows: Sequence[int] | NDArray[np.int64], epoch: int) -> Batch:
        """Exams as this epoch draws them: slices if the task sees those, flips if set."""
        slices, flips = [], []
        for row in rows:
            random = self._stream("sample", epoch, self.pack.samples[row].exam)
            slices.append(self._drawn(random))
            flips.append(self.learning.training.flips and bool(random.integers(2)))
        return self._batch(rows, slices, flips)

    def fixed(self, rows: Sequence[int] | NDArray[np.int64]) -> Batch:
        """Exams as every evaluation sees them: no flips, and slices drawn once for the whole campaign.

        One draw per exam, as in the paper; the draw does not depend on the run, so that runs are
        compared on the same slices.
        """
        slices = [
            self._drawn(stream(self.campaign_seed, "evaluation slices", self.pack.samples[row].exam))
            for row in rows
        ]
        return self._batch(rows, slices, [False for _ in rows])

    def _stream(self, *names: str | int) -> np.random.Generator:
        if self.run is None:
            raise ValueError("only a training run draws by epoch")
        return stream(self.campaign_seed, self.run, *names)

    def _drawn(self, random: np.random.Generator) -> NDArray[np.int64] | None:
        """Slices in random order, for a task that sees slices; None means all, in their own order."""
        if self.learning.what.sees != "slices":
            return None
        return random.choice(self.pack.spatial[0], self.learning.input.slices, replace=False)

    def _batch(
        self,
        rows: Sequence[int] | NDArray[np.int64],
        slices: Sequence[NDArray[np.int64] | None],
        flips: Sequence[bool],
    ) -> Batch:
        images = self._images("images", rows, slices, flips)
        if self.learning.what.answers == "mask":
            targets = self._images("masks", rows, slices, flips)
        else:
            targets = self._sent(np.array([self.pack.samples[row].label for row in rows], dtype=np.uint8))
        low, high = self.learning.input.range
        images = images * ((high - low) / self.learning.input.window.width) + low
        return Batch(images.contiguous(memory_format=layout(images)), targets)

    def _images(
        self,
        part: Part,
        rows: Sequence[int] | NDArray[np.int64],
        slices: Sequence[NDArray[np.int64] | None],
        flips: Sequence[bool],
    ) -> Tensor:
        """(batch, slices, j, i) or (batch, 1, k, j, i) on the device, float32."""
        if part in self._kept:
            there = self._kept[part].gathered(rows, slices, flips).to(torch.float32)
            return there if self.learning.what.sees == "slices" else there.unsqueeze(1)
        source = self.pack.images if part == "images" else self.pack.masks
        if source is None:
            raise ValueError("a task that answers a mask needs a pack with masks")
        exams = []
        for row, drawn, flip in zip(rows, slices, flips, strict=True):
            exam = source[row] if drawn is None else source[row][drawn]
            exams.append(exam[..., ::-1] if flip else exam)
        gathered = np.stack(exams)
        return self._sent(gathered if self.learning.what.sees == "slices" else gathered[:, np.newaxis])

    def _sent(self, values: NDArray[Any]) -> Tensor:
        """To the device as small integers, and to float32 there."""
        small = small_tensor(values)
        if self.device.type == "cuda":
            small = small.pin_memory().to(self.device, non_blocking=True)
        return small.to(torch.float32)


def divided(rows: NDArray[np.int64], most: int) -> list[NDArray[np.int64]]:
    """Cut rows into the fewest parts of at most ``most`` rows, equal to within one."""
    return np.array_split(rows, max(-(-len(rows) // most), 1))


def layout(images: Tensor) -> torch.memory_format:
    """The fastest memory layout for these inputs: channels last, as measured in the benchmark."""
    return torch.channels_last if images.ndim == 4 else torch.channels_last_3d
