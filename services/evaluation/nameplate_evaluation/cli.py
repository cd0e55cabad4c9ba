"""Entry point of the evaluation service alone."""

from nameplate.service import service_main


def main() -> int:
    """Run `nameplate-evaluation`."""
    return service_main("evaluation")
