"""A network's last features: what its output unit decides from, a few numbers for each exam.

They are taken while the network predicts, so they cost no second pass. A probe of them tells what a
network could read from an exam; it does not show that the network's answer uses it.
"""

import io
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from nameplate_training.networks.foreign import ForeignNetwork
from nameplate_training.networks.resnet3d import ResNet
from nameplate_training.networks.slice_cnn import SliceNetwork


class LastFeatures:
    """Collects, while it is open, the last features of every exam that passes through a network.

    Of the ResNet, the input of its output unit: the hidden layer after its ReLU, or the average pool if
    there is none. Of the slice network, the last maps averaged over the image (flattened they are up to
    131,072 numbers). Of the U-Net, the maps of its deepest stage averaged over the volume. Of a network that
    nameplate did not write, the input of its one dense unit; if it has none, or several, there are no
    features: rows of length 0.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._hooks: list[RemovableHandle] = []
        self._last: Tensor | None = None
        self._seen: list[NDArray[np.float32]] = []

    def __enter__(self) -> Self:
        self._hooks = [*self._taps(), self._network.register_forward_hook(self._passed)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def rows(self, order: Sequence[int]) -> NDArray[np.float32]:
        """(exams, features): row ``order[n]`` is the n-th exam that passed; (0, 0) if none did.

        Raises ValueError if another number of exams passed than ``order`` has.
        """
        seen = np.concatenate(self._seen) if self._seen else np.zeros((0, 0), dtype=np.float32)
        if len(seen) != len(order):
            raise ValueError(f"features of {len(seen)} exams, expected {len(order)}")
        rows = np.empty_like(seen)
        rows[np.asarray(order, dtype=np.intp)] = seen
        return rows

    def _taps(self) -> list[RemovableHandle]:
        network = self._network
        if isinstance(network, ForeignNetwork):
            units = [one for one in network.modules() if isinstance(one, nn.Linear) and one.out_features == 1]
            return [units[0].register_forward_pre_hook(self._keep_rows)] if len(units) == 1 else []
        if isinstance(network, ResNet):
            return [network.dense.register_forward_pre_hook(self._keep_rows)]
        maps = network.blocks if isinstance(network, SliceNetwork) else network.get_submodule("down_4")
        return [maps.register_forward_hook(lambda _, __, output: self._keep(output))]

    def _keep_rows(self, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].ndim == 2:  # one row an exam; a unit that each place of an image passes has no features
            self._keep(inputs[0])

    def _keep(self, maps: Tensor) -> None:
        # In float32: half precision has three digits, and a mean over a volume loses some of those.
        maps = maps.detach().float()
        self._last = maps if maps.ndim == 2 else maps.mean(dim=tuple(range(2, maps.ndim)))

    def _passed(self, _: nn.Module, __: Any, logits: Tensor) -> None:
        # Only a pass that reached its end counts: one that ran out of memory is made again in halves.
        if isinstance(self._network, ForeignNetwork) and self._last is None:
            self._last = logits.new_zeros((len(logits), 0))
        if self._last is None:
            raise ValueError("the network passed by its last features")
        self._seen.append(self._last.to("cpu", torch.float32).numpy())
        self._last = None


def features_bytes(features: NDArray[np.float32]) -> bytes:
    """An array as an .npy file; the same numbers give the same bytes."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(features, dtype="<f4"), allow_pickle=False)
    return file.getvalue()
