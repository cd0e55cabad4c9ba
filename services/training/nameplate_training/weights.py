"""A trained network's weights as bytes: the same weights always give the same bytes."""

import io

import torch
from torch import nn

from nameplate.errors import UserError


def weights_bytes(network: nn.Module) -> bytes:
    """Every weight and statistic by name, on the CPU and in plain layout, as a torch file."""
    plain = {
        name: tensor.detach().to("cpu", copy=True).contiguous()
        for name, tensor in network.state_dict().items()
    }
    file = io.BytesIO()
    torch.save(plain, file)
    return file.getvalue()


def load_weights(network: nn.Module, data: bytes) -> None:
    """Load what ``weights_bytes`` returned into a network of the same shape; raises UserError otherwise."""
    try:
        network.load_state_dict(torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
    except Exception as error:
        what = type(error).__name__
        raise UserError(f"these weights are damaged or belong to another network ({what})") from error
