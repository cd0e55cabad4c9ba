"""A network's parameters and operations as torch counts them, for networks that nameplate did not write.

The network is built and asked on torch's meta device, where tensors have shapes and no numbers: that costs
no memory, and shows whether it returns what its task asks for before anything is trained.
"""

import logging

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from nameplate.campaign.experiment import LearningSettings
from nameplate.errors import UserError
from nameplate.pack.cost import Cost
from nameplate.pack.shapes import Size
from nameplate_training.networks import build_network, parameters_of
from nameplate_training.networks.foreign import WrongOutput, in_a_line
from nameplate_training.networks.network_input import NetworkInput

logger = logging.getLogger(__name__)

EXAMS = 2
"""Of the batch that is passed: batch norm in training wants more than one."""


def counted(learning: LearningSettings, spatial: Size) -> Cost:
    """Build the network for packed exams of size (k, j, i), pass a batch in training and evaluation, count.

    A network that cannot do with meta tensors (it looks at values) is built on the CPU with real ones. Raises
    UserError for one that cannot be built, fails, or returns another shape than its task's.
    """
    try:
        return _counted(learning, spatial, "meta")
    except WrongOutput:
        raise
    except Exception as error:
        logger.debug("not built on meta tensors", extra={"reason": in_a_line(error)})
    try:
        return _counted(learning, spatial, "cpu")
    except UserError:
        raise
    except Exception as error:
        shape = (EXAMS, *NetworkInput.of(learning.task, learning.input, spatial).shape)
        raise UserError(
            f"network {learning.network.kind}: fails on a batch of shape {shape}: {in_a_line(error)}"
        ) from error


def _counted(learning: LearningSettings, spatial: Size, device: str) -> Cost:
    given = NetworkInput.of(learning.task, learning.input, spatial)
    state = torch.get_rng_state()
    try:
        with torch.device(device), torch.no_grad():
            network: nn.Module = build_network(learning.task, learning.network, learning.input, spatial)
            images = torch.zeros(EXAMS, *given.shape)
            network.train()(images)
            with FlopCounterMode(display=False) as counter:
                network.eval()(images)
    finally:
        torch.set_rng_state(state)
    return Cost(parameters_of(network), counter.get_total_flops() // EXAMS)
