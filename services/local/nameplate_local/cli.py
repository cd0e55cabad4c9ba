"""Entry point of the command line: what numerical libraries must find is settled before they are loaded."""

from collections.abc import Sequence

from nameplate.service.kernels import same_kernels


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``nameplate``; returns the exit code (0 done, 2 the user's mistake, 75 try again)."""
    same_kernels()
    from nameplate_local.command_line import main as run

    return run(arguments)
