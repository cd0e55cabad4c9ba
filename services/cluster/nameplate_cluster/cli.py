"""Entry point of the cluster service: the commands that its pods run."""

import importlib
import sys
from collections.abc import Callable

from nameplate.errors import UserError
from nameplate.service.main import exit_code_of

INSIDE = {
    "plan": ("nameplate_cluster.plan_step", "plan_main"),
    "setup": ("nameplate_cluster.setup", "setup_main"),
    "check": ("nameplate_cluster.setup", "check_main"),
}
"""Module and function of each command."""


def main() -> int:
    """Run `nameplate-cluster`."""
    return exit_code_of(lambda: _main(sys.argv[1:]))


def _main(arguments: list[str]) -> int:
    command = arguments[0] if arguments else ""
    if command in INSIDE:
        module, name = INSIDE[command]
        run: Callable[[list[str]], int] = getattr(importlib.import_module(module), name)
        return run(arguments[1:])
    if command in ("", "-h", "--help"):
        print(
            "usage: nameplate-cluster plan|setup|check ...\n\n"
            "What the chart's own pods run; each command has --help. To submit and watch campaigns, use\n"
            "nameplate submit, status, logs, stop and report.\n\n"
            "example:\n  nameplate-cluster plan demo --store s3://bucket/demo --pools pools.yaml --out plan"
        )
        return 0 if command else 2
    raise UserError(f"no command {command!r}; see nameplate-cluster --help")
