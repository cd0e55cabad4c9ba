"""``nameplate phantom`` as a person calls it: its example, its refusals."""

from argparse import ArgumentParser
from pathlib import Path

import pytest

from nameplate.errors import UserError
from nameplate.service.command import run_command
from nameplate_phantom.command import COMMAND


def run(*words: str) -> int:
    return run_command(COMMAND, "nameplate phantom", words)


def test_it_writes_studies_and_may_write_again_into_its_own_folder(tmp_path: Path) -> None:
    out = tmp_path / "exams"
    words = ("--exams", "2", "--out", str(out), "--matrix", "64", "--thin-mm", "5", "--truth")
    assert run(*words) == 0
    assert sorted(path.name for path in out.iterdir() if path.name[0] != ".") == ["P00000", "P00001", "truth"]
    assert run(*words) == 0


def test_it_refuses_a_folder_of_other_things(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not empty"):
        run("--exams", "1", "--out", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--exams", "0"), "--exams"),
        (("--exams", "1", "--signature", "2"), "--signature"),
        (("--exams", "1", "--matrix", "7"), "--matrix"),
        (("--exams", "1", "--manufacturers", "Acme"), "Acme"),
    ],
)
def test_it_names_the_argument_that_is_wrong(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = tmp_path / "exams"
    with pytest.raises(UserError, match=said):
        run(*words, "--out", str(out))
    assert not out.exists()


def test_the_example_parses() -> None:
    parser = ArgumentParser()
    COMMAND.add_arguments(parser)
    parsed = parser.parse_args(COMMAND.example.split()[2:])
    assert parsed.truth
    assert parsed.exams == 4
