"""Entry point of the command line: what numerical libraries must find is settled before they are loaded."""

import sys
from collections.abc import Sequence

from nameplate.service.main import exit_code_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``nameplate``; returns the exit code (0 done, 2 the user's mistake, 75 try again)."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    return exit_code_of(lambda: _run(given))


def _run(arguments: list[str]) -> int:
    from nameplate_local.command_line import run

    return run(arguments)
