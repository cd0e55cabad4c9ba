"""The edge of a process: an exit code for every error, and a service that does its own jobs alone."""

import inspect
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from nameplate import errors
from nameplate.campaign import parse_campaign
from nameplate.errors import NameplateError
from nameplate.job.committed import put_campaign
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import committed_jobs
from nameplate.service.main import exit_code_of, service_main
from nameplate.steps.step import JobSettings
from nameplate.store import open_store

EXIT_CODES = {
    "NameplateError": 70,
    "UserError": 2,
    "CampaignError": 2,
    "CohortError": 2,
    "StoreError": 2,
    "DamagedObject": 2,
    "TryAgain": 75,
    "StoreUnreachable": 75,
}


def _raises(error: BaseException) -> Callable[[], int]:
    def main() -> int:
        raise error

    return main


def test_every_error_is_in_the_table() -> None:
    kinds = {name for name, kind in inspect.getmembers(errors, inspect.isclass)}
    assert kinds == set(EXIT_CODES)


@pytest.mark.parametrize(("name", "code"), EXIT_CODES.items())
def test_an_error_is_its_lines_and_its_exit_code(
    name: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    kind: type[NameplateError] = getattr(errors, name)
    assert exit_code_of(_raises(kind("one mistake\nand another"))) == code
    printed = capsys.readouterr()
    assert printed.err == "nameplate: one mistake\nnameplate: and another\n"
    assert printed.out == ""


def test_what_a_command_returns_is_its_exit_code_and_a_bug_is_not_hidden() -> None:
    assert exit_code_of(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        exit_code_of(lambda: 1 // 0)


def test_a_reader_that_has_gone_is_no_error_and_nothing_more_is_written_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "pipe").open("w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert exit_code_of(_raises(BrokenPipeError())) == 0
        pipe.write("what the interpreter flushes at its end")
    assert (tmp_path / "pipe").read_text() == ""


def test_an_interrupt_has_its_own_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(_raises(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "nameplate: stopped\n"


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """A job catches SIGTERM for the rest of its process; this one goes on."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def url(tmp_path: Path, tiny_text: str) -> str:
    url = str(tmp_path / "store")
    put_campaign(open_store(url), parse_campaign(tiny_text, "tiny"), tiny_text)
    return url


def test_a_service_does_its_own_job_and_commits_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def phantom(settings: JobSettings, inputs: Inputs, outputs: Outputs) -> None:
        assert outputs.scratch.is_relative_to(url)
        outputs.write("made/a", b"x")

    module = ModuleType("nameplate_phantom.phantom_step")
    module.phantom = phantom  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert service_main("phantom", ["job", "phantom/study/001", "--store", url]) == 0
    assert committed_jobs(open_store(url)) == ["phantom/study/001"]


@pytest.mark.parametrize(
    ("service", "job", "says"),
    [
        ("ingest", "phantom/study/000", r"phantom/study/000: .*service phantom, not ingest"),
        ("phantom", "phantom/study/099", r"phantom/study/099: .*no such job"),
        ("training", "nonsense/study", r"nonsense/study: .*no such job"),
        ("evaluation", "report", r"report: .*no such job"),  # it comes with the last selection
        ("ingest", "ingest/study/000", r"phantom/study/000: not done"),
    ],
)
def test_a_job_that_this_service_cannot_do_is_one_line_and_exit_2(
    service: str, job: str, says: str, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert service_main(service, ["job", job, "--store", url]) == 2
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("nameplate: "))
    assert re.match(f"nameplate: {says}", line)
    assert committed_jobs(open_store(url)) == []


def test_a_job_makes_no_store(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = tmp_path / "mistyped"
    assert service_main("phantom", ["job", "phantom/study/000", "--store", str(url)]) == 2
    assert str(url) in capsys.readouterr().err
    assert not url.exists()


def test_a_service_without_a_command_of_its_own_says_which_steps_it_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert service_main("training", []) == 2
    assert service_main("training", ["--help"]) == 0
    assert "training, selection, prediction" in capsys.readouterr().out
