"""A network of MONAI's, by the name of its class."""

import inspect
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from torch import nn

from nameplate.campaign.networks import MonaiSettings
from nameplate.errors import UserError
from nameplate_training.networks.foreign import built
from nameplate_training.networks.network_input import NetworkInput


def build(network: MonaiSettings, given: NetworkInput) -> nn.Module:
    """The network for this input.

    Raises UserError for a name that is no network of MONAI's, and for arguments that it does not take.
    """
    import monai.networks.nets as nets  # here: the import takes seconds

    name = f"MONAI's {network.name}"
    kind = _class_of(nets, network.name)
    takes = parameters_of(kind)
    filled = {key: value for key, value in filled_in(given).items() if key in takes}
    if doubled := [key for key in network.arguments if key in filled]:
        raise UserError(
            f"{name}: network.arguments.{doubled[0]} follows from the task and the exams "
            f"({filled[doubled[0]]!r}) and cannot be set"
        )
    return built(name, given, lambda: kind(**filled, **network.arguments))


def _class_of(nets: ModuleType, name: str) -> type[nn.Module]:
    """The class of ``monai.networks.nets``; what else the module can see is not taken."""
    names = [key for key, value in vars(nets).items() if _is_network(value)]
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise UserError(f"network.name: {name!r} is no network of monai.networks.nets{hint}")
    found: type[nn.Module] = vars(nets)[name]
    return found


def _is_network(value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, nn.Module)
        and value.__module__.startswith("monai.networks.nets.")
    )


def filled_in(given: NetworkInput) -> dict[str, Any]:
    """What the task and the exams say, under each name that MONAI's constructors have for it."""
    channels, *space = given.shape
    return {
        **dict.fromkeys(("spatial_dims",), given.dimensions),
        **dict.fromkeys(("in_channels", "n_input_channels"), channels),
        **dict.fromkeys(("out_channels", "num_classes", "classes"), 1),
        **dict.fromkeys(("img_size", "image_size"), tuple(space)),
        "in_shape": given.shape,
        # Weights begin as drawn: those of a download would be no setting, and no digest would hold them.
        "pretrained": False,
    }


def parameters_of(kind: type[nn.Module]) -> set[str]:
    """Names that a class's constructor takes, those that it hands on to the class above included."""
    names: set[str] = set()
    for one in kind.__mro__:
        if "__init__" not in vars(one):
            continue
        parameters = inspect.signature(one.__init__).parameters.values()  # type: ignore[misc]
        names |= {parameter.name for parameter in parameters}
        if not any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
            break
    return names
