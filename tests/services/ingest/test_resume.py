"""Ingests that are stopped in every way, and go on: the end is that of a run that nothing stopped."""

import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import TryAgain, UserError
from nameplate.records import from_jsonl
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate_ingest.ingest import IngestSummary, ingest_folder

KEY = b"a key for these tests"
SMALL = IngestSettings(matrix=64)
STUDIES = 4
COMMAND = "import sys; from nameplate_ingest.cli import main; sys.exit(main())"
KILLED_AFTER_TWO = """
import multiprocessing, os, sys
from pathlib import Path
from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.ingest import ingest_folder

def progress(done, total):
    if done == 2:
        print(*(process.pid for process in multiprocessing.active_children()), flush=True)
        os.kill(os.getpid(), 9)

source, out, workers = sys.argv[1:]
ingest_folder(
    Path(source), Path(out), IngestSettings(matrix=64), key=b"a key for these tests", workers=int(workers),
    progress=progress, resumable=True,
)
"""
DEADLY = """
import os, sys

class Deadly:
    \"\"\"Once the module that ingests a study is there, one of the studies kills its process.\"\"\"

    def find_spec(self, name, path=None, target=None):
        if name == "nameplate_ingest.conversion" and self in sys.meta_path:
            sys.meta_path.remove(self)
            import nameplate_ingest.study as study
            real = study.ingest_study

            def ingest_study(slices, *rest, **options):
                if slices[0].study == os.environ["DEADLY_STUDY"]:
                    os.kill(os.getpid(), 9)
                return real(slices, *rest, **options)

            study.ingest_study = ingest_study
        return None

sys.meta_path.insert(0, Deadly())
"""


def run(source: Path, out: Path, settings: IngestSettings = SMALL, **options: Any) -> IngestSummary:
    return ingest_folder(source, out, settings, key=KEY, **{"resumable": True, **options})


def outputs(out: Path) -> dict[str, bytes]:
    """Every file of the output, the journal included."""
    files = sorted(path for path in out.rglob("*") if path.is_file())
    return {str(path.relative_to(out)): path.read_bytes() for path in files}


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "NAMEPLATE_KEY": KEY.decode(), **more}


def command(source: Path, out: Path, *words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """The command as a whole process."""
    line = [sys.executable, "-c", COMMAND, str(source), "--out", str(out), "--matrix", "64", *words]
    return subprocess.run(
        line, capture_output=True, text=True, timeout=60, **{"env": environment(), **options}
    )


def ledger(out: Path) -> list[LedgerRow]:
    return from_jsonl(LedgerRow, (out / "ledger.jsonl").read_bytes())


@pytest.fixture
def source(folder: Any, make_series: Any) -> Path:
    """Some studies and a stray file."""
    for number in range(STUDIES):
        folder.add(*make_series(study=f"1.2.3.{number}", series=f"1.2.3.{number}.1"))
    path: Path = folder.add_bytes(b"notes", "notes.txt").path
    return path


@pytest.fixture
def whole(source: Path, tmp_path: Path) -> dict[str, bytes]:
    """What a run that nothing stopped writes."""
    assert run(source, tmp_path / "whole").studies == STUDIES
    return outputs(tmp_path / "whole")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_killed_in_the_middle_it_leaves_no_process_and_goes_on(
    source: Path, tmp_path: Path, whole: dict[str, bytes], workers: str
) -> None:
    out = tmp_path / "out"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_AFTER_TWO, str(source), str(out), workers],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    children = [int(word) for word in killed.stdout.split()]
    assert len(children) == (int(workers) if workers != "1" else 0)
    end = time.monotonic() + 60
    while any(_is_running(child) for child in children):
        assert time.monotonic() < end, "a worker outlives its parent"
        time.sleep(0.02)
    assert not (out / "exams.jsonl").exists()
    for name, data in outputs(out).items():
        if name.startswith("images/"):
            assert data == whole[name]
    summary = run(source, out)
    assert summary.studies == STUDIES
    assert summary.earlier >= 1
    assert outputs(out) == whole


def _is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_by_a_signal_it_says_so_and_leaves_nothing_half_written(
    source: Path, tmp_path: Path, how: signal.Signals
) -> None:
    out = tmp_path / "out"
    words = [str(source), "--out", str(out), "--matrix", "256", "--workers", "2"]
    journal = out / ".ingest" / "journal.jsonl"
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    ) as process:
        while process.poll() is None and not (journal.exists() and journal.stat().st_size):
            time.sleep(0.002)
        os.killpg(process.pid, how)
        printed, errors = process.communicate()
    assert (process.returncode, printed) == (130, "")
    assert errors == "nameplate: stopped; the same command goes on from here\n"
    assert [name for name in outputs(out) if name.endswith(".part")] == []


def test_every_place_at_which_the_journal_can_end_gives_the_same_bytes(
    source: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(tmp_path / "whole", out)
    journal = out / ".ingest" / "journal.jsonl"
    data = journal.read_bytes()
    (out / ".ingest" / "e0123456789abcdef.nii.gz.part").write_bytes(b"half")
    for cut in (0, 1, data.index(b"\n"), data.index(b"\n") + 1, len(data) // 2, len(data) - 1):
        journal.write_bytes(data[:cut])
        assert run(source, out).earlier == data[:cut].count(b"\n")
        assert outputs(out) == whole


def test_a_finished_ingest_says_that_there_is_nothing_to_do(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = command(source, out)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.gz")}
    again = command(source, out)
    assert (first.returncode, again.returncode) == (0, 0)
    head, *rest = again.stdout.splitlines()
    assert head == "nothing to do: every study was done earlier, and no file has changed since"
    assert rest == first.stdout.splitlines()
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.gz")} == before


def test_new_and_changed_studies_are_noticed(
    source: Path, tmp_path: Path, folder: Any, make_series: Any
) -> None:
    out = tmp_path / "out"
    run(source, out)
    folder.add(*make_series(study="1.2.3.8", series="1.2.3.8.1"))
    folder.add(*make_series(study="1.2.3.0", series="1.2.3.0.2", Modality="MR", count=2))
    folder.add_bytes(b"more notes", "more.txt")
    summary = run(source, out)
    assert (summary.studies, summary.earlier) == (STUDIES + 1, STUDIES - 1)
    run(source, tmp_path / "fresh")
    assert outputs(out) == outputs(tmp_path / "fresh")


def test_an_image_that_was_damaged_or_deleted_is_written_again(
    source: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    first, second, *_ = sorted((tmp_path / "whole" / "images").iterdir())
    first.write_bytes(first.read_bytes()[:-1])
    second.unlink()
    assert run(source, tmp_path / "whole").earlier == STUDIES - 2
    assert outputs(tmp_path / "whole") == whole


def test_a_study_that_is_refused_now_loses_its_image(
    source: Path, tmp_path: Path, folder: Any, make_series: Any
) -> None:
    out = tmp_path / "out"
    assert run(source, out).exams == STUDIES
    folder.add(*make_series(study="1.2.3.0", series="1.2.3.0.7", PatientID="SOMEONE-ELSE"))
    summary = run(source, out)
    assert len(list((out / "images").iterdir())) == summary.exams == STUDIES - 1


def test_the_list_of_manufacturers_counts_for_the_studies_that_it_names(source: Path, tmp_path: Path) -> None:
    run(source, tmp_path / "out")
    summary = run(source, tmp_path / "out", manufacturers={"1.2.3.1": "GE", "nobody": "GE"})
    assert (summary.earlier, summary.refusals) == (STUDIES - 1, (("manufacturer", 1), ("not-dicom", 1)))


def test_a_changed_column_counts_for_its_study_alone(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    table = {"1.2.3.1": {"site": "A"}, "nobody": {"site": "B"}}
    assert run(source, out, fields=table).earlier == 0
    assert run(source, out, fields={**table, "nobody": {"site": "C"}}).earlier == STUDIES
    assert run(source, out, fields={"1.2.3.1": {"site": "B"}}).earlier == STUDIES - 1
    rows = from_jsonl(Exam, (out / "exams.jsonl").read_bytes())
    assert sorted(row.fields.get("site", "") for row in rows) == [*("" for _ in rows[1:]), "B"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"settings": IngestSettings(matrix=96)}, r"with other settings \(matrix\)"),
        ({"key": b"another key, as long"}, "under another key"),
        ({"source": "other"}, "of another source folder"),
    ],
)
def test_another_ingest_is_refused(source: Path, tmp_path: Path, change: dict[str, Any], why: str) -> None:
    out = tmp_path / "out"
    run(source, out)
    before = outputs(out)
    given: dict[str, Any] = {"source": source, "settings": SMALL, "key": KEY, **change}
    if change.get("source"):
        given["source"] = shutil.copytree(source, tmp_path / "other")
    with pytest.raises(UserError, match=why) as caught:
        ingest_folder(given["source"], out, given["settings"], key=given["key"], resumable=True)
    assert str(caught.value).startswith(f"{out}: holds an ingest ")
    assert outputs(out) == before


def test_another_version_is_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(source, out)
    record = out / ".ingest" / "run.json"
    told = json.loads(record.read_text())
    record.write_text(json.dumps({**told, "version": "0.0.1, ingest 1"}))
    with pytest.raises(UserError, match=r"of another version of nameplate \(0.0.1, ingest 1; this is"):
        run(source, out)


def test_a_folder_that_no_ingest_made_is_refused(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="not an empty folder"):
        run(source, out)
    with pytest.raises(UserError, match="not a folder"):
        run(source, out / "thesis.txt")
    assert outputs(out) == {"thesis.txt": b"mine"}


def test_studies_that_are_gone_from_the_source_are_not_thrown_away(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(source, out)
    before = outputs(out)
    for path in sorted(source.iterdir())[:30]:
        path.unlink()
    with pytest.raises(UserError, match="holds 1 studies that are no longer in the source"):
        run(source, out)
    assert outputs(out) == before


def test_two_at_once_do_not_write_to_one_folder(source: Path, tmp_path: Path) -> None:
    refused: list[str] = []

    def second(done: int, total: int) -> None:
        with pytest.raises(UserError) as caught:
            run(source, tmp_path / "out")
        refused.append(str(caught.value))

    assert run(source, tmp_path / "out", progress=second).exams == STUDIES
    assert refused == [f"{tmp_path / 'out'}: another ingest is writing to it now"] * STUDIES


def test_a_worker_that_is_killed_costs_nothing(source: Path, tmp_path: Path, whole: dict[str, bytes]) -> None:
    def kill(done: int, total: int) -> None:
        if done == 1:
            for process in multiprocessing.active_children():
                process.kill()

    assert run(source, tmp_path / "out", workers=2, progress=kill).exams == STUDIES
    assert outputs(tmp_path / "out") == whole


@pytest.fixture
def deadly(tmp_path: Path) -> dict[str, str]:
    """An environment in which one study kills every process that converts it."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(DEADLY)
    paths = (str(tmp_path / "site"), os.environ.get("PYTHONPATH", ""))
    return environment(PYTHONPATH=os.pathsep.join(filter(None, paths)), DEADLY_STUDY="1.2.3.2")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_study_that_kills_its_process_costs_its_exam_only(
    source: Path, tmp_path: Path, whole: dict[str, bytes], deadly: dict[str, str], workers: str
) -> None:
    out = tmp_path / "out"
    done = command(source, out, "--workers", workers, env=deadly)
    if workers == "1":
        # There is no other process that could live on; but the same command does not fall twice.
        assert done.returncode == -signal.SIGKILL
        done = command(source, out, "--workers", workers, env=deadly)
    assert done.returncode == 0
    assert f"exams written: {STUDIES - 1} of {STUDIES} studies" in done.stdout
    assert [(row.seen, row.files) for row in ledger(out) if row.rule == "error"] == [("the worker died", 30)]
    # An error is no verdict on the study: it is tried again, here without what killed it.
    assert run(source, out).exams == STUDIES
    assert outputs(out) == whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for less than the images."""
    place = tmp_path / "disk"
    place.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_full_disk_is_75_and_with_more_room_the_same_command_goes_on(
    source: Path, small_disk: Path, whole: dict[str, bytes], workers: str
) -> None:
    out = small_disk / "out"
    (small_disk / "other").write_bytes(b"\0" * 40960)
    full = command(source, out, "--workers", workers)
    assert (full.returncode, full.stdout) == (75, "")
    told = (
        f"nameplate: {out}: no room left (No space left on device); free some, and run the same command again"
    )
    assert full.stderr.splitlines() == [told]
    for name, data in outputs(out).items():
        assert name.startswith(".ingest/") or data == whole[name]
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert run(source, out).exams == STUDIES
    assert outputs(out) == whole


@pytest.mark.parametrize("largest", [".ingest/run.json", ".ingest/journal.jsonl", "images", "ledger.jsonl"])
def test_wherever_the_room_ends_nothing_half_written_is_left(
    source: Path, tmp_path: Path, whole: dict[str, bytes], largest: str
) -> None:
    """The system's limit on a file's size stands in for a full disk: it ends a write in the same way."""
    out = tmp_path / "out"
    room = min(len(data) for name, data in whole.items() if name.startswith(largest)) - 7
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}));" + COMMAND
    line = [sys.executable, "-c", limited, str(source), "--out", str(out), "--matrix", "64"]
    full = subprocess.run(line, capture_output=True, text=True, timeout=60, env=environment(), check=False)
    assert full.returncode == 75
    assert full.stderr.startswith(f"nameplate: {out}: no room left (File too large)")
    for name, data in outputs(out).items():
        assert name.startswith(".ingest/") or data == whole[name]
    assert run(source, out).exams == STUDIES
    assert outputs(out) == whole


def test_without_a_journal_nothing_is_left_of_it(
    source: Path, tmp_path: Path, whole: dict[str, bytes]
) -> None:
    run(source, tmp_path / "out", resumable=False)
    public = {name: data for name, data in whole.items() if not name.startswith(".ingest")}
    assert outputs(tmp_path / "out") == public
    assert not (tmp_path / "out" / ".ingest").exists()


def test_the_journal_tells_nothing_of_the_source(source: Path, whole: dict[str, bytes]) -> None:
    told = b"".join(data for name, data in whole.items() if name.startswith(".ingest")).lower()
    assert b'"study"' in told
    for secret in ("zebulonius", "patientkey", "20190304", "1.2.3.", "nowhere", str(source), "notes"):
        assert secret.encode() not in told


def test_a_limit_of_the_system_is_told_from_a_place_that_may_not_be_written(
    source: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be written") as caught:
        run(source, tmp_path / "file" / "out")
    assert not isinstance(caught.value, TryAgain)
