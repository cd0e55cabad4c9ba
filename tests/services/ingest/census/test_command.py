"""The whole command: what it prints and writes, and that none of it is of a person."""

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.services.ingest.census.told import PSEUDONYMS, told_series
from tests.services.ingest.conftest import head_series
from tests.services.ingest.planted import Secrets, as_text, everything_in, found
from tests.services.ingest.test_secrets import Archive, _accepted, _broken, _refused

from nameplate.campaign.cohort import MatchSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources import FolderSource
from nameplate.errors import CohortError, UserError
from nameplate.service.command import run_command
from nameplate_ingest.census.collect import Collected, collect, survey_of
from nameplate_ingest.census.command import COMMAND
from nameplate_ingest.census.page import census_files
from nameplate_ingest.census.screen import plain_lines
from nameplate_ingest.census.section import Question, section_of
from nameplate_ingest.census.surveyed import by_facts
from nameplate_ingest.sources.facts import TELLING
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Reading, Study

DEMO = Path(__file__).resolve().parents[4] / "campaigns" / "demo.yaml"
pytestmark = pytest.mark.usefixtures("no_key")

PROGRAM = "import sys; from nameplate_local.cli import main; sys.exit(main())"


def call(*words: str) -> int:
    return run_command(COMMAND, "nameplate census", words)


@pytest.fixture
def heads(folder: Any, make_series: Any) -> Path:
    """Twelve GE and fourteen Siemens heads, and a note of no study."""
    for number in range(26):
        maker = {"Manufacturer": "GE MEDICAL SYSTEMS"} if number < 12 else {}
        who = {"PatientID": f"PAT{chr(97 + number) * 4}", "PatientAge": f"{60 + number % 3:03d}Y"}
        uids = {"study": f"1.2.7.{number}", "series": f"1.2.7.{number}.1"}
        folder.add(*make_series(count=20, gap=7.5, **uids, **maker, **who))
    folder.add_bytes(b"a note")
    return folder.path


def test_a_folder(heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(str(heads), "--out", str(tmp_path / "census"), "--workers", "2") == 0
    printed = capsys.readouterr().out
    assert "a folder of DICOM files" in printed
    assert "files of no study: not-dicom" in printed
    assert sorted(path.name for path in (tmp_path / "census").iterdir()) == ["census.csv", "census.html"]
    assert not (tmp_path / "config").exists()  # a census alone makes no key


def test_a_campaign(heads: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    raw = yaml.safe_load(DEMO.read_text())
    raw["cohorts"]["study"] = {"folder": str(heads), "match": {"sex": False}}
    file = tmp_path / "demo.yaml"
    file.write_text(yaml.safe_dump(raw))
    assert call(str(file), "--out", str(tmp_path / "census")) == 0
    printed = capsys.readouterr().out
    blocks = {block.partition("\n")[0]: block for block in f"\n{printed}".split("\ncohort ")}
    assert "GE                 12" in blocks["study"]
    assert "matched pairs (GE, Siemens; age within 5 years)  5 or more" in blocks["study"]
    assert "made of cohort study" in blocks["shuffled"]
    assert "simulated: there is nothing to count" in blocks["planted"]
    assert call(str(file), "--set", "cohorts.study.ingest.rules.coverage_mm=200.0") == 0
    assert "coverage              26" in capsys.readouterr().out


def test_volumes_with_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """From the table alone: no volume is opened, and these are none."""
    rows = [f"e{number},{'GE' if number % 2 else 'Siemens'},{60 + number % 3},F" for number in range(26)]
    (tmp_path / "exams.csv").write_text("ID,scanner,years,sex\n" + "\n".join(rows))
    volumes = tmp_path / "nifti"
    volumes.mkdir()
    for number in range(26):
        (volumes / f"e{number}.nii.gz").touch()
    columns = "exam=ID,manufacturer=scanner,age=years,sex=sex"
    words = ["--table", str(tmp_path / "exams.csv"), "--columns", columns]
    assert call(str(volumes), *words) == 0
    printed = capsys.readouterr().out
    assert "volumes with a table" in printed
    assert "matched pairs (GE, Siemens; same sex, age within 5 years)               10 or more" in printed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("missing",), "no such file or folder"),
        (("missing.yaml",), "missing.yaml"),
        (("https://pacs.example.org/web",), "--since and --until"),
        ((".", "--workers", "0"), "--workers"),
        ((".", "--set", "a=b"), "--set"),
        ((str(DEMO), "--manufacturers", "x.csv"), "--manufacturers"),
        ((".", "--manufacturers", "missing.csv"), "missing.csv"),
    ],
)
def test_mistakes_of_the_user(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        call(*words)


def test_the_output_must_be_new(heads: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with pytest.raises(UserError, match="not an empty folder"):
        call(str(heads), "--out", str(tmp_path / "out"))


def test_a_cohort_whose_folder_is_missing(tmp_path: Path) -> None:
    raw = yaml.safe_load(DEMO.read_text())
    raw["cohorts"]["study"] = {"folder": "missing"}
    (tmp_path / "demo.yaml").write_text(yaml.safe_dump(raw))
    with pytest.raises((UserError, CohortError), match="no such"):
        call(str(tmp_path / "demo.yaml"))


def test_on_a_terminal(heads: Path) -> None:
    """With rich: the same numbers in grids."""
    ours, theirs = pty.openpty()
    line = [sys.executable, "-c", PROGRAM, "census", str(heads)]
    environment = {**os.environ, "COLUMNS": "120", "TERM": "xterm"}
    process = subprocess.Popen(line, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += (more := os.read(ours, 4096))
        except OSError:  # the other end is closed
            break
        if not more:
            break
    assert process.wait() == 0
    text = shown.decode()
    assert "refused, by rule" in text
    assert "─────" in text
    assert "Siemens: Emotion 16" in text


# What must not come out


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """As in the tests of the ingest; and enough studies for tables that show something."""
    archive = Archive(tmp_path_factory.mktemp("archive"), head_series)
    for _ in range(12):
        archive.add(*archive.study())
    for fill in (_accepted, _refused, _broken):
        archive.fresh_folder()
        fill(archive)
    return archive


def test_nothing_of_a_header_comes_out(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(0)
    assert call(str(archive.path), "--out", str(tmp_path / "census")) == 0
    printed = capfd.readouterr()
    assert "Siemens: Emotion 16" in printed.out
    assert not found(as_text([printed.out, printed.err, caplog.text]), archive.secrets)
    assert not found(everything_in(tmp_path / "census"), archive.secrets)


def _outputs(studies: Collected) -> list[str | bytes]:
    question = Question(FactorSettings(), MatchSettings())
    section = section_of("all studies", studies, FolderSource(path="x"), question)
    return [*plain_lines([section]), *census_files("Census", [section]).values()]


def _planted(secrets: Secrets) -> Iterator[tuple[str, list[Any]]]:
    """For every element twelve series in which it is a secret, the same one in all: no count is small."""
    for name in TELLING:
        for value in (
            secrets.word(),
            f"{secrets.word()} {secrets.word()}",
            str(secrets.number()),
            secrets.date(),
            secrets.uid(),
            f"head {secrets.word()}",
            f"H31s {secrets.word()} STANDARD",
            f"Emotion 16 {secrets.word()}",
            f"GE {secrets.word()}",
            f"CT\\{secrets.word().upper()}",
        ):
            yield name, [told_series(f"1.2.3.{number}", **{name: value}) for number in range(12)]


def test_nothing_that_a_pacs_tells_comes_out() -> None:
    secrets, tried = Secrets(3), 0
    for name, series in _planted(secrets):
        studies = tuple(by_facts(one.study, Study(), [one], IngestSettings(), PSEUDONYMS) for one in series)
        shown = _outputs(Collected(studies, 0, (), False))
        assert not found(as_text(shown), secrets), name
        tried += 1
    assert tried == 10 * len(TELLING)


def test_no_pseudonym_comes_out(heads: Path) -> None:
    source = Folder(heads)
    survey = survey_of(Reading(source.place, PSEUDONYMS), IngestSettings())
    studies = collect(source, survey, 1)
    assert sum(study.exam is not None for study in studies.studies) == 26
    text = "\n".join(map(str, _outputs(studies)))
    for study in studies.studies:
        if study.exam is not None:
            assert study.exam.exam not in text
            assert study.exam.patient not in text
