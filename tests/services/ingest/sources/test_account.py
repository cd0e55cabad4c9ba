"""Accounts of sources: from the environment, and never in a message or on a disk."""

from pathlib import Path

import pytest

from nameplate.errors import UserError
from nameplate_ingest.sources.account import account_of

PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----\n"


def test_names_keep_accounts_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_SOURCE_TOKEN", "one")
    monkeypatch.setenv("NAMEPLATE_SOURCE_OLD_PACS_TOKEN", "other")
    monkeypatch.setenv("NAMEPLATE_SOURCE_OLD_PACS_USERNAME", "")
    assert account_of(None).get("TOKEN") == "one"
    assert account_of("old-pacs").get("TOKEN") == "other"
    assert account_of("old-pacs").get("USERNAME") is None
    assert "other" not in repr(account_of("old-pacs"))


def test_half_a_pair_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_SOURCE_USERNAME", "ada")
    with pytest.raises(UserError, match="NAMEPLATE_SOURCE_PASSWORD is not set"):
        account_of(None).pair("USERNAME", "PASSWORD")
    assert account_of(None).pair("CLIENT_CERT", "CLIENT_KEY") is None


def test_a_text_is_a_file_in_memory_while_the_block_lasts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_KEY", PEM)
    with account_of(None).certificate("CLIENT_KEY") as path:
        assert path is not None
        assert path.startswith("/proc/")
        assert Path(path).read_text() == PEM
    assert not Path(path).exists()
    (tmp_path / "key.pem").write_text(PEM)
    monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_KEY", str(tmp_path / "key.pem"))
    with account_of(None).certificate("CLIENT_KEY") as path:
        assert path == str(tmp_path / "key.pem")
    with account_of(None).certificate("AUTHORITY") as path:
        assert path is None


def test_a_key_in_another_form_is_not_in_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_SOURCE_CLIENT_KEY", "MIIEvQIBADANBg")
    with pytest.raises(UserError) as caught, account_of(None).certificate("CLIENT_KEY"):
        pass
    assert str(caught.value).startswith("NAMEPLATE_SOURCE_CLIENT_KEY: holds neither PEM nor")
    assert "MIIE" not in str(caught.value)
