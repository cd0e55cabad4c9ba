from pathlib import Path
from typing import Any

import pytest

from nameplate.errors import UserError
from nameplate.service.command import run_command
from nameplate_ingest.command import COMMAND


def call(*words: str) -> int:
    return run_command(COMMAND, "nameplate ingest", words)


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key in the environment, and a home of its own for the one that is made."""
    monkeypatch.delenv("NAMEPLATE_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def test_a_folder_in_and_a_table_of_refusals_out(
    folder: Any, tmp_path: Path, make_series: Any, make_slice: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.add(*make_series())
    folder.add(make_slice(series="9.1", Modality="SR"), make_slice(series="9.2", Modality="MR"))
    out = str(tmp_path / "out")
    assert call(str(folder.path), "--out", out, "--matrix", "64") == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "exams written: 1 of 1 studies",
        "files read: 32",
        "refused series and files, by rule:",
        "  modality  2",
    ]
    assert printed.err == ""


def test_the_same_key_gives_the_same_pseudonyms(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder.add(*make_series())
    key = tmp_path / "key"
    key.write_text("0123456789abcdef0123\n")
    call(str(folder.path), "--out", str(tmp_path / "a"), "--key-file", str(key))
    monkeypatch.setenv("NAMEPLATE_KEY", "0123456789abcdef0123")
    call(str(folder.path), "--out", str(tmp_path / "b"))
    assert (tmp_path / "a" / "exams.jsonl").read_bytes() == (tmp_path / "b" / "exams.jsonl").read_bytes()
    assert "0123456789abcdef" not in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "words", [("--matrix", "7"), ("--slice-mm", "0"), ("--workers", "0"), ("--key-file", "/nonexistent/key")]
)
def test_wrong_options_are_the_users_mistake(folder: Any, tmp_path: Path, words: tuple[str, str]) -> None:
    folder.add_bytes(b"x")
    with pytest.raises(UserError, match=words[0]):
        call(str(folder.path), "--out", str(tmp_path / "out"), *words)
