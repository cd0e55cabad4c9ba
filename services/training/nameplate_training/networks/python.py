"""A network of the user's own: made by a function of an installed package."""

import copy
import hashlib
import importlib
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from torch import nn

from nameplate.campaign.networks import PythonSettings
from nameplate.errors import UserError
from nameplate_training.networks.foreign import built, in_a_line
from nameplate_training.networks.network_input import NetworkInput


def build(network: PythonSettings, given: NetworkInput) -> nn.Module:
    """What the entry returns for this input; UserError, in one line, for one that cannot be used."""
    function = _function_of(network.entry)
    arguments = copy.deepcopy(network.arguments)  # the settings stay what they are, whatever it does
    return built(network.entry, given, lambda: function(task=given.task, shape=given.shape, **arguments))


def _function_of(entry: str) -> Any:
    module, _, name = entry.partition(":")
    try:
        found = importlib.import_module(module)
    except (Exception, SystemExit) as error:
        raise UserError(
            f"network.entry: {module} does not import here: {in_a_line(error)}; it has to be installed where "
            "the campaign runs"
        ) from error
    function = getattr(found, name, None)
    if function is None:
        raise UserError(f"network.entry: {module} has no {name!r}")
    if not callable(function):
        raise UserError(f"network.entry: {entry} is no function but {type(function).__name__}")
    return function


def code_of(network: PythonSettings) -> dict[str, str]:
    """The installed code behind an entry, as a run records it: distribution -> version.

    Of a package that no distribution brought (a folder on PYTHONPATH), the SHA-256 of the entry's file stands
    in for a version; files that it imports are not in it.
    """
    module = network.entry.partition(":")[0]
    top = module.partition(".")[0]
    if names := packages_distributions().get(top):
        return {name: version(name) for name in sorted(set(names))}
    _function_of(network.entry)
    file = getattr(importlib.import_module(module), "__file__", None)
    if file is None:
        return {top: "unknown"}
    return {top: f"sha256 {hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]}"}
