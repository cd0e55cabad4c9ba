"""Settings of the 3-D ResNet, that of the paper's second experiment."""

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from nameplate.campaign.networks.network import Network
from nameplate.campaign.tasks.task import Answers, Sees


class ResNet3dSettings(Network):
    """7x7x7 stem with stride 2, 2x2x2 pooling, two identity blocks a scale, a dense layer."""

    sees: ClassVar[tuple[Sees, ...]] = ("volume",)
    answers: ClassVar[tuple[Answers, ...]] = ("class",)
    kind: Literal["resnet3d"] = "resnet3d"
    channels: tuple[int, ...] = Field(min_length=1)
    """Filters of each scale."""
    strides: tuple[int, ...] | None = None
    """Down-sampling at the start of each scale; (1, 2, 2, 2) fits 35 slices. Without it the first keeps
    the size and the others halve it."""
    hidden: int | None = Field(default=None, gt=0)
    """Units of the dense layer before the output; null for none."""

    @model_validator(mode="after")
    def _one_stride_a_scale(self) -> "ResNet3dSettings":
        if self.strides is not None and len(self.strides) != len(self.channels):
            raise ValueError(
                f"strides: expected {len(self.channels)} numbers, one per scale, got {list(self.strides)}"
            )
        return self

    @property
    def all_strides(self) -> tuple[int, ...]:
        """The stride of each scale."""
        return self.strides if self.strides is not None else (1, *(2 for _ in self.channels[1:]))

    @property
    def title(self) -> str:
        """What it is called."""
        return "3-D ResNet"
