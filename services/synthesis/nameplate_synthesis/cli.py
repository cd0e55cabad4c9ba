"""Entry point of the synthesis service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-synthesis`."""
    return service_main("synthesis")
