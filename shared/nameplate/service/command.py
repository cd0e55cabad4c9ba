"""The command line of a service, apart from its steps: how it is found and run."""

import argparse
import importlib
import importlib.util
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nameplate.errors import UserError


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command, used both by ``nameplate <service>`` and by the service's own entry point."""

    description: str
    """A paragraph on what it does and what it writes."""
    example: str
    """One command line that works."""
    add_arguments: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]


def command_of(service: str, inside: str = "") -> Command | None:
    """The command of a service, or of a package inside it; None if it only works inside a campaign.

    Raises UserError that names the extra to install when the service is not installed.
    """
    module = f"nameplate_{service}"
    hint = f"the {service} service is not installed here: pip install 'nameplate[{service}]'"
    if importlib.util.find_spec(module) is None:
        raise UserError(hint)
    place = f"{module}.{inside}.command" if inside else f"{module}.command"
    if importlib.util.find_spec(place) is None:
        return None
    try:
        command: Command = importlib.import_module(place).COMMAND
    except ModuleNotFoundError as error:
        raise UserError(f"{hint} ({error.name} is missing)") from error
    return command


def parser_of(prog: str, description: str, example: str) -> ArgumentParser:
    """A parser with its example at the end of ``--help``."""
    return ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def run_command(command: Command, prog: str, arguments: Sequence[str]) -> int:
    """Parse a command's arguments and run it."""
    parser = parser_of(prog, command.description, command.example)
    command.add_arguments(parser)
    return command.run(parser.parse_args(arguments))
