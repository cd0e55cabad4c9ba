"""A model in a container of its own: both sides run for real, with a folder between them, HTTP in front."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from tests.services.challenge.exams import script
from tests.services.challenge.test_model import ask, gone

from nameplate.campaign.challenge import ModelSettings
from nameplate.errors import TryAgain
from nameplate_challenge import remote_model
from nameplate_challenge.attendant import Server
from nameplate_challenge.model import NoScore
from nameplate_challenge.question import Question
from nameplate_challenge.relay import __file__ as relay_file
from nameplate_challenge.remote_model import RemoteModel

SHELLS = [shell for shell in ("dash", "bash", "busybox") if shutil.which(shell)]


class Pod:
    """The two containers: ours as a thread, the model's as a shell that runs the agent."""

    def __init__(self, exchange: Path, shell: str) -> None:
        exchange.mkdir()
        self.exchange, self.shell = exchange, [shell, *(["sh"] if shell == "busybox" else [])]
        before = os.umask(0)
        self.server = Server(exchange, 0)
        os.umask(before)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.container = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        agent, folder = self.exchange / "agent.sh", self.exchange
        return subprocess.Popen([*self.shell, agent, folder], start_new_session=True)

    def end_container(self) -> None:
        os.killpg(self.container.pid, signal.SIGKILL)
        self.container.wait()

    def close(self) -> None:
        self.end_container()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(params=SHELLS)
def pod(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pod]:
    made = Pod(tmp_path / "exchange", request.param)
    yield made
    made.close()


def model(pod: Pod, text: str, *words: str, serve: bool = False, seconds: float = 20.0) -> RemoteModel:
    """Of a script beside the exchange."""
    command = " ".join([script(pod.exchange.parent / "model.py", text), *words])
    kind = {"serve": command} if serve else {"command": command}
    given = ModelSettings(**kind, seconds=seconds, environment={"ASKED": "it's"})  # type: ignore[arg-type]
    return RemoteModel(pod.url, Question.of(given, gzip=False), lambda: False)


def image(folder: Path, number: int = 1, data: bytes = b"bytes of an image") -> Path:
    place = folder / f"{number}"
    place.mkdir(exist_ok=True)
    (place / f"{number:06d}.nii").write_bytes(data)
    return place


WRITES = """
import os, sys
image, output = sys.argv[1:]
print("home", os.environ["HOME"], os.environ["ASKED"], file=sys.stderr)
open(output + ".txt", "w").write(open(image).read() + " seen")
print("noise"); print(0.25)
"""


def test_a_command_reads_the_image_and_its_files_come_back(pod: Pod, tmp_path: Path) -> None:
    place = image(tmp_path)
    asked = model(pod, WRITES, "{image}", "{output}")
    assert ask(asked, tmp_path) == "noise\n0.25\n"
    assert (place / "output.txt").read_text() == "bytes of an image seen"
    asked.close()
    time.sleep(0.2)
    assert not list(pod.exchange.glob("case-*"))


COUNTS = """
import json, os, sys
seen = 0
for line in sys.stdin:
    seen += 1
    size = os.path.getsize(json.loads(line)["image"])
    if size == 13:
        sys.exit("unlucky")
    print(f"{os.getpid()} {seen} {size}", flush=True)
"""


def test_a_server_lives_on_over_cases_and_connections(pod: Pod, tmp_path: Path) -> None:
    first = model(pod, COUNTS, serve=True)
    pids = set()
    for number in (1, 2, 3):
        image(tmp_path, number)
        pid, seen, size = ask(first, tmp_path, number).split()
        pids.add(pid)
        assert (int(seen), int(size)) == (number, 17)
    first.close()
    second = model(pod, COUNTS, serve=True)
    image(tmp_path, 4)
    pid, seen, _ = ask(second, tmp_path, 4).split()
    assert {pid} == pids
    assert seen == "4"
    second.close()


def test_a_server_that_ends_on_a_case_is_started_again(pod: Pod, tmp_path: Path) -> None:
    asked = model(pod, COUNTS, serve=True)
    image(tmp_path, 1)
    before = ask(asked, tmp_path, 1).split()[0]
    image(tmp_path, 2, b"x" * 13)
    with pytest.raises(NoScore, match="exit code 1") as caught:
        ask(asked, tmp_path, 2)
    assert caught.value.said == "unlucky"
    image(tmp_path, 3)
    pid, seen, _ = ask(asked, tmp_path, 3).split()
    assert (pid != before, seen) == (True, "1")
    asked.close()


HANGS = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
print(f"{os.getpid()} {child.pid}", file=sys.stderr, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("serve", [False, True])
def test_one_that_hangs_is_ended_with_its_children(pod: Pod, tmp_path: Path, serve: bool) -> None:
    words = () if serve else ("{image}",)
    asked = model(pod, HANGS, *words, serve=serve, seconds=1.5)
    asked._question = asked._question.model_copy(update={"start_seconds": 0.0})
    image(tmp_path)
    with pytest.raises(NoScore, match=r"no answer within 1\.5 s") as caught:
        ask(asked, tmp_path)
    for pid in caught.value.said.split():
        assert gone(int(pid))
    asked.close()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import sys; sys.exit(3)", "exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("import os; os.kill(os.getpid(), 11)", "killed by SIGSEGV"),
    ],
)
def test_how_it_ended_is_told(pod: Pod, tmp_path: Path, text: str, reason: str) -> None:
    asked = model(pod, text, "{image}")
    image(tmp_path)
    with pytest.raises(NoScore, match=reason):
        ask(asked, tmp_path)
    asked.close()


def test_a_program_that_the_image_lacks_is_named(pod: Pod, tmp_path: Path) -> None:
    given = ModelSettings(command="no-such-program {image}")
    asked = RemoteModel(pod.url, Question.of(given, gzip=False), lambda: False)
    image(tmp_path)
    with pytest.raises(NoScore, match="exit code 127") as caught:
        ask(asked, tmp_path)
    assert "no-such-program: not found" in caught.value.said
    asked.close()


def test_a_flood_ends_the_case_and_no_more(pod: Pod, tmp_path: Path) -> None:
    asked = model(pod, "import sys\nfor _ in range(9000): print('x' * 999)\nprint(0.75)", "{image}")
    image(tmp_path)
    assert ask(asked, tmp_path).splitlines()[-1] == "0.75"
    asked.close()


def test_a_container_that_was_started_again_costs_what_ran_in_it(pod: Pod, tmp_path: Path) -> None:
    asked = model(pod, HANGS, "{image}", seconds=60)
    image(tmp_path)
    threading.Timer(2.0, lambda: (pod.end_container(), setattr(pod, "container", pod.start()))).start()
    began = time.monotonic()
    with pytest.raises(NoScore, match="killed by SIGKILL") as caught:
        ask(asked, tmp_path)
    assert time.monotonic() - began < 50
    for pid in caught.value.said.split():
        os.kill(int(pid), signal.SIGKILL)  # with a real container these are gone, too
    image(tmp_path, 2)
    asked.close()
    fresh = model(pod, "print(1)", "{image}")
    assert ask(fresh, tmp_path, 2) == "1\n"
    fresh.close()


def test_one_at_a_time_and_the_next_one_waits(pod: Pod, tmp_path: Path) -> None:
    first, second = (model(pod, WRITES, "{image}", "{output}") for _ in range(2))
    image(tmp_path, 1), image(tmp_path, 2)
    ask(first, tmp_path, 1)
    threading.Timer(2.0, first.close).start()
    began = time.monotonic()
    assert ask(second, tmp_path, 2) == "noise\n0.25\n"
    assert time.monotonic() - began > 1.5
    second.close()


def test_what_is_no_question_is_refused(pod: Pod) -> None:
    host = HTTPConnection("127.0.0.1", pod.server.server_address[1], timeout=20)
    for body in (b"", b"nonsense\nimage", b'{"command": "rm", "serve": false}\n'):
        host.request("POST", "/ask", body)
        answer = host.getresponse()
        answer.read()
        assert answer.status == 400
    host.close()


def test_nobody_there_is_no_fault_of_the_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_model, "PATIENCE_SECONDS", 0.0)
    given = ModelSettings(command="true {image}")
    asked = RemoteModel("http://127.0.0.1:9", Question.of(given, gzip=False), lambda: False)
    image(tmp_path)
    with pytest.raises(TryAgain, match=r"no model has answered at http://127\.0\.0\.1:9 for .* ready"):
        ask(asked, tmp_path)


def test_the_relay_without_a_container_says_so(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-I", relay_file, str(tmp_path), "{}", "true"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == "the model's container does not run\n"
