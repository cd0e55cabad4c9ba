"""``nameplate phantom`` as a person calls it: its example, its refusals."""

import json
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
        (("--exams", "1", "--signature", "11"), "--signature: .* 10, got 11"),
        (("--exams", "1", "--signature", "-1"), "--signature: .* 0, got -1"),
        (("--exams", "1", "--signature", "nan"), "--signature: .* got nan"),
        (("--exams", "1", "--matrix", "7"), "--matrix"),
        (("--exams", "1", "--manufacturers", "Acme"), "Acme"),
        (("--exams", "2", "--manufacturers", "GE", "GE"), "--manufacturers: a name appears twice"),
        (("--exams", "3", "--twins"), "--twins: 3 exams cannot be divided"),
        (("--exams", "3", "--twins", "--manufacturers", "GE"), "--twins: needs two"),
        (("--exams", "1", "--effect", "nose=1"), "--effect: expected one of sharpness, noise.* got 'nose=1'"),
        (
            ("--exams", "1", "--effect", "noise"),
            "--effect: expected noise=X with X from 0 to 10, got 'noise'",
        ),
        (("--exams", "1", "--effect", "noise=x"), "--effect: expected noise=X .* got 'noise=x'"),
        (("--exams", "1", "--effect", "noise=11"), "--effect noise: .* 10, got 11"),
        (("--exams", "1", "--effect", "noise=1", "--effect", "noise=2"), "--effect: noise is given twice"),
    ],
)
def test_it_names_the_argument_that_is_wrong(words: tuple[str, ...], said: str, tmp_path: Path) -> None:
    out = tmp_path / "exams"
    with pytest.raises(UserError, match=said) as refused:
        run(*words, "--out", str(out))
    assert refused.value.exit_code == 2
    assert "\n" not in str(refused.value)
    assert not out.exists()


def test_dials_and_twins_reach_the_simulation(tmp_path: Path) -> None:
    out = tmp_path / "exams"
    words = ("--exams", "2", "--out", str(out), "--matrix", "64", "--thin-mm", "5", "--bone-share", "0")
    assert (
        run(*words, "--truth", "--twins", "--signature", "0", "--effect", "noise=3", "--effect", "bias=0.5")
        == 0
    )
    first, second = (
        json.loads((out / "truth" / "P00000" / scan / "parameters.json").read_text("utf-8"))
        for scan in ("ST1", "ST2")
    )
    assert first["patient_id"] == second["patient_id"]
    machines = first["machine"], second["machine"]
    assert {name for name in machines[0] if machines[0][name] != machines[1][name]} == {
        "noise",
        "bias",
        "header",
    }


def test_the_example_parses() -> None:
    parser = ArgumentParser()
    COMMAND.add_arguments(parser)
    parsed = parser.parse_args(COMMAND.example.split()[2:])
    assert parsed.truth
    assert parsed.exams == 4
