"""The plan's pod: what is missing and only that, for each step, arm and pool; nothing before it is sure."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nameplate.campaign import Campaign, parse_campaign
from nameplate.errors import NameplateError, UserError
from nameplate.job.committed import CAMPAIGN_KEY, campaign_digest, put_campaign
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result, job_digest, result_key, write_result
from nameplate.job.state import State
from nameplate.plan.chunks import arm_of
from nameplate.steps.selection import SELECTION, Selection
from nameplate.steps.step import Job
from nameplate.store import open_store
from nameplate_cluster.plan_step import FILE_VARIABLE, MODELS_VARIABLE, plan_main

BEFORE_TRAINING = ("phantom", "ingest", "skullstrip", "cohort", "fingerprint", "synthesis", "pack")
ARMS = ["manufacturer/mixed", "spheres/mixed", "spheres/Siemens", "skull/mixed"]
POOLS = """
- {name: small, experiments: [skull, manufacturer]}
- {name: siemens, experiments: [spheres], training_sets: [Siemens]}
- {name: rest}
"""


class Site:
    """A store, the installed campaigns and pools beside it, and the plan's pod."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder, self.text = folder, text
        self.url = str(folder / "store")
        self.campaign: Campaign = parse_campaign(text, "tiny")
        (folder / "campaigns").mkdir()
        (folder / "campaigns" / "tiny.yaml").write_text(text)
        (folder / "pools.yaml").write_text("- {name: default}\n")
        self.out = folder / "out"

    def commit(self, wanted: Callable[[Job], bool], *, next_seeds: tuple[int, ...] = ()) -> None:
        """Commit every such job whose needs are there, round by round; ``next_seeds`` follow round 0."""
        store = open_store(self.url)
        state = State(self.campaign, store, {})
        state.add_committed()
        while ready := [
            job
            for job in state.plan.jobs
            if wanted(job) and job.id not in state.results and state.has_needs(job)
        ]:
            for job in ready:
                outputs = Outputs(job.id, store, self.folder, lambda: False)
                if job.step == "selection":
                    assert job.cell is not None
                    following = next_seeds if job.round == 0 else ()
                    made = Selection(
                        cell=job.cell, round=job.round, trained=1, converged=1, kept=(0,),
                        next_seeds=following, finished="no" if following else "target",
                    )  # fmt: skip
                    SELECTION.write(outputs, made, cell=job.cell, round=job.round)
                else:
                    outputs.write(f"made/{job.id}", job.id.encode())
                needs = {need: state.results[need] for need in job.needs}
                result = Result(
                    job=job.id, digest=job_digest(job, needs), code="0", outputs=outputs.written
                )  # fmt: skip
                write_result(store, result)
                state.add_result(job, result)

    def lose(self, job: str, *, commit: bool = False) -> None:
        """Lose what a job has made, or its commit."""
        open_store(self.url).delete(result_key(job) if commit else f"made/{job}")

    def plan(self, *more: str, name: str = "tiny") -> dict[str, str]:
        """The outputs of the pod by name."""
        arguments = [name, "--store", self.url, "--campaigns", str(self.folder / "campaigns")]
        arguments += ["--pools", str(self.folder / "pools.yaml"), "--out", str(self.out), *more]
        assert plan_main(arguments) == 0
        return {path.name: path.read_text() for path in self.out.iterdir()}

    def left(self, *more: str) -> dict[str, list[str]]:
        """What is left, without the lists that are empty."""
        planned = self.plan(*more)
        assert planned.pop("digest") == campaign_digest(self.text)
        lists = {name: json.loads(text) for name, text in planned.items()}
        return {name: names for name, names in lists.items() if names}


@pytest.fixture
def site(tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    return Site(tmp_path, tiny_text)


def _everything(job: Job) -> bool:
    return True


def test_of_a_new_campaign_everything_is_left_and_its_file_is_in_the_store(site: Site) -> None:
    assert site.left("--chunk-seconds", "0.001") == {
        "phantom": ["phantom/study/000+1", "phantom/study/001+1"],
        "ingest": ["ingest/study/000+1", "ingest/study/001+1"],
        "skullstrip": ["skullstrip/study/000+1", "skullstrip/study/001+1"],
        "cohort": ["cohort/study+1"],
        "fingerprint": ["fingerprint/study/000+1", "fingerprint/study/001+1"],
        "synthesis": ["synthesis/study/original/000+1", "synthesis/study/original/001+1"],
        "pack": [
            "pack/study/manufacturer/original+1",
            "pack/study/spheres/easy+1",
            "pack/study/spheres/hard+1",
            "pack/study/skull/skull+1",
        ],
        "arms-default": ARMS,
        "report": ["report+1"],
    }
    assert open_store(site.url).get(CAMPAIGN_KEY).decode() == site.text


def test_small_jobs_share_a_chunk_and_no_step_has_more_chunks_than_asked_for(site: Site) -> None:
    assert site.left("--chunk-seconds", "1000")["pack"] == ["pack/study/manufacturer/original+4"]
    assert len(site.left("--chunk-seconds", "0.001", "--max-chunks", "2")["pack"]) == 2


def test_what_is_done_is_left_out(site: Site) -> None:
    site.commit(lambda job: job.step in ("phantom", "ingest"))
    left = site.left()
    assert not {"phantom", "ingest"} & set(left)
    assert {"skullstrip", "cohort", "fingerprint", "synthesis", "pack", "arms-default", "report"} == set(left)
    site.commit(lambda job: job.step in BEFORE_TRAINING)
    assert site.left() == {"arms-default": ARMS, "report": ["report+1"]}


def test_when_all_is_done_nothing_is_left(site: Site) -> None:
    site.commit(_everything)
    assert site.left() == {}


def test_what_was_lost_is_left_with_what_depends_on_it_and_no_more(site: Site) -> None:
    site.commit(lambda job: job.step in BEFORE_TRAINING)
    site.lose("skullstrip/study/001")
    left = site.left("--chunk-seconds", "0.001")
    assert left["skullstrip"] == ["skullstrip/study/001+1"]
    assert not {"phantom", "ingest"} & set(left)
    assert {"cohort", "synthesis", "pack"} <= set(left)


def test_an_arm_that_is_finished_is_left_out(site: Site) -> None:
    site.commit(_everything)
    site.lose("training/spheres/study/easy/Siemens/g0/s000", commit=True)
    assert site.left() == {"arms-default": ["spheres/Siemens"], "report": ["report+1"]}


def test_an_arm_with_a_round_to_come_is_not_finished(site: Site) -> None:
    site.commit(lambda job: job.step in BEFORE_TRAINING)
    site.commit(lambda job: job.step in ("training", "selection") and job.round == 0, next_seeds=(7,))
    assert site.left() == {"arms-default": ARMS, "report": ["report+1"]}
    site.commit(lambda job: str(arm_of(job)) == "skull/mixed")
    assert site.left() == {"arms-default": ARMS[:3], "report": ["report+1"]}


def test_an_arm_without_its_predictions_is_not_finished(site: Site) -> None:
    site.commit(lambda job: job.step not in ("prediction", "report"))
    assert site.left()["arms-default"] == ARMS
    site.commit(lambda job: job.step != "report")
    assert site.left() == {"report": ["report+1"]}


def test_arms_go_to_the_first_pool_that_takes_them(site: Site) -> None:
    (site.folder / "pools.yaml").write_text(POOLS)
    left = site.left()
    assert left["arms-small"] == ["manufacturer/mixed", "skull/mixed"]
    assert left["arms-siemens"] == ["spheres/Siemens"]
    assert left["arms-rest"] == ["spheres/mixed"]
    site.commit(_everything)
    assert {name for name in site.plan() if name.startswith("arms-")} == {
        "arms-small", "arms-siemens", "arms-rest",
    }  # fmt: skip


def test_an_arm_that_no_pool_takes_is_one_line_even_when_it_is_finished(site: Site) -> None:
    (site.folder / "pools.yaml").write_text("- {name: small, experiments: [skull]}\n")
    site.commit(_everything)
    with pytest.raises(UserError, match="no pool takes the runs of manufacturer on mixed"):
        site.plan()


def test_one_step_alone_is_that_step(site: Site) -> None:
    assert set(site.left("--only", "phantom")) == {"phantom"}
    site.commit(lambda job: job.step in BEFORE_TRAINING)
    for step in ("training", "selection", "prediction"):  # the steps of an arm are one stage
        assert site.left("--only", step) == {"arms-default": ARMS}
    assert site.left("--only", "pack") == {}
    site.commit(lambda job: job.step != "report")
    assert site.left("--only", "report") == {"report": ["report+1"]}
    site.commit(_everything)
    assert site.left("--only", "report") == {}


@pytest.mark.parametrize("only", ["ingest", "pack", "training", "report"])
def test_one_step_before_its_time_is_refused_and_the_file_in_the_store_stays(
    only: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_campaign(open_store(site.url), site.campaign, site.text)
    monkeypatch.setenv(FILE_VARIABLE, site.text.replace("seed: 7", "seed: 8"))
    with pytest.raises(UserError, match=f"{only}: "):
        site.plan("--only", only)
    assert open_store(site.url).get(CAMPAIGN_KEY).decode() == site.text
    assert not site.out.exists()


def test_the_file_is_the_submitted_one_else_the_stores_else_the_installed_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed, stored, submitted = (site.text + f"# {name}\n" for name in ("a", "b", "c"))
    (site.folder / "campaigns" / "tiny.yaml").write_text(installed)
    assert site.plan()["digest"] == campaign_digest(installed)
    open_store(site.url).put(CAMPAIGN_KEY, stored.encode())
    assert site.plan()["digest"] == campaign_digest(stored)
    monkeypatch.setitem(os.environ, FILE_VARIABLE, submitted)
    assert site.plan()["digest"] == campaign_digest(submitted)
    assert open_store(site.url).get(CAMPAIGN_KEY).decode() == submitted


def test_another_file_of_the_campaign_is_replaced_only_when_that_is_asked_for(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.plan()
    other = site.text.replace("seed: 7", "seed: 8")
    monkeypatch.setenv(FILE_VARIABLE, other)
    with pytest.raises(UserError) as caught:
        site.plan()
    said = str(caught.value)
    assert "has another file of the campaign tiny: -seed: 7; +seed: 8; submit with --replace" in said
    assert open_store(site.url).get(CAMPAIGN_KEY).decode() == site.text
    assert site.plan("--replace", "yes")["digest"] == campaign_digest(other)
    assert open_store(site.url).get(CAMPAIGN_KEY).decode() == other


def test_a_store_of_another_campaign_is_not_replaced(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    open_store(site.url).put(CAMPAIGN_KEY, site.text.replace("name: tiny", "name: large", 1).encode())
    monkeypatch.setenv(FILE_VARIABLE, site.text)
    for more in ((), ("--replace", "yes")):
        with pytest.raises(NameplateError, match="holds the campaign 'large', not 'tiny'"):
            site.plan(*more)


@pytest.mark.parametrize(
    ("pools", "text", "name"),
    [
        (None, None, "tinny"),
        ("[]", None, "tiny"),
        ("- {name: Capital}", None, "tiny"),
        ("[{name: a, experiments: [spheres]}, {name: b, training_sets: [Siemens]}, {name: c}]", None, "tiny"),
        (None, "name: other", "tiny"),
        (None, "nonsense: 1", "tiny"),
    ],
)
def test_a_mistake_writes_nothing(
    pools: str | None, text: str | None, name: str, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pools is not None:
        (site.folder / "pools.yaml").write_text(pools)
    if text is not None:
        monkeypatch.setenv(FILE_VARIABLE, site.text.replace("name: tiny", text, 1))
    with pytest.raises(NameplateError) as caught:
        site.plan(name=name)
    assert caught.value.exit_code == 2
    assert not Path(site.url).exists()
    assert not site.out.exists()


def test_the_store_of_another_campaign_is_left_as_it_is(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    other = site.text.replace("name: tiny", "name: other", 1)
    open_store(site.url).put(CAMPAIGN_KEY, other.encode())
    for submitted in ("", site.text):
        monkeypatch.setenv(FILE_VARIABLE, submitted)
        with pytest.raises(UserError, match="'other'"):
            site.plan()
    assert open_store(site.url).get(CAMPAIGN_KEY).decode() == other
    assert not site.out.exists()


CHALLENGE = """
challenge:
  models:
    acme: {command: "predict {image}"}
"""


@pytest.mark.parametrize(
    ("installed", "there"), [("", "there is none"), ("bleed other", "there is bleed, other")]
)
def test_a_model_that_has_no_pods_here_is_refused_before_anything_is_written(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch, installed: str, there: str
) -> None:
    site = Site(tmp_path, tiny_text + CHALLENGE)
    monkeypatch.setenv(MODELS_VARIABLE, installed)
    with pytest.raises(UserError) as refused:
        site.plan()
    assert f"challenge.models.acme: this installation has no model of that name ({there})" in str(
        refused.value
    )
    assert not Path(site.url).exists()
    assert site.plan("--only", "phantom")["phantom"] != "[]"


def test_models_that_are_there_are_planned_after_the_arms(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path, tiny_text + CHALLENGE)
    monkeypatch.setenv(MODELS_VARIABLE, "other acme")
    left = site.left()
    assert left["challenge"] == ["challenge/study/acme/000+1", "challenge/study/acme/001+1"]
    assert left["detection"] == ["detection/study/acme+1"]
