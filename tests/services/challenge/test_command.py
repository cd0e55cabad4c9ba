"""``nameplate challenge`` on small heads, with models that are real processes."""

import csv
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.services.challenge.exams import BRIGHT, challenge, files, folder, head, script

from nameplate.errors import UserError
from nameplate.image.volume import read_nifti, write_nifti
from nameplate_challenge.case_log import CaseLog

CASES = 4 * (1 + 3)


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder(tmp_path_factory.mktemp("exams") / "images")


def rows(out: Path, name: str) -> list[dict[str, str]]:
    with (out / name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_case_has_a_score_and_its_row(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert challenge(images, out, "--model", script(tmp_path / "m.py", BRIGHT) + " {image}") == 0
    scores = rows(out, "scores.csv")
    assert len(scores) == CASES
    assert len({row["exam"] for row in scores}) == CASES
    assert [row["label"] for row in scores] == ["0", "1", "1", "1"] * 4
    assert scores[1] | {"score": ""} == {
        "patient": "p0", "exam": "e0:30HU-8mm-1", "label": "1", "score": "", "radius_mm": "8", "hu": "30",
        "place": "1", "original": "e0", "manufacturer": "GE", "age": "50",
    }  # fmt: skip
    assert rows(out, "ledger.csv") == []
    detection = rows(out, "detection.csv")
    assert [(row["manufacturer"], row["radius_mm"], row["cases"]) for row in detection[:3]] == [
        ("GE", "", "2"),
        ("GE", "8", "2"),
        ("GE", "16", "2"),
    ]
    found = json.loads((out / "challenge.json").read_text())
    assert [level["level"] for level in found["levels"]] == ["GE", "Siemens"]
    assert {gap["figure"] for gap in found["gaps"]} == {"radius, mm", "sensitivity", "false alarms"}
    page = (out / "report.html").read_text()
    assert "<svg" in page
    assert "<script" not in page
    printed = capsys.readouterr().out
    assert "4 exams by manufacturer, 16 cases" in printed
    assert "found in 90 % from" in printed


def test_several_at_a_time_and_one_at_a_time_leave_the_same_bytes(images: Path, tmp_path: Path) -> None:
    command = script(tmp_path / "m.py", BRIGHT) + " {image}"
    challenge(images, tmp_path / "one", "--model", command)
    challenge(images, tmp_path / "three", "--model", command, "--parallel", 3)
    assert files(tmp_path / "one") == files(tmp_path / "three")


KILLED = (
    BRIGHT
    + """
import time
open(sys.argv[2], "a").write("x")
time.sleep(0.05)
"""
)


def test_killed_in_the_middle_and_resumed_leaves_the_same_bytes(images: Path, tmp_path: Path) -> None:
    count = tmp_path / "asked"
    command = f"{script(tmp_path / 'm.py', KILLED)} {{image}} {count}"
    code = (
        "import sys; from pathlib import Path; from tests.services.challenge.exams import challenge;"
        f"sys.exit(challenge(Path({str(images)!r}), Path(sys.argv[1]), '--model', {command!r}))"
    )
    words = [sys.executable, "-c", code]
    out = tmp_path / "out"
    first = subprocess.Popen([*words, str(out)], stdout=subprocess.DEVNULL, start_new_session=True)
    while not (out / "cases.jsonl").is_file() or (out / "cases.jsonl").read_bytes().count(b"\n") < 5:
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    with (out / "cases.jsonl").open("ab") as file:
        file.write(b'{"key": "half a l')
    kept = (out / "cases.jsonl").read_bytes().count(b"\n")
    assert 5 <= kept < CASES
    left = Path((out / ".scratch").read_text())
    assert left.is_dir()
    time.sleep(0.5)  # its last model may still be at work
    count.write_text("")
    subprocess.run([*words, str(out)], check=True, stdout=subprocess.DEVNULL)
    assert len(count.read_text()) == CASES - kept
    assert not left.exists()
    subprocess.run([*words, str(tmp_path / "whole")], check=True, stdout=subprocess.DEVNULL)
    assert files(out) == files(tmp_path / "whole")


def test_a_second_run_asks_nothing_and_another_threshold_neither(images: Path, tmp_path: Path) -> None:
    count = tmp_path / "asked"
    command = f"{script(tmp_path / 'm.py', KILLED)} {{image}} {count}"
    challenge(images, tmp_path / "out", "--model", command)
    before = files(tmp_path / "out")
    challenge(images, tmp_path / "out", "--model", command)
    assert files(tmp_path / "out") == before
    challenge(images, tmp_path / "out", "--model", command, "--threshold", 0.9)
    assert len(count.read_text()) == CASES
    assert files(tmp_path / "out")["challenge.json"] != before["challenge.json"]
    assert files(tmp_path / "out")["cases.jsonl"] == before["cases.jsonl"]


def test_another_command_or_grid_wants_another_folder(images: Path, tmp_path: Path) -> None:
    command = script(tmp_path / "m.py", BRIGHT) + " {image}"
    challenge(images, tmp_path / "out", "--model", command)
    with pytest.raises(UserError, match="results of another command; give a new folder"):
        challenge(images, tmp_path / "out", "--model", command + " --more")
    with pytest.raises(UserError, match=r"another places.*1 before, 2 now"):
        challenge(images, tmp_path / "out", "--model", command, "--places", 2)


BAD = """
import os, struct, sys, time
image, output, count = sys.argv[1:]
number = int(os.path.basename(image)[:6])
if number == 1: time.sleep(600)
if number == 2: os.kill(os.getpid(), 6)
if number == 3: print("rubbish")
elif number == 4: print("nan")
elif number == 5: print(7)
elif number == 6:
    data = bytearray(open(image, "rb").read())
    data[42:44] = struct.pack("<h", 39)  # one column less
    open(output + ".nii", "wb").write(data)
elif number == 7: sys.exit(4)
else: print(0.25)
open(count, "a").write("x")
"""


def test_whatever_a_model_does_is_a_row_and_ends_nothing(images: Path, tmp_path: Path) -> None:
    count = tmp_path / "asked"
    command = f"{script(tmp_path / 'm.py', BAD)} {{image}} {{output}} {count}"
    out = tmp_path / "out"
    assert challenge(images, out, "--model", command, "--seconds", 5) == 0
    ledger = rows(out, "ledger.csv")
    assert [row["reason"].removeprefix("model: ") for row in ledger] == [
        "no answer within 5 s",
        "killed by SIGABRT",
        "printed no number and wrote no output",
        "a score that is not a number (NaN)",
        "a score outside 0 to 1",
        "a mask of another shape than its image",
        "exit code 4",
    ]
    assert ledger[2]["said"] == "rubbish"
    assert len(rows(out, "scores.csv")) == CASES - 7
    asked = len(count.read_text())
    assert challenge(images, out, "--model", command) == 0
    assert len(count.read_text()) == asked  # failures are kept
    script(tmp_path / "m.py", BRIGHT)
    assert challenge(images, out, "--model", command, "--retry-failed") == 0
    assert rows(out, "ledger.csv") == []


def test_a_model_that_never_works_is_told_early_and_may_be_mended(images: Path, tmp_path: Path) -> None:
    count = tmp_path / "asked"
    command = f"{script(tmp_path / 'm.py', KILLED + 'sys.exit(9)')} {{image}} {count}"
    with pytest.raises(UserError, match="the first 8 cases all failed: model: exit code 9"):
        challenge(images, tmp_path / "out", "--model", command)
    assert len(count.read_text()) < CASES
    script(tmp_path / "m.py", KILLED)
    assert challenge(images, tmp_path / "out", "--model", command) == 0
    assert rows(tmp_path / "out", "ledger.csv") == []
    with pytest.raises(UserError, match="first 8"):
        challenge(images, tmp_path / "two", "--model", "false {image}")
    assert challenge(images, tmp_path / "two", "--model", command) == 0  # nothing was scored there


def test_where_nothing_can_be_scored_the_commonest_reason_is_said(images: Path, tmp_path: Path) -> None:
    text = "import sys; n = int(sys.argv[1][-10:-4]); sys.exit(3 if n % 3 else 5)"
    with pytest.raises(
        UserError, match="nothing could be scored; the commonest reason, 10 times: model: exit code 3"
    ):
        challenge(images, tmp_path / "out", "--model", script(tmp_path / "m.py", text) + " {image}")


SERVER = """
import json, os, sys, zlib
for line in sys.stdin:
    asked = json.loads(line)
    data = open(asked["image"], "rb").read()
    score = zlib.crc32(data) % 1000 / 1000
    if score > 0.8: os._exit(1)
    if score > 0.6:
        open(asked["output"] + ".json", "w").write(json.dumps({"score": score}))
        print("{}", flush=True)
    else: print(json.dumps({"score": score}), flush=True)
"""


def test_servers_give_the_same_bytes_however_many_there_are(images: Path, tmp_path: Path) -> None:
    command = script(tmp_path / "m.py", SERVER)
    challenge(images, tmp_path / "one", "--serve", command)
    challenge(images, tmp_path / "two", "--serve", command, "--parallel", 2)
    assert files(tmp_path / "one") == files(tmp_path / "two")
    assert 0 < len(rows(tmp_path / "one", "ledger.csv")) < CASES


MASK = """
import struct, sys
from array import array
data = bytearray(open(sys.argv[1], "rb").read())
hu = array("h", bytes(data[352:]))
found = bytes(int(45 < value < 100) for value in hu)
data[70:74] = struct.pack("<hh", 2, 8)
open(sys.argv[2], "wb").write(bytes(data[:352]) + found)
"""


def test_masks_find_lesions_and_raise_alarms(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = script(tmp_path / "m.py", MASK) + " {image} {output}.nii"
    assert challenge(images, out, "--model", command) == 0
    scores = rows(out, "scores.csv")
    assert {row["score"] for row in scores if row["label"] == "1"} == {"1"}
    assert {row["score"] for row in scores if row["label"] == "0"} == {"0"}
    found = json.loads((out / "challenge.json").read_text())
    assert [level["regions"] for level in found["levels"]] == [0, 0]
    assert [level["curves"][0]["bound"] for level in found["levels"]] == ["below", "below"]
    with pytest.raises(UserError, match="another threshold"):
        challenge(images, out, "--model", command, "--threshold", 0.4)


def test_what_the_model_is_given_names_no_patient(images: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    text = (
        f"import os, sys; print(os.environ, os.getcwd(), sys.argv, file=open({str(seen)!r}, 'a')); print(0.5)"
    )
    challenge(
        images, tmp_path / "out", "--model", script(tmp_path / "m.py", text) + " {image}", "--env", "A=b"
    )
    told = seen.read_text()
    assert "'A': 'b'" in told
    assert str(images) not in told
    assert "USER" not in told
    assert not [word for word in told.split("'") if word.startswith("e0")]


def test_exams_that_cannot_be_used_have_a_row(tmp_path: Path) -> None:
    images = folder(tmp_path / "images")
    image, mask = head(9)
    write_nifti(images / "stranger.nii.gz", image)
    write_nifti(images / "stranger_mask.nii.gz", mask)
    (images / "e1.nii.gz").write_bytes(b"no image")
    write_nifti(images / "e2_mask.nii.gz", mask.with_array(mask.array * 0))
    with (images / "exams.csv").open("a") as table:
        table.write("e77,p77,GE,3\n")
    out = tmp_path / "out"
    assert challenge(images, out, "--model", script(tmp_path / "m.py", BRIGHT) + " {image}") == 0
    reasons = {(row["exam"], row["reason"]) for row in rows(out, "ledger.csv")}
    assert reasons == {
        ("e77", "no image in the folder"),
        ("stranger", "not in the table of exams"),
        ("e1", "not a readable 3-D NIfTI image (ImageFileError)"),
        ("e2", "no brain found"),
    }


def test_the_lesion_is_in_the_image_and_nothing_else_is_changed(images: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    text = f"import shutil, sys; shutil.copy(sys.argv[1], {str(kept)!r}); print(0.5)"
    challenge(images, tmp_path / "out", "--model", script(tmp_path / "m.py", text) + " {image}")
    untouched, small, *_ = (read_nifti(path) for path in sorted(kept.iterdir()))
    original = read_nifti(images / "e0.nii.gz")
    assert (untouched.array == original.array).all()
    assert (untouched.affine == original.affine).all()
    added = small.array.astype(int) - original.array
    case = json.loads((tmp_path / "out" / "cases.jsonl").read_text().splitlines()[1])
    volume = added.sum() / 30 * small.voxel_ml * 1000
    assert volume == pytest.approx(4 / 3 * 3.14159 * 8**3, rel=0.05)
    voxels = np.argwhere(added)
    middle = np.average(voxels, axis=0, weights=added[tuple(voxels.T)])
    assert small.affine[:3, :3] @ middle + small.affine[:3, 3] == pytest.approx(case["centre_mm"], abs=1.0)
    assert case["lesion"] == {"place": 1, "radius_mm": 8.0, "hu": 30.0}


def test_two_at_once_into_one_folder_is_refused(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    with CaseLog(out), pytest.raises(UserError, match="another challenge is writing there"):
        challenge(images, out, "--model", script(tmp_path / "m.py", BRIGHT) + " {image}")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--threshold", "2"), "--threshold: expected 0 to 1"),
        (("--radii-mm", "0"), "--radii-mm"),
        (("--hu", "0"), "--hu"),
        (("--score-range", "1", "0"), "--score-range"),
        (("--score-range", "0", "100"), "--threshold: has to be said with another --score-range"),
        (("--factor", "scanner"), "no column scanner; there are age, exam, manufacturer, patient"),
        (("--env", "NO_SUCH_VARIABLE"), "no variable NO_SUCH_VARIABLE"),
        (("--env", "OMP_NUM_THREADS"), "OMP_NUM_THREADS is set by nameplate for itself"),
        (("--env", "OPENBLAS_L2_SIZE"), "OPENBLAS_L2_SIZE is set by nameplate for itself"),
        (("--parallel", "0"), "--parallel"),
    ],
)
def test_values_that_make_no_sense_are_one_line(
    images: Path, tmp_path: Path, words: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(UserError, match=expected):
        challenge(images, tmp_path / "out", "--model", f"{shlex.quote(sys.executable)} {{image}}", *words)


def test_stopped_by_a_signal_it_leaves_no_process_and_resumes(images: Path, tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    text = f"import os, time; open({str(pids)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(600)"
    command = script(tmp_path / "m.py", text) + " {image}"
    code = (
        "import sys; from pathlib import Path; from nameplate.service.main import exit_code_of;"
        "from tests.services.challenge.exams import challenge;"
        f"sys.exit(exit_code_of(lambda: challenge(Path({str(images)!r}), Path({str(tmp_path / 'out')!r}),"
        f" '--model', {command!r}, '--parallel', 2)))"
    )
    running = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    while not pids.is_file() or len(pids.read_text().split()) < 2:
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=30)
    assert (running.returncode, said) == (130, "nameplate: stopped\n")
    for pid in pids.read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_a_model_that_always_alarms_is_said_to_tell_nothing(
    images: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    always = script(tmp_path / "m.py", "print(0.9)")
    assert challenge(images, tmp_path / "out", "--model", always + " {image}") == 0
    assert "The model alarms in most untouched exams (GE 100 %, Siemens 100 %)" in capsys.readouterr().out
