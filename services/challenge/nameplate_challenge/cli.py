"""Entry point of the challenge service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-challenge`."""
    return service_main("challenge")
