"""What a network costs, computed only from settings, for the estimate of ``nameplate plan``.

Operations are counted as torch's FlopCounterMode does: two for each multiply-add of convolutions and
dense layers, nothing for norms, activations and pooling.
"""

from dataclasses import dataclass
from math import prod

from nameplate.campaign.experiment import InputSettings, TrainingSettings
from nameplate.campaign.networks import NetworkSettings, ResNet3dSettings, SliceCnnSettings, UNet3dSettings
from nameplate.campaign.tasks import TASKS, TaskName
from nameplate.pack.packed import packed_slices
from nameplate.pack.shapes import (
    STAGES,
    Size,
    check_slice_size,
    check_unet_size,
    halved_down,
    resnet_sizes,
)


@dataclass(frozen=True, slots=True)
class Cost:
    """One network on one size of exam."""

    parameters: int
    """Trained numbers, batch norm's included."""
    forward_flop: int
    """Operations of the forward pass of one exam."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.parameters + other.parameters, self.forward_flop + other.forward_flop)


def network_cost(network: NetworkSettings, seen: InputSettings, spatial: Size) -> Cost | None:
    """Cost of the network that ``build_network`` builds for packed exams of size (k, j, i).

    None for a network that nameplate did not write: only torch can count it. Raises UserError for one that
    does not fit the size.
    """
    if isinstance(network, SliceCnnSettings):
        return _slice_network(network, seen.slices, spatial)
    if isinstance(network, ResNet3dSettings):
        return _resnet(network, spatial)
    if isinstance(network, UNet3dSettings):
        return _unet(network, spatial)
    return None


def packed_spatial(task: TaskName, seen: InputSettings, slices: int, matrix: int) -> Size:
    """Size (k, j, i) of a packed exam, for a dataset with this many slices and a square ``matrix``."""
    return packed_slices(task, seen) or slices, matrix, matrix


def packed_bytes(task: TaskName, seen: InputSettings, spatial: Size) -> int:
    """Bytes of one packed exam, including its mask if the task has one."""
    each = seen.window.dtype().itemsize + (1 if TASKS[task].answers == "mask" else 0)
    return prod(spatial) * each


def training_flop(forward: int, training: TrainingSettings, train_exams: int, val_exams: int) -> int:
    """Operations of one run, of ``forward`` for an exam: a backward pass costs two forward passes."""
    evaluated = val_exams + min(training.norm_exams, train_exams)
    return forward * training.epochs * (3 * train_exams + evaluated)


def _convolution(before: int, after: int, kernel: int, voxels: int, *, bias: bool = False) -> Cost:
    """``kernel`` counts the weights of one filter and channel; ``voxels`` those of the output."""
    weights = before * after * kernel
    return Cost(weights + (after if bias else 0), 2 * weights * voxels)


def _norm(channels: int) -> Cost:
    return Cost(2 * channels, 0)


def _dense(before: int, after: int) -> Cost:
    return _convolution(before, after, 1, 1, bias=True)


def _slice_network(network: SliceCnnSettings, slices: int, spatial: Size) -> Cost:
    check_slice_size(spatial, len(network.channels))
    total, before, (j, i) = Cost(0, 0), slices, spatial[1:]
    for after in network.channels:
        total += _convolution(before, after, 9, j * i) + _norm(after)
        before, j, i = after, j // 2, i // 2
    return total + _dense(before if network.pooling == "average" else before * j * i, 1)


def _resnet(network: ResNet3dSettings, spatial: Size) -> Cost:
    strides = network.all_strides
    sizes = resnet_sizes(spatial, strides)
    before = network.channels[0]
    total = _convolution(1, before, 343, prod(sizes[0])) + _norm(before)
    for after, stride, size in zip(network.channels, strides, sizes[2:], strict=True):
        voxels = prod(size)
        total += _norm(before) + _convolution(before, after, 27, voxels)
        total += _norm(after) + _convolution(after, after, 27, voxels)
        if stride > 1 or before != after:
            total += _convolution(before, after, 1, voxels)
        total += _norm(after) + _convolution(after, after, 27, voxels)
        total += _norm(after) + _convolution(after, after, 27, voxels)
        before = after
    total += _norm(before)
    if network.hidden is None:
        return total + _dense(before, 1)
    return total + _dense(before, network.hidden) + _dense(network.hidden, 1)


def _unet(network: UNet3dSettings, spatial: Size) -> Cost:
    check_unet_size(spatial)
    channels = network.channels
    sizes = [spatial]
    for _ in range(STAGES - 1):
        sizes.append(halved_down(sizes[-1]))
    total, before = Cost(0, 0), 1
    for after, size in zip(channels, sizes, strict=True):
        total += _two_convolutions(before, after, size)
        before = after
    for stage in reversed(range(STAGES - 1)):
        # The last up-convolution keeps its channels, the others halve them.
        raised = before if stage == 0 else before // 2
        below = prod(sizes[stage + 1])
        total += _convolution(before, raised, 8, below, bias=False) + Cost(raised, 0)
        total += _two_convolutions(channels[stage] + raised, channels[stage], sizes[stage])
        before = channels[stage]
    return total + _convolution(before, 1, 1, prod(spatial), bias=True)


def _two_convolutions(before: int, after: int, size: Size) -> Cost:
    voxels = prod(size)
    first = _convolution(before, after, 27, voxels) + _norm(after)
    return first + _convolution(after, after, 27, voxels) + _norm(after)
