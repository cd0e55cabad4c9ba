"""The networks of experiments by their ``kind``.

A new one is its module here, the one that builds it in the training service, and a line in the list of each.
"""

from typing import get_args

from nameplate.campaign.networks.monai import MonaiSettings
from nameplate.campaign.networks.network import Network
from nameplate.campaign.networks.python import PythonSettings
from nameplate.campaign.networks.resnet3d import ResNet3dSettings
from nameplate.campaign.networks.slice_cnn import SliceCnnSettings
from nameplate.campaign.networks.unet3d import UNet3dSettings

NetworkSettings = SliceCnnSettings | ResNet3dSettings | UNet3dSettings | MonaiSettings | PythonSettings
"""A tagged union: ``kind`` says which, and a field of another kind is an error."""
KINDS: tuple[str, ...] = tuple(one.model_fields["kind"].default for one in get_args(NetworkSettings))
"""As campaign files spell them."""

__all__ = [
    "KINDS",
    "MonaiSettings",
    "Network",
    "NetworkSettings",
    "PythonSettings",
    "ResNet3dSettings",
    "SliceCnnSettings",
    "UNet3dSettings",
]
