"""Entry point of the phantom service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-phantom`."""
    return service_main("phantom")
