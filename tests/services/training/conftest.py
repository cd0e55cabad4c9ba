"""Small networks to train, and small packs: noise with a bright box in the positives."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from nameplate.campaign.experiment import InputSettings, LearningSettings, TrainingSettings
from nameplate.campaign.networks import (
    NetworkSettings,
    ResNet3dSettings,
    SliceCnnSettings,
    UNet3dSettings,
)
from nameplate.image.window import Window
from nameplate.pack.packed import Pack
from nameplate.steps.synthesis import Sample, Sphere
from nameplate_training.batches import Batches

NETWORKS: dict[str, NetworkSettings] = {
    "factor": SliceCnnSettings(channels=(4, 8)),
    "spheres": ResNet3dSettings(channels=(4, 8), strides=(1, 2), hidden=10),
    "segmentation": UNet3dSettings(channels=(2, 4, 4, 4, 8)),
}


@pytest.fixture
def learning() -> Callable[..., LearningSettings]:
    """make(task, training=..., network=..., **input) -> how a tiny network learns."""

    def make(
        task: str,
        *,
        training: dict[str, Any] | None = None,
        network: NetworkSettings | None = None,
        **seen: Any,
    ) -> LearningSettings:
        chosen = {"rate": 1e-3, "batch": 4, "epochs": 2, "flips": True, "norm_exams": 6, **(training or {})}
        slices = 3 if task == "factor" else 16
        return LearningSettings(
            task=task,  # type: ignore[arg-type]
            input=InputSettings(**{"window": Window(width=100, level=50), "slices": slices, **seen}),
            network=network or NETWORKS[task],
            training=TrainingSettings(**chosen),
        )

    return make


@pytest.fixture
def batches_of() -> Callable[..., Batches]:
    """make(learning, pack, run) -> the batches of a run, on the CPU; None is no run."""

    def make(learning: LearningSettings, pack: Pack, run: str | None = "run") -> Batches:
        return Batches(campaign_seed=3, run=run, learning=learning, pack=pack, device=torch.device("cpu"))

    return make


@pytest.fixture
def tiny_pack() -> Callable[..., Pack]:
    """make(exams) -> a pack of 16 x 16 x 16 voxels, half of it training, the rest validation and test."""

    def make(exams: int = 20, *, masks: bool = True) -> Pack:
        random = np.random.default_rng(11)
        images = random.integers(0, 30, (exams, 16, 16, 16)).astype(np.uint8)
        inside = np.zeros(images.shape, dtype=np.uint8)
        inside[:, 3:13, 3:13, 2:11] = 1
        images += 40 * inside
        samples = []
        for row in range(exams):
            label = row // 2 % 2
            if label:
                images[row, 5:10, 4:9, 4:9] = 100
            samples.append(
                Sample(
                    exam=f"e{row:02d}",
                    patient=f"p{row:02d}",
                    level=("GE", "Siemens")[row % 2],
                    split=("train", "train", "train", "val", "test")[row % 5],  # type: ignore[arg-type]
                    label=label,
                    image="",
                    mask=None,
                    sphere=Sphere(difficulty="easy", centre_mm=(0, 0, 0), radius_mm=21.5, hu_mean=50, hu_sd=2)
                    if label
                    else None,
                    padded=0,
                )
            )
        return Pack(images, inside if masks else None, tuple(samples))

    return make
