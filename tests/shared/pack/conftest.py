"""Packs of noise."""

from collections.abc import Callable

import numpy as np
import pytest

from nameplate.pack.packed import Pack
from nameplate.steps.synthesis import Sample


@pytest.fixture
def tiny_pack() -> Callable[[int], Pack]:
    """make(exams) -> a pack of 16 x 16 x 16 voxels with masks, of all splits and two levels."""

    def make(exams: int) -> Pack:
        random = np.random.default_rng(11)
        samples = [
            Sample(
                exam=f"e{row:02d}",
                patient=f"p{row:02d}",
                level=("GE", "Siemens")[row % 2],
                split=("train", "train", "train", "val", "test")[row % 5],  # type: ignore[arg-type]
                label=row // 2 % 2,
                image="",
                mask=None,
                sphere=None,
                padded=0,
            )
            for row in range(exams)
        ]
        images = random.integers(0, 100, (exams, 16, 16, 16)).astype(np.uint8)
        masks = random.integers(0, 2, images.shape).astype(np.uint8)
        return Pack(images, masks, tuple(samples))

    return make
