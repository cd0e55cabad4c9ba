import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nameplate.errors import UserError
from nameplate.service.command import run_command
from nameplate_ingest.command import COMMAND

pytestmark = pytest.mark.usefixtures("no_key")

PROGRAM = "import sys; from nameplate_ingest.cli import main; sys.exit(main())"


def call(*words: str) -> int:
    return run_command(COMMAND, "nameplate ingest", words)


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


def run_on_terminal(line: list[str]) -> tuple[int, str]:
    """Exit code and what a program shows on a terminal of 100 columns, as its standard error."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        line, stdout=subprocess.DEVNULL, stderr=theirs, env={**os.environ, "COLUMNS": "100", "TERM": "xterm"}
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += (more := os.read(ours, 4096))
        except OSError:  # the other end is closed
            break
        if not more:
            break
    os.close(ours)
    return process.wait(), shown.decode()


def test_on_a_terminal_it_shows_how_far_it_is(folder: Any, tmp_path: Path, make_series: Any) -> None:
    for number in range(3):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1"))
    line = [sys.executable, "-c", PROGRAM, str(folder.path), "--out", str(tmp_path / "out"), "--matrix", "64"]
    code, shown = run_on_terminal(line)
    assert code == 0
    assert "files indexed" in shown
    assert "90/90" in shown
    assert "studies done" in shown
    assert "3/3" in shown
    assert "/s" in shown
    assert "0:00:0" in shown
    assert str(folder.path) not in shown


def test_elsewhere_it_shows_nothing(folder: Any, tmp_path: Path, make_series: Any) -> None:
    folder.add(*make_series())
    line = [sys.executable, "-c", PROGRAM, str(folder.path), "--out", str(tmp_path / "out"), "--matrix", "64"]
    environment = {**os.environ, "NAMEPLATE_KEY": "a key for these tests"}
    done = subprocess.run(line, capture_output=True, text=True, check=True, env=environment)
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("studies/of-2019", "no such file or folder"),
        ("file", "not a folder"),
        ("empty", "the folder holds no files"),
    ],
)
def test_an_error_names_the_folder_that_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    Path("empty").mkdir()
    with pytest.raises(UserError) as caught:
        call(typed, "--out", "out")
    assert str(caught.value) == f"{typed}: {why}"
    assert not Path("out").exists()


def test_a_relative_source_is_read_from_anywhere(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder.add(*make_series(Manufacturer=""))
    shutil.move(folder.path, tmp_path / "studies" / "CT0001")
    (tmp_path / "list.csv").write_text("study,manufacturer\nCT0001,Siemens\n")
    monkeypatch.chdir(tmp_path / "studies")
    assert call(".", "--out", "../out", "--matrix", "64", "--manufacturers", "../list.csv") == 0
    assert "exams written: 1 of 1 studies" in capsys.readouterr().out


def test_explain_prints_and_writes_nothing(
    folder: Any, tmp_path: Path, make_series: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.add(*make_series(), *make_series(series="1.2.3.1.2", Modality="MR", count=2))
    before = sorted(tmp_path.rglob("*"))
    assert call(str(folder.path), "--explain") == 0
    printed = capsys.readouterr().out
    assert "32 files, one series is chosen" in printed
    assert "1.2.3" not in printed
    made = {path.name for path in tmp_path.rglob("*") if path not in before}
    assert made <= {"config", "nameplate", "key"}


def test_sheet_adds_pages_and_a_second_call_renews_them(
    folder: Any, tmp_path: Path, make_series: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.add(*make_series())
    words = (str(folder.path), "--out", str(tmp_path / "out"), "--matrix", "64", "--sheet")
    for _ in range(2):
        assert call(*words) == 0
        page = Path(capsys.readouterr().out.splitlines()[-1].removeprefix("pages: "))
        assert page.is_file()
        assert page.is_relative_to(tmp_path / "out" / "sheet")
    with pytest.raises(UserError, match="--sheet"):
        call(str(folder.path), "--explain", "--sheet")
