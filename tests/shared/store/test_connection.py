"""A certificate that nobody here vouches for is a mistake, and one of the site's own can be vouched for."""

from pathlib import Path

import pytest

from nameplate.errors import StoreError
from nameplate.store import open_store


def test_an_authority_that_is_not_known_is_a_mistake(
    authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    assert authority.is_file()
    with pytest.raises(StoreError, match=r"verify failed: self.signed certificate;.*SSL_CERT_FILE"):
        open_store("s3://bias/x")


@pytest.mark.usefixtures("authority")
def test_an_authority_of_the_sites_own_is_trusted() -> None:
    store = open_store("s3://bias/x")
    store.put("a/b", b"seen")
    assert store.get("a/b") == b"seen"
