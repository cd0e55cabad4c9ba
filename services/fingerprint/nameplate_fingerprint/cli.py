"""Entry point of the fingerprint service."""

from nameplate.service.main import service_main


def main() -> int:
    """Run `nameplate-fingerprint`."""
    return service_main("fingerprint")
