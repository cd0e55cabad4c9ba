"""Entry point of the challenge service."""

import sys

from nameplate.service.main import exit_code_of, service_main


def main() -> int:
    """Run `nameplate-challenge`."""
    given = sys.argv[1:]
    if given[:1] == ["attend"]:
        return exit_code_of(lambda: _attend(given[1:]))
    return service_main("challenge")


def _attend(arguments: list[str]) -> int:
    from nameplate_challenge.attendant import attend

    return attend(arguments)
