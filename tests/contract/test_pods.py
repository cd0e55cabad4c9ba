"""The two runners agree: the pods of a cluster, here one process a pod, leave the local runner's bytes."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from outlined_cohort import outlined_campaign, write_outlined

from nameplate.job.committed import campaign_digest

pytestmark = pytest.mark.slow

POOLS = "- {name: default}\n"
MODEL = """
challenge:
  models:
    sum:
      serve: >-
        python3 -S -u -c "import json, sys, zlib;
        [print(zlib.crc32(open(json.loads(line)['image'], 'rb').read()) % 1000 / 1000) for line in sys.stdin]"
  grid: {radii_mm: [8.0, 16.0], hu: [30.0], places: 1}
  resamples: 100
"""


def _service(
    service: str, *arguments: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    code = f"import sys; from nameplate_{service}.cli import main; sys.exit(main())"
    ran = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, **environment},
    )
    assert not check or ran.returncode == 0, ran.stderr
    return ran


def _digests(store: Path) -> dict[str, str]:
    return {
        path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(store.rglob("*"))
        if path.is_file() and path.relative_to(store).parts[0] not in ("logs", "work")
    }


class Walk:
    """A campaign walked as the workflow walks it: plan, steps, arms, report."""

    def __init__(self, text: str, store: Path, scratch: Path) -> None:
        self.store, self.scratch = store, scratch
        campaigns = scratch / "campaigns"
        campaigns.mkdir(parents=True)
        (campaigns / "tiny.yaml").write_text(text)
        (scratch / "pools.yaml").write_text(POOLS)
        self.pods = 0
        self.out = scratch

    def ask(self, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """A plan that may fail."""
        self.out = self.scratch / f"plan-{self.pods}"
        self.pods += 1
        return _service(
            "cluster", "plan", "tiny", "--store", str(self.store), "--campaigns",
            str(self.scratch / "campaigns"), "--pools", str(self.scratch / "pools.yaml"), "--out",
            str(self.out), *more, check=False, **environment,
        )  # fmt: skip

    def plan(self, *more: str) -> dict[str, str]:
        ran = self.ask(*more)
        assert ran.returncode == 0, ran.stderr
        return {path.name: path.read_text() for path in self.out.iterdir()}

    def chunk(self, service: str, chunk: str, digest: str) -> None:
        self.pods += 1
        timing = self.scratch / "timing"
        _service(
            service, "chunk", chunk, "--store", str(self.store), "--digest", digest, "--timing", str(timing)
        )
        spent = {"start_s", "plan_s", "work_s", "commit_s"}
        written = json.loads(timing.read_text())
        assert set(written) == {*spent, "jobs", "outcome", "told"}
        # What Argo's controller counts: workflows/metrics.yaml asks for these by name.
        if chunk.startswith("training/"):
            assert written["told"]["trained"] == written["jobs"] >= written["told"]["converged"]
        else:
            may_tell = {"report": {"auroc_factor"}, "listing": {"studies", "files"}}
            step = next((step for step in may_tell if chunk.startswith(step)), "")
            assert set(written["told"]) <= may_tell.get(step, set())

    def arm(self, arm: str, digest: str) -> None:
        for iteration in range(10):
            out = self.scratch / "iteration"
            _service(
                "training", "arm", arm, "--store", str(self.store), "--digest", digest, "--iteration",
                str(iteration), "--out", str(out),
            )  # fmt: skip
            self.pods += 1
            for chunk in json.loads((out / "training").read_text()):
                self.chunk("training", chunk, digest)
            for chunk in json.loads((out / "prediction").read_text()):
                self.chunk("training", chunk, digest)
            if (out / "more").read_text() == "no":
                return
        raise AssertionError("the arm never ends")

    def everything(self) -> None:
        planned = self.plan()
        for step in ("phantom", "ingest"):
            for chunk in json.loads(planned[step]):
                self.chunk(step, chunk, planned["digest"])
        self.after_ingest(planned)

    def after_ingest(self, planned: Mapping[str, str]) -> None:
        """All that reads no file of a user's."""
        services = {"cohort": "synthesis", "pack": "synthesis"}
        for step in ("skullstrip", "cohort", "fingerprint", "synthesis", "pack"):
            for chunk in json.loads(planned[step]):
                self.chunk(services.get(step, step), chunk, planned["digest"])
        for arm in json.loads(planned["arms-default"]):
            self.arm(arm, planned["digest"])
        for step in ("challenge", "detection"):
            for chunk in json.loads(planned[step]):
                self.chunk("challenge", chunk, planned["digest"])
        for chunk in json.loads(planned["report"]):
            self.chunk("evaluation", chunk, planned["digest"])


@pytest.fixture(scope="module")
def tiny_text(tiny_text: str) -> str:
    """With a model of the user's own, so that no step is left out."""
    return tiny_text + MODEL


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory, tiny_text: str) -> Walk:
    folder = tmp_path_factory.mktemp("walked")
    walk = Walk(tiny_text, folder / "store", folder / "scratch")
    walk.everything()
    return walk


def test_the_pods_leave_the_bytes_that_the_local_runner_leaves(
    walked: Walk, tiny_text: str, tmp_path: Path
) -> None:
    campaign = tmp_path / "tiny.yaml"
    campaign.write_text(tiny_text)
    command = ["run", str(campaign), "--store", str(tmp_path / "local"), "--workers", "2"]
    subprocess.run([sys.executable, "-m", "nameplate_local", *command], check=True, capture_output=True)
    assert _digests(walked.store) == _digests(tmp_path / "local")


def test_a_second_plan_has_nothing_left(walked: Walk, tiny_text: str) -> None:
    planned = walked.plan()
    assert planned.pop("digest") == campaign_digest(tiny_text)
    assert set(planned.values()) == {"[]"}
    assert "arms-default" in planned


def test_what_was_lost_is_all_that_is_planned_again(walked: Walk) -> None:
    before = _digests(walked.store)
    run = walked.store / "models/spheres/study/easy/Siemens/g0/s000/weights.pt"
    run.unlink()
    planned = walked.plan()
    assert json.loads(planned["arms-default"]) == ["spheres/Siemens"]
    assert {name for name, text in planned.items() if text != "[]"} == {"digest", "arms-default", "report"}
    walked.arm("spheres/Siemens", planned["digest"])
    assert _digests(walked.store) == before


def test_one_step_alone_plans_that_step(walked: Walk, tmp_path: Path, tiny_text: str) -> None:
    fresh = Walk(tiny_text, tmp_path / "store", tmp_path / "scratch")
    planned = fresh.plan("--only", "phantom")
    assert json.loads(planned["phantom"]) == ["phantom/study/000+2"]
    assert {name for name, text in planned.items() if text != "[]"} == {"digest", "phantom"}
    again = walked.plan("--only", "training")
    assert set(again.values()) == {"[]", again["digest"]}


@pytest.mark.parametrize(
    ("only", "says"),
    [
        (
            "ingest",
            "ingest: phantom is not done for this campaign's file (phantom/study/000); submit phantom",
        ),
        (
            "training",
            "training: pack is not done for this campaign's file (pack/study/manufacturer/original)",
        ),
        ("report", "report: the training is not done for this campaign's file; submit training first"),
        ("nonsense", "only: expected one of phantom, listing, ingest, "),
    ],
)
def test_one_step_before_its_time_is_one_line(only: str, says: str, tmp_path: Path, tiny_text: str) -> None:
    fresh = Walk(tiny_text, tmp_path / "store", tmp_path / "scratch")
    ran = fresh.ask("--only", only)
    assert ran.returncode == 2
    assert says in ran.stderr


def test_one_step_on_what_another_file_has_left_is_refused(
    walked: Walk, tmp_path: Path, tiny_text: str
) -> None:
    """Pods trust what is committed: the plan must not send them onto data of other settings."""
    changed = Walk(tiny_text.replace("seed: 7", "seed: 8"), walked.store, tmp_path / "scratch")
    ran = changed.ask("--only", "training", NAMEPLATE_CAMPAIGN=tiny_text.replace("seed: 7", "seed: 8"))
    assert ran.returncode == 2
    assert "training: pack is not done for this campaign's file" in ran.stderr
    walked.ask(NAMEPLATE_CAMPAIGN=tiny_text)


def test_a_damaged_object_is_made_again_by_the_next_run(tmp_path: Path, tiny_text: str) -> None:
    walk = Walk(tiny_text, tmp_path / "store", tmp_path / "scratch")
    digest = walk.plan("--only", "phantom")["digest"]
    walk.chunk("phantom", "phantom/study/000+1", digest)
    archive = walk.store / "cohorts/study/dicom/000.tar"
    good = archive.read_bytes()
    archive.write_bytes(bytes(len(good)))
    ran = _service(
        "ingest", "chunk", "ingest/study/000+1", "--store", str(walk.store), "--digest", digest, check=False
    )
    assert ran.returncode == 2
    assert "is not what was committed" in ran.stderr
    assert json.loads(walk.plan("--only", "phantom")["phantom"]) == ["phantom/study/000+2"]
    walk.chunk("phantom", "phantom/study/000+1", digest)
    assert archive.read_bytes() == good


def test_a_mistyped_name_leaves_nothing_behind(tmp_path: Path, tiny_text: str) -> None:
    walk = Walk(tiny_text, tmp_path / "store", tmp_path / "scratch")
    (walk.scratch / "campaigns" / "tiny.yaml").rename(walk.scratch / "campaigns" / "tinny.yaml")
    ran = walk.ask()
    assert ran.returncode == 2
    assert "no campaign 'tiny'" in ran.stderr
    assert "installed: tinny" in ran.stderr
    assert not walk.store.exists()


def test_a_campaign_that_has_changed_since_it_was_planned_is_refused(walked: Walk) -> None:
    ran = _service(
        "phantom",
        "chunk",
        "phantom/study/000+1",
        "--store",
        str(walked.store),
        "--digest",
        "0" * 64,
        check=False,
    )
    assert ran.returncode == 2
    assert "has changed since this run was planned; submit the campaign again" in ran.stderr


def test_a_chunk_of_another_service_is_refused(walked: Walk) -> None:
    ran = _service("ingest", "chunk", "phantom/study/000+1", "--store", str(walked.store), check=False)
    assert ran.returncode == 2
    assert "belongs to the service phantom, not ingest" in ran.stderr


def test_a_job_before_what_it_needs_is_tried_again_not_failed(tiny_text: str, tmp_path: Path) -> None:
    """Another copy of the job that it needs may just be writing it again."""
    walk = Walk(tiny_text, tmp_path / "store", tmp_path / "scratch")
    planned = walk.plan()
    ran = _service(
        "ingest", "chunk", "ingest/study/000+2", "--store", str(walk.store), "--digest", planned["digest"],
        check=False,
    )  # fmt: skip
    assert ran.returncode == 75
    assert "phantom/study/000: not done yet, but needed" in ran.stderr


def test_a_chunk_that_is_asked_to_end_ends_between_its_jobs_and_resumes_later(
    tiny_text: str, tmp_path: Path
) -> None:
    walk = Walk(tiny_text, tmp_path / "store", tmp_path / "scratch")
    digest = walk.plan()["digest"]
    code = "import sys; from nameplate_phantom.cli import main; sys.exit(main())"
    arguments = ["chunk", "phantom/study/000+2", "--store", str(walk.store), "--digest", digest]
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if '"start"' in line:
                break
        os.kill(process.pid, signal.SIGTERM)
        rest = process.stderr.read()
    assert process.returncode == 75, rest
    assert "asked to stop before phantom/study/001; the jobs before it are committed" in rest
    assert json.loads(walk.plan()["phantom"]) == ["phantom/study/001+1"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("seed: 7", "seed: x", "seed: "),
        ("name: tiny", "name: other", "the file of campaign tiny names itself 'other'"),
        ("  study:\n", "  study:\n    nonsense: 1\n", "cohorts.study.nonsense: unknown key"),
    ],
)
def test_a_wrong_campaign_file_is_one_line_before_anything_is_written(
    old: str, new: str, expected: str, tiny_text: str, tmp_path: Path
) -> None:
    walk = Walk(tiny_text.replace(old, new, 1), tmp_path / "store", tmp_path / "scratch")
    ran = walk.ask()
    assert ran.returncode == 2
    assert expected in ran.stderr
    assert not walk.out.exists()
    assert not walk.store.exists()


def test_pods_read_a_folder_and_its_masks_and_leave_the_same_bytes(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the plan, the listing and the ingest get the key and may see the folders, as in the chart."""
    outlined = write_outlined(tmp_path)
    text = yaml.safe_dump(outlined_campaign(tiny_text, outlined))
    key = {"NAMEPLATE_KEY": "a key for these tests"}
    walk = Walk(text, tmp_path / "store", tmp_path / "scratch")
    ran = walk.ask(**key)
    assert ran.returncode == 0, ran.stderr
    planned = {path.name: path.read_text() for path in walk.out.iterdir()}
    monkeypatch.setenv("NAMEPLATE_KEY", key["NAMEPLATE_KEY"])
    for step in ("listing", "ingest"):  # one service, two steps
        for chunk in json.loads(planned[step]):
            walk.chunk("ingest", chunk, planned["digest"])
    monkeypatch.delenv("NAMEPLATE_KEY")
    hidden = tmp_path / "not mounted"
    hidden.mkdir()
    for folder in (outlined.dicom, outlined.masks):
        folder.rename(hidden / folder.name)
    walk.after_ingest(planned)
    for folder in (outlined.dicom, outlined.masks):
        (hidden / folder.name).rename(folder)
    assert list((walk.store / "cohorts/study/targets").glob("*.nii.gz"))
    campaign = tmp_path / "tiny.yaml"
    campaign.write_text(text)
    command = ["run", str(campaign), "--store", str(tmp_path / "local"), "--workers", "2"]
    subprocess.run(
        [sys.executable, "-m", "nameplate_local", *command],
        check=True,
        capture_output=True,
        env={**os.environ, **key},
    )
    assert _digests(walk.store) == _digests(tmp_path / "local")
