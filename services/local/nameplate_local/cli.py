"""Entry point of the command line: what numerical libraries must find is settled before they are loaded."""

from collections.abc import Sequence

from nameplate.service.arithmetic import settle_arithmetic


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``nameplate``; returns the exit code (0 done, 2 the user's mistake, 75 try again)."""
    settle_arithmetic()
    from nameplate_local.command_line import main as run

    return run(arguments)
