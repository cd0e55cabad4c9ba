"""Seconds per training step of the three networks: ours, MONAI's equivalents, channels last or not.

    python benchmarks/training.py                 demo size, about a minute on one core
    python benchmarks/training.py --paper         the paper's size, batch 2 (factor: 8); minutes and 12 GB

One step is forward, loss, backward and Adam, float32 on the CPU with ``--threads``. Steps of the
variants are interleaved and the median is printed, so that a busy machine disturbs all alike.
"""

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
from monai.networks.nets.basic_unet import BasicUNet
from monai.networks.nets.resnet import ResNet as MonaiResNet
from torch import Tensor, nn

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import NetworkSettings, ResNet3dSettings, SliceCnnSettings, UNet3dSettings
from nameplate.image.window import Window
from nameplate.pack.cost import network_cost
from nameplate_training.networks import build_network, parameters_of
from nameplate_training.predict import loss_of

BRAIN = Window(width=100, level=50)


def stepper(task: str, network: nn.Module, images: Tensor, targets: Tensor, last: bool) -> Callable[[], None]:
    """A function that takes one training step."""
    if last:
        layout = torch.channels_last if images.ndim == 4 else torch.channels_last_3d
        network, images = network.to(memory_format=layout), images.to(memory_format=layout)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=True)

    def step() -> None:
        logits = network(images)
        loss_of(task, logits.reshape(targets.shape), targets).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def monai_network(task: str, channels: tuple[int, ...]) -> nn.Module | None:
    """The nearest thing that MONAI ships."""
    if task == "spheres":
        # Post-activation blocks, a 7x7x7 stem of stride 2 and its pooling, one dense layer.
        return MonaiResNet(
            "basic", [2, 2, 2, 2], list(channels), spatial_dims=3, n_input_channels=1, conv1_t_size=7,
            conv1_t_stride=2, num_classes=1, shortcut_type="B",
        )  # fmt: skip
    if task == "segmentation":
        return BasicUNet(spatial_dims=3, in_channels=1, out_channels=1, features=(*channels, channels[0]))
    return None


def compare(
    task: str, network: NetworkSettings, spatial: tuple[int, int, int], batch: int, rounds: int
) -> None:
    """Print one line a variant."""
    seen = InputSettings(window=BRAIN, slices=3 if task == "factor" else spatial[0])
    shape = (batch, 3, *spatial[1:]) if task == "factor" else (batch, 1, *spatial)
    images = torch.rand(shape)
    targets = (images > 0.5).float() if task == "segmentation" else torch.arange(batch).remainder(2).float()
    variants: dict[str, tuple[Callable[[], nn.Module | None], bool]] = {
        "nameplate, channels last": (lambda: build_network(task, network, seen, spatial), True),
        "nameplate, plain": (lambda: build_network(task, network, seen, spatial), False),
        "MONAI, channels last": (lambda: monai_network(task, network.channels), True),
        "MONAI, as shipped": (lambda: monai_network(task, network.channels), False),
    }
    steps: dict[str, Callable[[], None]] = {}
    sizes: dict[str, int] = {}
    for name, (make, last) in variants.items():
        built = make()
        if built is not None:
            steps[name] = stepper(task, built, images, targets, last)
            sizes[name] = parameters_of(built)
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            if number:  # the first step chooses kernels
                seconds[name].append(time.perf_counter() - began)
    cost = network_cost(network, seen, spatial)
    assert cost is not None
    print(f"{task} {'x'.join(map(str, shape))}, {cost.forward_flop / 1e9:.3g} GFLOP forward an exam")
    ours = median(seconds["nameplate, channels last"])
    for name, times in seconds.items():
        middle = median(times)
        print(
            f"  {name:<26} {sizes[name]:>10,} parameters  {middle * 1000:>8.1f} ms a step  "
            f"{middle / ours:>5.2f} of ours  {3 * cost.forward_flop * batch / middle / 1e9:>6.1f} GFLOP/s"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--paper", action="store_true", help="the paper's size instead of the demo's")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=0, help="steps a variant (demo: 15, paper: 2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {options.threads} threads")
    steps = options.steps or (2 if options.paper else 15)
    slices, unet = SliceCnnSettings(channels=(32, 64, 128)), UNet3dSettings(channels=(8, 16, 32, 64, 128))
    if options.paper:
        resnet = ResNet3dSettings(channels=(32, 64, 128, 256), strides=(1, 2, 2, 2), hidden=1000)
        compare("factor", slices, (35, 256, 256), 8, steps)
        compare("spheres", resnet, (35, 256, 256), 2, steps)
        compare("segmentation", unet, (32, 256, 256), 1, steps)
    else:
        resnet = ResNet3dSettings(channels=(8, 16, 32, 64), strides=(1, 2, 2, 2), hidden=100)
        compare("factor", slices, (32, 64, 64), 16, steps)
        compare("spheres", resnet, (16, 64, 64), 16, steps)
        compare("segmentation", unet, (16, 64, 64), 4, steps)


if __name__ == "__main__":
    main()
