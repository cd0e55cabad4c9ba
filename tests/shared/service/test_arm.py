"""One iteration of an arm: its selections are made, and what follows is training, predictions or the end."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import TryAgain, UserError
from nameplate.job.committed import put_campaign
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result, job_digest, read_result, write_result
from nameplate.job.state import State
from nameplate.plan.chunks import arm_of, arms_of
from nameplate.service.arm import MAX_ITERATIONS, arm_command, next_iteration
from nameplate.steps.selection import SELECTION
from nameplate.steps.step import Job
from nameplate.steps.training import RUN, Run, TrainingJob
from nameplate.store import Store, open_store

ARM = "spheres/mixed"
EASY, HARD = "spheres/study/easy/mixed/g0", "spheres/study/hard/mixed/g0"


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    """An arm's pod catches SIGTERM for the rest of its process; this one goes on."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def _run_of(settings: TrainingJob, converged: bool) -> Run:
    return Run(
        cell=settings.cell, seed=settings.seed, round=settings.round,
        outcome="converged" if converged else "not-converged", reasons=() if converged else ("too bad",),
        val_accuracy=0.9, val_auroc=0.9, sensitivity=None, specificity=None, loss_drop=0.5, late_rise=0.0,
        parameters=1, norm_batch=4, device="cpu", train_exams=8, versions={"torch": "2"}, history=(),
    )  # fmt: skip


class Site:
    """A campaign's store with its packs, and runs that converge as a test wants."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder, self.url, self.out = folder, str(folder / "store"), folder / "out"
        self.store: Store = open_store(self.url)
        self.campaign: Campaign = parse_campaign(text, "tiny")
        put_campaign(self.store, self.campaign, text)
        self.state = State(self.campaign, self.store, {})
        for job in self.state.plan.jobs:
            if job.step not in ("training", "selection"):
                self._commit(job)

    def _commit(self, job: Job, converged: bool = True) -> None:
        outputs = Outputs(job.id, self.store, self.folder, lambda: False)
        if isinstance(job.settings, TrainingJob):
            RUN.write(outputs, _run_of(job.settings, converged), run=job.settings.run)
        else:
            outputs.write(f"made/{job.id}", b"x")
        digest = job_digest(job, self.state.results)
        result = Result(job=job.id, digest=digest, code="0", outputs=outputs.written)
        write_result(self.store, result)
        self.state.add_result(job, result)

    def train(self, **converged: bool) -> None:
        """Commit the runs of these datasets that are known by now."""
        self.state.add_committed()
        for job in self.state.plan.jobs:
            if str(arm_of(job)) != ARM or job.id in self.state.results or not self.state.has_needs(job):
                continue
            if job.step == "training" and job.cell is not None and job.cell.dataset in converged:
                self._commit(job, converged[job.cell.dataset])

    def arm(self, *more: str, name: str = ARM) -> dict[str, str]:
        """The outputs of the arm's pod by name."""
        assert arm_command("x", [name, "--store", self.url, "--out", str(self.out), *more]) == 0
        return {path.name: path.read_text() for path in self.out.iterdir()}


@pytest.fixture
def site(tmp_path: Path, tiny_text: str) -> Site:
    return Site(tmp_path, tiny_text)


def test_an_arm_begins_with_the_first_round_of_its_own_runs(site: Site) -> None:
    assert site.arm("--chunk-seconds", "0.001") == {
        "training": json.dumps([f"training/{EASY}/s000+1", f"training/{HARD}/s000+1"]),
        "prediction": "[]",
        "more": "yes",
        "iteration": "1",
    }
    assert read_result(site.store, f"selection/{EASY}/r00") is None


def test_what_has_not_converged_is_trained_again_before_anything_is_predicted(site: Site) -> None:
    site.train(easy=True, hard=False)
    after = site.arm("--iteration", "1")
    assert json.loads(after["training"]) == [f"training/{HARD}/s001+1"]
    assert (after["prediction"], after["more"], after["iteration"]) == ("[]", "yes", "2")
    for cell, next_seeds in ((EASY, ()), (HARD, (1,))):
        result = read_result(site.store, f"selection/{cell}/r00")
        assert result is not None
        made = [SELECTION.kind.model_validate_json(site.store.get(output.key)) for output in result.outputs]
        assert [selection.next_seeds for selection in made] == [next_seeds]


def test_when_no_training_is_left_the_kept_runs_predict_and_the_arm_ends(site: Site) -> None:
    site.train(easy=True, hard=False)
    site.arm()
    site.train(easy=True, hard=True)
    after = site.arm("--chunk-seconds", "0.001")
    assert json.loads(after["prediction"]) == [f"prediction/{EASY}+1", f"prediction/{HARD}+1"]
    assert (after["training"], after["more"]) == ("[]", "no")


def test_an_arm_whose_runs_are_half_done_waits_for_the_rest(site: Site) -> None:
    site.train(easy=True)
    after = site.arm()
    assert json.loads(after["training"]) == [f"training/{HARD}/s000+1"]
    assert read_result(site.store, f"selection/{EASY}/r00") is not None
    assert read_result(site.store, f"selection/{HARD}/r00") is None


def test_the_most_chunks_are_shared_by_all_arms(site: Site) -> None:
    arms = arms_of(site.state.plan)
    (mine,) = (arm for arm in arms if str(arm) == ARM)
    assert len(arms) == 4

    def chunks(most: int | None) -> int:
        following = next_iteration(site.state, mine, lambda job: 1.0, target_seconds=0.5, most=most)
        return len(following.training)

    assert [chunks(most) for most in (None, 8, 7, 4, 1)] == [2, 2, 1, 1, 1]


def test_an_arm_is_not_advanced_for_ever(site: Site) -> None:
    assert site.arm("--iteration", str(MAX_ITERATIONS - 1))["iteration"] == str(MAX_ITERATIONS)
    with pytest.raises(UserError, match=f"{ARM}: {MAX_ITERATIONS} rounds"):
        site.arm("--iteration", str(MAX_ITERATIONS))
    assert MAX_ITERATIONS < 100  # Argo's own limit


def test_an_arm_that_the_campaign_does_not_have_is_one_line(site: Site) -> None:
    with pytest.raises(UserError, match="spheres/GE: "):
        site.arm(name="spheres/GE")
    assert not site.out.exists()


def test_a_pack_that_is_not_there_is_waited_for(site: Site) -> None:
    """Another copy of its job may just be writing it again."""
    site.store.delete("jobs/pack/study/spheres/hard.json")
    with pytest.raises(TryAgain, match="pack/study/spheres/hard"):
        site.arm()
    site.store.delete("jobs/pack/study/skull/skull.json")  # of another arm
    with pytest.raises(TryAgain, match="pack/study/spheres/hard"):
        site.arm()


def test_a_file_that_has_changed_since_it_was_planned_is_refused(site: Site) -> None:
    with pytest.raises(UserError, match="has changed"):
        site.arm("--digest", "0" * 64)
