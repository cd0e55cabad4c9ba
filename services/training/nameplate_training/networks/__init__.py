"""The networks, one module each, built from their settings; all return logits.

A network whose kind nameplate knows by name only (``monai``, ``python``) is wrapped, so that its outputs are
held to the task.
"""

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import NetworkSettings, PythonSettings
from nameplate.campaign.tasks import TaskName
from nameplate.errors import UserError
from nameplate.pack.shapes import Size
from nameplate_training.networks import monai, python, resnet3d, slice_cnn, unet3d
from nameplate_training.networks.network_input import NetworkInput

BUILDERS: dict[str, Callable[[Any, NetworkInput], nn.Module]] = {
    "slice-cnn": slice_cnn.build,
    "resnet3d": resnet3d.build,
    "unet3d": unet3d.build,
    "monai": monai.build,
    "python": python.build,
}
"""By the settings' ``kind``."""


def build_network(task: TaskName, network: NetworkSettings, seen: InputSettings, spatial: Size) -> nn.Module:
    """The network of a task for packed exams of size ``spatial`` = (k, j, i).

    (batch, slices, j, i) or (batch, 1, k, j, i) -> logits (batch,) or (batch, 1, k, j, i), as the task
    asks. Weights are drawn from torch's global generator. Raises UserError for a network that cannot be built
    or does not fit the input.
    """
    return BUILDERS[network.kind](network, NetworkInput.of(task, seen, spatial))


def parameters_of(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def code_of(network: NetworkSettings) -> dict[str, str]:
    """Versions of the installed code behind a network, beyond this project and its libraries."""
    return python.code_of(network) if isinstance(network, PythonSettings) else {}


def check_code(network: NetworkSettings, trained_with: Mapping[str, str]) -> None:
    """Raise UserError if the code behind a network is not what its weights were trained with."""
    for name, here in code_of(network).items():
        if (before := trained_with.get(name)) != here:
            raise UserError(f"network: trained with {name} {before}, here is {here}: install what trained it")
