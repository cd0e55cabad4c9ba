"""Settings of the network of a few slices, that of the paper's first experiment."""

from typing import ClassVar, Literal

from pydantic import Field

from nameplate.campaign.networks.network import Network
from nameplate.campaign.tasks.task import Answers, Sees


class SliceCnnSettings(Network):
    """Blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pooling, then a dense unit."""

    sees: ClassVar[tuple[Sees, ...]] = ("slices",)
    answers: ClassVar[tuple[Answers, ...]] = ("class",)
    kind: Literal["slice-cnn"] = "slice-cnn"
    channels: tuple[int, ...] = Field(min_length=1)
    """Filters of each block."""
    pooling: Literal["flatten", "average"] = "flatten"
    """What comes before the dense unit: the flattened maps, or their average over the image."""

    @property
    def title(self) -> str:
        """What it is called."""
        return "2-D network"
