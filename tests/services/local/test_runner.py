"""The local runner, on a real campaign: done once, done after being killed, done again on S3."""

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
import yaml

from nameplate.plan.pipeline import STEPS
from nameplate.store import open_store

RunCommand = Callable[..., list[str]]
RunCampaign = Callable[..., subprocess.CompletedProcess[str]]
DigestsOf = Callable[[Path], dict[str, str]]
Done = tuple[Path, Path, str]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, tiny_text: str, run_campaign: RunCampaign) -> Done:
    """A finished campaign: its file, its store, and what the run printed."""
    folder = tmp_path_factory.mktemp("campaign")
    campaign = folder / "tiny.yaml"
    campaign.write_text(tiny_text)
    ran = run_campaign(campaign, folder / "store")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return campaign, folder / "store", ran.stdout


def test_every_step_has_committed_and_the_report_is_there(done: Done) -> None:
    _, store, printed = done
    steps = {
        path.relative_to(store / "jobs").parts[0].removesuffix(".json")
        for path in store.glob("jobs/**/*.json")
    }
    # No model of the user's is in this campaign, and its exams are simulated.
    assert steps == {step.name for step in STEPS if step.service != "challenge"} - {"listing"}
    assert (store / "report" / "index.html").stat().st_size > 10_000
    assert json.loads((store / "report" / "metrics.json").read_text())
    assert printed.splitlines()[-1] == f"report: {store}/report/index.html"


def test_a_cell_that_does_not_converge_gets_another_round_up_to_its_limit(done: Done) -> None:
    _, store, _ = done
    rounds = sorted((store / "models/spheres/study/hard/mixed/g0").glob("selection-*.json"))
    first, last = (json.loads(path.read_text()) for path in rounds)
    assert (first["next_seeds"], first["finished"]) == ([1], "no")
    assert (last["trained"], last["kept"], last["finished"]) == (2, [], "limit")


def test_no_name_of_a_patient_leaves_the_ingest(done: Done) -> None:
    _, store, _ = done
    with tarfile.open(store / "cohorts/study/dicom/000.tar") as tar:
        member = next(entry for entry in tar if entry.isfile())
        file = tar.extractfile(member)
        assert file is not None
        source = pydicom.dcmread(file)
    secrets = {
        str(source.PatientName),
        str(source.PatientID),
        str(source.StudyInstanceUID),
        str(source.StudyDate),
    }
    assert all(len(secret) >= 6 for secret in secrets)
    for path in store.rglob("*"):
        if path.is_file() and "dicom" not in path.parts and path.suffix != ".npy":
            content = path.read_bytes()
            for secret in secrets:
                assert secret.encode() not in content, path
            assert not any(secret in path.name for secret in secrets)


def test_the_report_command_makes_the_very_same_report(done: Done, tmp_path: Path) -> None:
    campaign, store, _ = done
    command = ["report", str(campaign), "--store", str(store), "--out", str(tmp_path / "report")]
    subprocess.run([sys.executable, "-m", "nameplate_local", *command], check=True, capture_output=True)
    for path in sorted((store / "report").rglob("*")):
        if path.is_file():
            again = tmp_path / "report" / path.relative_to(store / "report")
            assert again.read_bytes() == path.read_bytes(), path


def test_a_second_run_deletes_what_a_kill_left_half_written_and_does_nothing_else(
    done: Done, run_campaign: RunCampaign, digests_of: DigestsOf
) -> None:
    campaign, store, _ = done
    before = digests_of(store)
    weights = next((store / "models").rglob("weights.pt"))
    weights.with_name(".tmp-51109d3ad0b2-weights.pt").write_bytes(b"half")
    ran = run_campaign(campaign, store)
    assert ran.returncode == 0
    assert ran.stdout.startswith("nothing to do: all ")
    assert digests_of(store) == before


def test_a_lost_output_is_made_again_with_the_same_bytes(
    done: Done, run_campaign: RunCampaign, digests_of: DigestsOf
) -> None:
    campaign, store, _ = done
    before = digests_of(store)
    (store / "packs/study/spheres/easy/images.npy").unlink()
    ran = run_campaign(campaign, store)
    assert ran.returncode == 0
    assert ran.stdout.splitlines()[-2].startswith("1 jobs done, ")
    assert digests_of(store) == before


@pytest.mark.slow
def test_killed_at_any_point_it_ends_in_the_same_bytes(
    done: Done, tmp_path: Path, run_command: RunCommand, run_campaign: RunCampaign, digests_of: DigestsOf
) -> None:
    campaign, store, _ = done
    again = tmp_path / "again"
    lengths = random.Random(5)
    for _ in range(4):
        process = subprocess.Popen(
            run_command(campaign, again), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            process.wait(lengths.uniform(4, 14))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        # The workers notice at once that the runner is gone; the lock is theirs to no one.
        time.sleep(0.5)
    ran = run_campaign(campaign, again)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert digests_of(again) == digests_of(store)


@pytest.mark.slow
def test_a_worker_that_dies_costs_nothing(
    done: Done, tmp_path: Path, run_command: RunCommand, digests_of: DigestsOf
) -> None:
    """Both workers are killed once, wherever they are: the run goes on with new ones."""
    campaign, store, _ = done
    again = tmp_path / "again"
    process = subprocess.Popen(run_command(campaign, again), stdout=subprocess.PIPE, text=True)
    time.sleep(9)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    spawned = [c for c in children if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]
    for child in spawned:
        os.kill(int(child), signal.SIGKILL)
    printed, _ = process.communicate(timeout=300)
    assert spawned
    assert process.returncode == 0, printed
    assert digests_of(again) == digests_of(store)


@pytest.mark.slow
def test_a_stopped_run_says_how_to_go_on(done: Done, tmp_path: Path, run_command: RunCommand) -> None:
    campaign, _, _ = done
    process = subprocess.Popen(
        run_command(campaign, tmp_path / "stopped"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    time.sleep(5)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed.splitlines()[-1] == "stopped; the same command resumes from here"


@pytest.mark.slow
@pytest.mark.s3
def test_the_same_campaign_on_s3_gives_the_same_bytes(
    done: Done, s3_account: "object", tmp_path: Path, run_campaign: RunCampaign, digests_of: DigestsOf
) -> None:
    campaign, store, _ = done
    ran = run_campaign(campaign, "s3://bias/tiny", "--logs", str(tmp_path / "logs"))
    assert ran.returncode == 0, ran.stdout + ran.stderr
    remote = open_store("s3://bias/tiny")
    keys = [key for key in remote.sizes("") if not key.startswith("work/")]
    found = {key: hashlib.sha256(remote.get(key)).hexdigest() for key in keys}
    assert found == digests_of(store)


def test_another_campaign_in_the_same_store_is_refused(
    done: Done, tmp_path: Path, run_campaign: RunCampaign
) -> None:
    campaign, store, _ = done
    other = tmp_path / "other.yaml"
    other.write_text(campaign.read_text().replace("name: tiny", "name: other", 1))
    ran = run_campaign(other, store)
    assert (ran.returncode, ran.stderr) == (
        2,
        f"nameplate: {store}: holds the campaign 'tiny', not 'other'\n",
    )


@pytest.mark.slow
def test_a_failed_job_is_named_with_its_log_and_independent_jobs_go_on(
    done: Done, tmp_path: Path, run_campaign: RunCampaign
) -> None:
    """A second cohort has exams of one maker only: it fails, the first cohort's jobs are all done."""
    campaign, _, _ = done
    raw = yaml.safe_load(campaign.read_text())
    one = json.loads(json.dumps(raw["cohorts"]["study"]))
    one["phantom"].update(manufacturers=["GE"], exams=6)
    raw["cohorts"] = {"lonely": one, **raw["cohorts"]}
    raw["experiments"] = raw["experiments"][:1]
    raw["experiments"][0]["cohorts"] = ["lonely", "study"]
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(raw))
    ran = run_campaign(path, tmp_path / "store")
    assert ran.returncode == 2, ran.stdout + ran.stderr
    assert "failed: cohort/lonely: " in ran.stdout
    assert "GE" in ran.stdout.split("failed: cohort/lonely: ")[1].splitlines()[0]
    log = tmp_path / "store" / "logs" / "cohort" / "lonely.log"
    assert f"log: {log}" in ran.stdout
    assert json.loads(log.read_text().splitlines()[-1])["event"] == "failed"
    assert (tmp_path / "store" / "jobs/prediction/manufacturer/study/original/mixed/g0.json").exists()
