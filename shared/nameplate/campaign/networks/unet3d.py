"""Settings of the 3-D U-Net, that of the paper's third experiment."""

from typing import ClassVar, Literal

from nameplate.campaign.networks.network import Network
from nameplate.campaign.tasks.task import Answers, Sees


class UNet3dSettings(Network):
    """Five stages of two 3x3x3 convolutions each, with batch norm and ReLU (MONAI's BasicUNet)."""

    sees: ClassVar[tuple[Sees, ...]] = ("volume",)
    answers: ClassVar[tuple[Answers, ...]] = ("mask",)
    kind: Literal["unet3d"] = "unet3d"
    channels: tuple[int, int, int, int, int]
    """Filters of each stage."""

    @property
    def title(self) -> str:
        """What it is called."""
        return "3-D U-Net"
