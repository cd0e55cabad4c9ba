"""A network that nameplate did not write, held to the shapes that its task asks for."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter

from nameplate.errors import NameplateError, UserError
from nameplate_training.networks.network_input import NetworkInput


class WrongOutput(UserError):
    """A network returned something else than its task asks for."""


class ForeignNetwork(nn.Module):
    """Passes exams on, and checks what comes back.

    A module that returns (batch, 1) instead of (batch,) is taken at its word; any other shape is an error.
    """

    def __init__(self, network: nn.Module, given: NetworkInput, name: str):
        super().__init__()
        self.network = network
        self.given, self.name = given, name

    def forward(self, x: Tensor) -> Tensor:
        """Logits (batch,) or (batch, 1, k, j, i); raises WrongOutput for anything else."""
        # In plain layout: code that takes views of its input expects no other.
        found: object = self.network(x.contiguous())
        wanted = self.given.returned(len(x))
        if isinstance(found, Tensor) and found.is_floating_point():
            if found.shape == wanted:
                return found
            if found.shape == (len(x), 1) and len(wanted) == 1:
                return found.squeeze(1)
        raise WrongOutput(f"{self.name}: expected {_described(wanted)}, it returned {_what(found)}")


def _described(shape: tuple[int, ...]) -> str:
    plain = f"logits of shape {shape}"
    return f"{plain} or ({shape[0]}, 1)" if len(shape) == 1 else plain


def _what(value: Any) -> str:
    """A returned value as an error names it."""
    if isinstance(value, Tensor):
        kind = "" if value.is_floating_point() else f" of {value.dtype}"
        return f"{tuple(value.shape)}{kind}"
    if isinstance(value, tuple | list):
        return f"{type(value).__name__} of {len(value)}"
    return f"{type(value).__name__}"


def built(name: str, given: NetworkInput, make: Callable[[], object]) -> ForeignNetwork:
    """The network that ``make`` returns; UserError, in one line, if it fails or returns something else."""
    try:
        network = make()
    except NameplateError:
        raise
    except (Exception, SystemExit) as error:
        raise UserError(f"{name}: could not be built: {in_a_line(error)}") from error
    if not isinstance(network, nn.Module):
        raise UserError(f"{name}: expected a torch.nn.Module, it returned {_what(network)}")
    parameters = list(network.parameters())
    if any(isinstance(parameter, UninitializedParameter) for parameter in parameters):
        raise UserError(f"{name}: has layers whose size only a first exam tells (Lazy...): state their sizes")
    if not any(parameter.requires_grad for parameter in parameters):
        raise UserError(f"{name}: has no parameters to train")
    return ForeignNetwork(network, given, name)


def in_a_line(error: BaseException) -> str:
    """What an error of somebody else's code says: its type, and its first line, cut short."""
    first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
    text = f"{type(error).__name__}: {first}" if first else type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} ..."
