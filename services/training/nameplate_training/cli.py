"""Entry point of the training service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-training`."""
    return service_main("training")
