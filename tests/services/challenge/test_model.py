"""Models are processes, here real ones: they hang, crash, flood, leave children behind, and cost one case
each."""

import os
import time
from pathlib import Path

import pytest
from tests.services.challenge.exams import script

from nameplate.errors import UserError
from nameplate_challenge.model import Model, NoScore, Surroundings, model_maker
from nameplate_challenge.request import Request

SLOW = 20.0
"""Seconds that a busy machine may need to start a process."""


def model(folder: Path, text: str, *words: str, serve: bool = False, seconds: float = SLOW) -> Model:
    around = Surroundings(folder / "server", {"PATH": os.environ["PATH"]}, seconds, SLOW if serve else 0.0)
    command = " ".join([script(folder / "model.py", text), *words])
    return model_maker(command, around, serve=serve)(0)


def ask(asked: Model, folder: Path, number: int = 1) -> str:
    request = Request(folder / f"{number}", number, False)
    request.folder.mkdir(exist_ok=True)
    try:
        return asked.ask(request)
    except NoScore:
        asked.distrust()
        raise


def gone(pid: int) -> bool:
    """Whether a process has ended, at the latest in a moment; one that nobody waits for is a zombie."""
    for _ in range(200):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def test_a_command_gets_its_paths_and_works_in_the_case(tmp_path: Path) -> None:
    text = "import os, sys; print(os.getcwd(), sys.argv[1:], sorted(set(os.environ) - {'LC_CTYPE', 'PATH'}))"
    printed = ask(model(tmp_path, text, "{image}", "{output}.nii.gz"), tmp_path)
    folder = tmp_path / "1"
    assert printed == f"{folder} ['{folder}/000001.nii', '{folder}/output.nii.gz'] []\n"


def test_a_relative_file_of_the_command_is_found_from_the_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.py").write_text("print(0.5)")
    around = Surroundings(tmp_path, {"PATH": os.environ["PATH"]}, SLOW, 0.0)
    assert ask(model_maker("python3 -S here.py {image}", around, serve=False)(0), tmp_path) == "0.5\n"


@pytest.mark.parametrize(
    ("text", "reason", "said"),
    [
        ("import sys; sys.exit('no weights\\x1b[31m')", "model: exit code 1", "no weights?[31m"),
        ("import os; os.kill(os.getpid(), 11)", "model: killed by SIGSEGV", ""),
    ],
)
def test_a_crash_has_a_reason_and_what_it_said(tmp_path: Path, text: str, reason: str, said: str) -> None:
    with pytest.raises(NoScore) as caught:
        ask(model(tmp_path, text, "{image}"), tmp_path)
    assert (caught.value.reason, caught.value.said) == (reason, said)


def test_a_hang_ends_with_all_that_it_has_started(tmp_path: Path) -> None:
    text = f"""
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
time.sleep(600)
"""
    with pytest.raises(NoScore, match="no answer within 3 s"):
        ask(model(tmp_path, text, "{image}", seconds=3.0), tmp_path)
    assert all(gone(int(pid)) for pid in (tmp_path / "pids").read_text().split())


def test_a_child_that_keeps_the_pipes_open_holds_nothing_up(tmp_path: Path) -> None:
    text = """
import subprocess, sys
subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
print(0.25)
"""
    start = time.monotonic()
    assert ask(model(tmp_path, text, "{image}"), tmp_path) == "0.25\n"
    assert time.monotonic() - start < SLOW


def test_a_flood_is_bounded_and_its_last_line_counts(tmp_path: Path) -> None:
    text = "import sys; sys.stderr.write('x' * 3_000_000); print('y' * 5_000_000); print(0.5)"
    printed = ask(model(tmp_path, text, "{image}"), tmp_path)
    assert printed.endswith("y\n0.5\n")
    assert len(printed) < 100_000


SERVER = """
import json, os, sys, time
for line in sys.stdin:
    number = int(json.loads(line)["image"].split("/")[-1][:6])
    if number == 2: time.sleep(600)
    if number == 3: os._exit(3)
    if number == 4: print("ready")
    print(os.getpid() + number / 100, flush=True)
"""


def test_a_server_answers_many_and_is_started_again_after_a_hang_and_a_crash(tmp_path: Path) -> None:
    server = model(tmp_path, SERVER, serve=True)
    first = float(ask(server, tmp_path))
    assert int(float(ask(server, tmp_path))) == int(first)
    server._around = Surroundings(tmp_path, server._around.environment, 2.0, 0.0)  # type: ignore[attr-defined, misc]
    with pytest.raises(NoScore, match="no answer within 2 s"):
        ask(server, tmp_path, 2)
    assert gone(int(first))
    server._around = Surroundings(tmp_path, server._around.environment, SLOW, SLOW)  # type: ignore[attr-defined, misc]
    second = float(ask(server, tmp_path))
    assert int(second) != int(first)
    with pytest.raises(NoScore, match="exit code 3"):
        ask(server, tmp_path, 3)
    # A line too many, dropped with the process: the next answer is that of its own case.
    assert ask(server, tmp_path, 4) == "ready"
    server.distrust()
    assert ask(server, tmp_path, 5).endswith(".05")
    server.close()


def test_a_server_that_ends_after_every_answer_is_asked_anew(tmp_path: Path) -> None:
    server = model(tmp_path, "import sys; sys.stdin.readline(); print(0.5)", serve=True)
    assert [ask(server, tmp_path, number) for number in range(3)] == ["0.5"] * 3
    server.close()


@pytest.mark.parametrize(
    ("command", "serve", "expected"),
    [
        ("python3 'x", False, "split"),
        ("", False, "expected a command"),
        ("python3 x", False, r"expected \{image\}"),
        ("python3 {image}", True, r"expected no \{image\}"),
        ("no-such-program-here {image}", False, "no program no-such-program-here"),
    ],
)
def test_a_command_that_cannot_be_run_is_an_error(command: str, serve: bool, expected: str) -> None:
    around = Surroundings(Path("/tmp"), {"PATH": os.environ["PATH"]}, 1.0, 0.0)
    with pytest.raises(UserError, match=expected):
        model_maker(command, around, serve=serve)
