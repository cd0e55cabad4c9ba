"""Entry point of the ingest service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-ingest`."""
    return service_main("ingest")
