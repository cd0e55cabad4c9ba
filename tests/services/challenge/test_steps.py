"""The steps ``challenge`` and ``detection`` on a committed shard, with models that run for real."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.services.challenge.exams import BRIGHT, head, script

from nameplate.campaign.challenge import GridSettings, ModelSettings
from nameplate.errors import TryAgain, UserError
from nameplate.image.volume import nifti_bytes
from nameplate.job.inputs import Committed, Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result
from nameplate.steps.challenge import OUTCOMES, UNREAD, ChallengeJob, Outcome
from nameplate.steps.cohort import MEMBERS, Member
from nameplate.steps.detection import DETECTION, KEPT, SHOWN, DetectionJob
from nameplate.steps.ingest import EXAMS, IMAGE, Exam
from nameplate.steps.skullstrip import MASK
from nameplate.store import open_store
from nameplate_challenge.challenge_step import challenge
from nameplate_challenge.detection_step import detection

GRID = GridSettings(radii_mm=(8.0, 16.0, 24.0), hu=(30.0,), places=1)


class Site:
    """A store with one ingested shard: e0 to e3 are members, e4 is none, e5 is of another shard."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, open_store(str(folder / "store"))
        self.results: dict[str, Result] = {}
        self.run("earlier", self._earlier)

    def _earlier(self, outputs: Outputs) -> None:
        for number in range(6):
            image, mask = head(number)
            outputs.write(IMAGE.key(cohort="study", exam=f"e{number}"), nifti_bytes(image))
            outputs.write(MASK.key(cohort="study", exam=f"e{number}"), nifti_bytes(mask))
        EXAMS.write(outputs, [_exam(f"e{number}") for number in range(5)], cohort="study", shard=0)
        EXAMS.write(outputs, [_exam("e5")], cohort="study", shard=1)
        MEMBERS.write(outputs, [_member(number) for number in (0, 1, 2, 3, 5)], cohort="study")

    def run(
        self, job: str, work: Callable[[Outputs], None], should_stop: Callable[[], bool] = lambda: False
    ) -> None:
        scratch = self.folder / f"scratch-{len(list(self.folder.iterdir()))}"
        scratch.mkdir()
        outputs = Outputs(job, self.store, scratch, should_stop)
        work(outputs)
        self.results[job] = Result(job=job, digest="d", code="0", outputs=outputs.written)

    @property
    def committed(self) -> Committed:
        return Committed(self.store, self.results)

    def challenge(
        self, given: ModelSettings, should_stop: Callable[[], bool] = lambda: False
    ) -> list[Outcome]:
        job = ChallengeJob(cohort="study", model="acme", shard=0, seed=3, grid=GRID, given=given)
        inputs = Inputs(self.store, self.results, None, self.folder)
        self.run("challenge", lambda outputs: challenge(job, inputs, outputs), should_stop)
        return OUTCOMES.read(self.committed, cohort="study", model="acme", shard=0)

    def detection(self, given: ModelSettings) -> None:
        job = DetectionJob(
            cohort="study", model="acme", seed=3, factor="manufacturer", grid=GRID, given=given,
            sensitivity=0.9, confidence=0.95, resamples=100,
        )  # fmt: skip
        inputs = Inputs(self.store, self.results, None, self.folder)
        self.run("detection", lambda outputs: detection(job, inputs, outputs))


def _exam(name: str) -> Exam:
    return Exam(
        exam=name, patient="p", image="", manufacturer="GE", model="", software="", kernel="",
        institution="", age=None, sex=None, kvp=None, exposure_mas=None, thickness_mm=5.0,
        gaps_mm=(5.0,), pixel_mm=2.5, tilt_degrees=0.0, source_slices=16, slices=16,
    )  # fmt: skip


def _member(number: int) -> Member:
    level = ("GE", "Siemens")[number % 2]
    return Member(
        exam=f"e{number}", patient=f"p{number}", level=level, split="test", age=None, sex=None,
        positive=False, rank=0.5,
    )  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def model(site: Site, text: str, **more: Any) -> ModelSettings:
    command = script(site.folder / "model.py", text)
    return ModelSettings(command=f"{command} {{image}}", version="2", **more)


def test_the_members_of_the_shard_are_challenged(site: Site) -> None:
    given = model(site, BRIGHT)
    rows = site.challenge(given)
    assert [row.exam for row in rows] == [f"e{number}" for number in range(4) for _ in range(4)]
    assert {(row.exam, row.patient, row.level) for row in rows} == {
        (f"e{number}", f"p{number}", ("GE", "Siemens")[number % 2]) for number in range(4)
    }
    assert all(row.score is not None for row in rows)
    assert UNREAD.read(site.committed, cohort="study", model="acme", shard=0) == []

    site.detection(given)
    (shown,) = DETECTION.read_all(site.committed)
    assert (shown.model, shown.version, shown.cohort) == ("acme", "2", "study")
    assert "4 exams by manufacturer, 16 cases: radius 8 16 24 mm, 30 HU added, 1 place," in shown.asked
    assert [(row.level, row.contrast, row.failed) for row in shown.rows] == [
        ("GE", "+30 HU", "0 of 8"),
        ("Siemens", "+30 HU", "0 of 8"),
    ]
    assert {gap.between for gap in shown.gaps} == {"Siemens - GE"}
    files = {SHOWN.fields(key)["file"] for key in SHOWN.keys(site.committed)}
    assert files == {"challenge.json", "detection.csv", "index.html"}
    figures = json.loads(site.committed.read(SHOWN.key(cohort="study", model="acme", file="challenge.json")))
    assert [level["exams"] for level in figures["levels"]] == [2, 2]
    scores = site.committed.read(KEPT.key(cohort="study", model="acme", file="scores.csv")).decode()
    assert len(scores.splitlines()) == 17


def test_the_same_model_gives_the_same_bytes(site: Site, tmp_path: Path) -> None:
    given = model(site, BRIGHT)
    site.challenge(given)
    first = site.results["challenge"].outputs
    (tmp_path / "other").mkdir()
    other = Site(tmp_path / "other")
    other.challenge(given)
    assert other.results["challenge"].outputs == first


def test_one_that_is_stopped_goes_on_where_it_was(site: Site, tmp_path: Path) -> None:
    log = tmp_path / "asked.txt"
    given = model(site, BRIGHT + f"\nopen({str(log)!r}, 'a').write('x')\n")
    asked = iter([False] * 5)
    with pytest.raises(TryAgain, match="asked to stop in study/acme"):
        site.challenge(given, lambda: next(asked, True))
    before = len(log.read_text())
    assert before < 16
    assert all(row.score is not None for row in site.challenge(given))
    assert len(log.read_text()) <= 16 + 2  # those that were being asked are asked again


def test_a_model_that_fails_costs_its_cases_and_is_soon_given_up(site: Site) -> None:
    given = model(site, "import sys; sys.exit('no card')")
    rows = site.challenge(given)
    reasons = [row.reason for row in rows if row.reason.startswith("model: not asked")]
    assert len(rows) == 16
    assert len(reasons) >= 5
    assert all(row.score is None for row in rows)
    with pytest.raises(UserError, match=r"challenge\.models\.acme: nothing could be scored; the commonest"):
        site.detection(given)


def test_a_shard_without_members_has_no_rows(site: Site) -> None:
    job = ChallengeJob(cohort="study", model="acme", shard=0, seed=3, grid=GRID, given=model(site, BRIGHT))
    site.run(
        "earlier", lambda outputs: (site._earlier(outputs), MEMBERS.write(outputs, [], cohort="study"))[1]
    )
    inputs = Inputs(site.store, site.results, None, site.folder)
    site.run("challenge", lambda outputs: challenge(job, inputs, outputs))
    assert OUTCOMES.read(site.committed, cohort="study", model="acme", shard=0) == []


def test_a_program_that_is_not_there_is_one_line(site: Site) -> None:
    with pytest.raises(UserError, match="no program no-such-program"):
        site.challenge(ModelSettings(command="no-such-program {image}"))


def test_where_models_have_pods_none_runs_here(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMEPLATE_MODELS", "http://127.0.0.1:9/{model}")
    monkeypatch.setattr("nameplate_challenge.remote_model.PATIENCE_SECONDS", 0.0)
    with pytest.raises(TryAgain, match=r"no model has answered at http://127\.0\.0\.1:9/acme"):
        site.challenge(model(site, BRIGHT))
