import zipfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign.sources import ArchiveSource, DicomwebSource, DimseSource
from nameplate.errors import UserError
from nameplate.service.command import run_command
from nameplate_ingest.command import COMMAND
from nameplate_ingest.sources.arguments import add_source_options, named_source

KEY = "a key for these tests"
DAYS = ("--since", "2024-01-01", "--until", "2024-01-31")


def named(text: str, *words: str) -> Any:
    parser = ArgumentParser()
    add_source_options(parser)
    return named_source(text, parser.parse_args(words))


def test_options_are_settings() -> None:
    words = (*DAYS, "--studies-per-hour", "60", "--account", "pacs")
    settings = named("https://pacs.example.org/web", *words).settings
    assert isinstance(settings, DicomwebSource)
    assert (settings.since, settings.account, settings.limits.studies_per_hour) == ("2024-01-01", "pacs", 60)
    settings = named("dimse://A@b:104", *DAYS, "--calling", "US").settings
    assert isinstance(settings, DimseSource)
    assert settings.calling == "US"


def test_paths_are_relative_to_where_the_command_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = named("studies.zip")
    assert isinstance(source.settings, ArchiveSource)
    assert source.path("path") == Path("studies.zip")
    assert named("/data/studies.zip").path("path") == Path("/data/studies.zip")


def test_an_option_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(UserError, match="--studies-per-hour: does not go with 'folder'"):
        named(".", "--studies-per-hour", "3")


def ingest(*words: str) -> int:
    return run_command(COMMAND, "nameplate ingest", words)


def test_an_archive_is_ingested_as_its_folder_is(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMEPLATE_KEY", KEY)
    folder.add(*make_series())
    archive = tmp_path / "studies.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(folder.path.iterdir()):
            zipped.write(path, f"a/{path.name}")
    for source, out in ((folder.path, "a"), (archive, "b")):
        assert ingest(str(source), "--out", str(tmp_path / out), "--matrix", "64") == 0
    for name in ("exams.jsonl", "ledger.jsonl"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert "exam" in (tmp_path / "a" / "exams.jsonl").read_text()


def test_a_folder_of_output_is_of_one_source(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMEPLATE_KEY", KEY)
    folder.add(*make_series())
    out = str(tmp_path / "out")
    assert ingest(str(folder.path), "--out", out, "--matrix", "64") == 0
    with zipfile.ZipFile(tmp_path / "studies.zip", "w") as zipped:
        zipped.write(next(folder.path.iterdir()), "a")
    with pytest.raises(UserError, match="of another source"):
        ingest(str(tmp_path / "studies.zip"), "--out", out, "--matrix", "64")


def test_a_pacs_needs_its_days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_KEY", KEY)
    with pytest.raises(UserError, match="--since and --until: required"):
        ingest("https://pacs.example.org/web", "--out", str(tmp_path / "out"))


def test_explain_takes_any_source(
    folder: Any, tmp_path: Path, make_series: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("NAMEPLATE_KEY", KEY)
    folder.add(*make_series())
    with zipfile.ZipFile(tmp_path / "studies.zip", "w") as zipped:
        for path in sorted(folder.path.iterdir()):
            zipped.write(path, path.name)
    assert ingest(str(tmp_path / "studies.zip"), "--explain") == 0
    assert "one series is chosen" in capsys.readouterr().out
