"""Entry point of the skullstrip service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-skullstrip`."""
    return service_main("skullstrip")
