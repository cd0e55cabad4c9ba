"""The key of the pseudonyms."""

from pathlib import Path

import pytest

from nameplate.campaign.pseudonym_key import key_file, pseudonym_key, simulated_key
from nameplate.errors import UserError


def test_a_key_is_made_once_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delenv("NAMEPLATE_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    key = pseudonym_key()
    assert len(key) == 64
    assert pseudonym_key() == key
    (told,) = (record.getMessage() for record in caplog.records)
    assert str(key_file()) in told
    assert key.decode() not in told
    assert key_file().stat().st_mode & 0o777 == 0o600


def test_the_environment_comes_first_and_short_keys_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_KEY", "0123456789abcdef\n")
    assert pseudonym_key() == b"0123456789abcdef"
    monkeypatch.setenv("NAMEPLATE_KEY", "short")
    with pytest.raises(UserError, match="at least 16") as caught:
        pseudonym_key()
    assert "short" not in str(caught.value)


def test_simulated_cohorts_have_keys_of_their_own() -> None:
    assert simulated_key(1, "study") == simulated_key(1, "study")
    assert len({simulated_key(1, "study"), simulated_key(2, "study"), simulated_key(1, "control")}) == 3
