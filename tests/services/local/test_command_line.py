"""The command line: help that teaches, and one clear line with exit code 2 for every bad input."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from nameplate_local.cli import main
from nameplate_local.command_line import SERVICE_COMMANDS

RunCampaign = Callable[..., subprocess.CompletedProcess[str]]


def _refused(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 2) -> str:
    """What stderr says, in one line, of a command that must end with ``code``."""
    assert main([str(argument) for argument in arguments]) == code
    printed = capsys.readouterr()
    assert printed.err.startswith("nameplate: ")
    assert printed.err.count("\n") == 1, printed.err
    return printed.err


@pytest.mark.parametrize("command", [*SERVICE_COMMANDS, "run", "plan", "status", "report", "job"])
def test_every_command_teaches_with_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    assert f"example:\n  nameplate {command}" in printed
    assert len(printed) > 300


def test_the_package_runs_as_the_command() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "nameplate", "--version"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.startswith("nameplate ")


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    page = capsys.readouterr().out
    assert [command for command in SERVICE_COMMANDS if f"\n  {command} " not in page] == []
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("nameplate 0.")
    assert main([]) == 2


def test_no_such_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert "no command 'trian'" in _refused(capsys, "trian")


def test_unknown_key_in_a_campaign(tiny: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tiny.write_text(tiny.read_text().replace("shards: 2", "shrads: 2"))
    said = _refused(capsys, "run", tiny, "--store", tmp_path / "store")
    assert said == f"nameplate: {tiny}: cohorts.study.shrads: unknown key\n"
    assert not (tmp_path / "store").exists()


def test_wrong_type_in_a_campaign(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny.write_text(tiny.read_text().replace("epochs: 2}", "epochs: two}", 1))
    said = _refused(capsys, "plan", tiny)
    assert "experiments[0].training.epochs: " in said
    assert said.endswith("got 'two'\n")


def test_set_reaches_keys_list_items_and_new_sections(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [
        "cohorts.study.phantom.exams=400",
        "experiments.spheres.training.epochs=9",
        "experiments.0.rounds.first=1",
        "analysis.confidence=0.9",
        "cohorts.study.match={age_years: 2.0, exams_per_level: 50}",
    ]
    arguments = [part for change in changes for part in ("--set", change)]
    assert main(["plan", str(tiny), *arguments]) == 0
    assert "all             100" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("cohorts.study.phantom.exams", "expected KEY=VALUE"),
        ("experiments.nothing.title=x", "no item 'nothing'"),
        ("cohorts.nope.phantom.exams=6", "no cohort 'nope'"),
        ("name.first=x", "'name' is 'tiny', not a section"),
        ("experiments.spheres=x", "name a key of the item"),
        ("seed=-1", "seed: "),
        ("title=@x", "not valid YAML"),
    ],
)
def test_set_that_makes_no_sense(
    change: str, expected: str, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert expected in _refused(capsys, "plan", tiny, "--set", change)


def _from_folder(tiny: Path, folder: Path) -> Path:
    raw = yaml.safe_load(tiny.read_text())
    del raw["cohorts"]["study"]["phantom"]
    raw["cohorts"]["study"]["folder"] = str(folder)
    tiny.write_text(yaml.safe_dump(raw))
    return tiny


def test_an_empty_folder(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    campaign = _from_folder(tiny, tmp_path / "empty")
    said = _refused(capsys, "run", campaign, "--store", tmp_path / "store")
    assert "holds no files" in said
    assert not (tmp_path / "store").exists()


def test_a_folder_that_is_not_there(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    campaign = _from_folder(tiny, tmp_path / "none")
    assert "no such folder" in _refused(capsys, "run", campaign, "--store", tmp_path / "store")


def test_a_foreign_folder_as_store(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"cat")
    said = _refused(capsys, "run", tiny, "--store", tmp_path / "photos")
    assert "not empty and not a nameplate store" in said
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["cat.jpg"]


def test_a_store_that_cannot_be_written(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot" in _refused(capsys, "run", tiny, "--store", tmp_path / "file" / "store")


def test_a_store_that_cannot_be_reached(
    tiny: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3", raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-to-be-printed")
    said = _refused(capsys, "run", tiny, "--store", "s3://bias/x", code=75)
    assert "no answer from the S3 service" in said
    assert "not-to-be-printed" not in said


def test_status_of_no_store(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no nameplate store there" in _refused(capsys, "status", tiny, "--store", tmp_path / "none")


def test_a_cohort_too_small_for_the_split(tiny: Path, tmp_path: Path, run_campaign: RunCampaign) -> None:
    """The cohort's job fails with one line; nothing of what follows it is written."""
    store = tmp_path / "store"
    ran = run_campaign(tiny, store, "--set", "cohorts.study.phantom.exams=8")
    assert ran.returncode == 2
    assert "failed: cohort/study: cohorts.study: " in ran.stdout
    assert "too few for the split" in ran.stdout
    assert not (store / "datasets").exists()


@pytest.mark.parametrize("command", ["plan", "run"])
def test_an_arm_with_more_exams_than_there_are(
    command: str, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arms = "experiments.spheres.arms=[{name: many, exams: 99}]"
    said = _refused(capsys, command, tiny, "--store", tmp_path / "store", "--set", arms)
    expected = "experiments.spheres.arms.many.exams: 99 training exams are wanted, cohort study has 36"
    assert said == f"nameplate: {expected}\n"
    assert not (tmp_path / "store").exists()


def test_the_plan_says_what_could_be_found(tiny: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changes = [
        "experiments.spheres.training_sets=[GE, Siemens]",
        "experiments.spheres.rounds={first: 4, target: 4, limit: 8}",
    ]
    assert main(["plan", str(tiny), *(part for change in changes for part in ("--set", change))]) == 0
    printed = capsys.readouterr().out
    assert (
        "least effects that 4 campaigns of 5 would find, at 95 % confidence\n  spheres on study: " in printed
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk(tiny: Path, tmp_path: Path, run_campaign: RunCampaign) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk)], check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        ran = run_campaign(tiny, disk / "store")
        assert ran.returncode == 2, ran.stdout + ran.stderr
        assert "full" in ran.stderr + ran.stdout
        assert "Traceback" not in ran.stderr + ran.stdout
        assert not list((disk / "store").rglob("jobs/**/*.json")), "a job was committed on a full disk"
        assert not list((disk / "store").rglob(".tmp-*"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    "arguments",
    [["status", "demo"], ["report", "demo", "--out", "x"], ["logs", "demo", "training"], ["stop", "demo"]],
)
def test_a_campaigns_name_in_place_of_a_file_asks_a_cluster(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "absent"))
    for name in ("ARGO_SERVER", "KUBERNETES_SERVICE_HOST"):
        monkeypatch.delenv(name, raising=False)
    assert main(arguments) == 2
    assert "no cluster to talk to" in capsys.readouterr().err
