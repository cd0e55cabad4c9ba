"""The plan: the graph of pipeline.py laid over a campaign, and digests that follow what matters."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from nameplate.campaign import Campaign, parse_campaign
from nameplate.campaign.challenge import ChallengeSettings, ModelSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.sources import FolderSource
from nameplate.job.result import Output, Result, job_digest
from nameplate.plan.pipeline import STEPS, step_named
from nameplate.plan.plan import cells_of, plan
from nameplate.steps.cell import Cell
from nameplate.steps.cohort import CohortJob
from nameplate.steps.listing import ListingJob
from nameplate.steps.selection import Selection
from nameplate.steps.step import Job, step_of
from nameplate.steps.synthesis import SphereRecipe, SynthesisJob
from nameplate.store import check_key

Finished = Callable[[Campaign], dict[Cell, tuple[Selection, ...]]]


def test_every_job_needs_only_jobs_before_it(demo: Campaign, finished: Finished) -> None:
    for selections in ({}, finished(demo)):
        seen: set[str] = set()
        for job in plan(demo, selections, {}).jobs:
            assert set(job.needs) <= seen, job.id
            assert job.id not in seen
            seen.add(job.id)


def test_jobs_read_only_from_steps_that_the_pipeline_names(demo: Campaign, finished: Finished) -> None:
    for job in plan(demo, finished(demo), {}).jobs:
        assert {step_of(need) for need in job.needs} <= set(step_named(job.step).needs), job.id


def test_the_fan_out_tells_the_jobs_of_a_step_apart(demo: Campaign, finished: Finished) -> None:
    def value(job: Job, name: str) -> object:
        return getattr(job.settings if name in type(job.settings).model_fields else job.cell, name)

    models = {name: ModelSettings(command="model {image}") for name in ("one", "other")}
    read = demo.cohorts["study"].model_copy(update={"source": FolderSource(path="dicom")})
    cohorts = {**demo.cohorts, "read": read}
    demo = demo.model_copy(update={"challenge": ChallengeSettings(models=models), "cohorts": cohorts})
    jobs = plan(demo, finished(demo), {}).jobs
    for step in STEPS:
        made = [tuple(value(job, name) for name in step.fan_out) for job in jobs if job.step == step.name]
        assert made, step.name
        assert len(set(made)) == len(made), step.name


def test_steps_are_in_order() -> None:
    seen: set[str] = set()
    for step in STEPS:
        later = set(step.needs) - seen - {step.name}
        # Training waits for the selection of an earlier round: the one loop of the graph.
        assert later <= ({"selection"} if step.name == "training" else set()), step.name
        seen.add(step.name)


def test_the_paper_grid(paper: Campaign) -> None:
    """The study's cells on the paper's training sets; what controls and other arms add is ours."""

    def published(cell: Cell | None) -> bool:
        return cell is not None and cell.cohort == "study" and cell.training_set in ("mixed", "GE", "Siemens")

    cells = Counter(paper.experiment(cell.experiment).task for cell in cells_of(paper) if published(cell))
    assert cells == {"factor": 2, "spheres": 9, "segmentation": 3}
    jobs = plan(paper, {}, {}).jobs
    trainings = [job for job in jobs if job.step == "training" and published(job.cell)]
    assert len(trainings) == 2 * 5 + 9 * 10 + 3 * 5


def test_rounds_follow_their_selections_and_end_with_a_prediction(
    demo: Campaign, make_selection: Callable[..., Selection]
) -> None:
    cell = cells_of(demo)[-1]

    def ids(selections: dict[Cell, tuple[Selection, ...]]) -> list[str]:
        made = plan(demo, selections, {})
        assert (cell in made.open_cells) == (f"prediction/{cell}" not in {j.id for j in made.jobs})
        return [job.id for job in made.jobs if str(cell) in job.id and job.step != "pack"]

    count = demo.experiment(cell.experiment).rounds.first
    first = [*(f"training/{cell}/s{seed:03d}" for seed in range(count)), f"selection/{cell}/r00"]
    assert ids({}) == first
    more = (make_selection(cell, 0, next_seeds=(count,)),)
    second = [*first, f"training/{cell}/s{count:03d}", f"selection/{cell}/r01"]
    assert ids({cell: more}) == second
    done = (*more, make_selection(cell, 1, kept=(2, 0)))
    assert ids({cell: done}) == [*second, f"prediction/{cell}"]


def test_a_cell_without_kept_runs_ends_without_prediction_and_the_report_comes_all_the_same(
    demo: Campaign, make_selection: Callable[..., Selection]
) -> None:
    made = plan(demo, {cell: (make_selection(cell, 0),) for cell in cells_of(demo)}, {})
    assert not [job for job in made.jobs if job.step == "prediction"]
    assert made.jobs[-1].id == "report"


def test_no_report_before_every_cell_is_finished(demo: Campaign, finished: Finished) -> None:
    selections = finished(demo)
    del selections[cells_of(demo)[0]]
    assert "report" not in {job.id for job in plan(demo, selections, {}).jobs}


@pytest.fixture
def steps_that_differ(finished: Finished) -> Callable[[Campaign, Campaign], set[str]]:
    """The steps with a job whose digest differs between two campaigns, whatever it reads."""

    def digests(campaign: Campaign) -> dict[str, str]:
        return {
            job.id: job_digest(job, {need: _result(need) for need in job.needs})
            for job in plan(campaign, finished(campaign), {}).jobs
        }

    def differ(before: Campaign, after: Campaign) -> set[str]:
        old, new = digests(before), digests(after)
        return {step_of(job_id) for job_id in old if old[job_id] != new.get(job_id)}

    return differ


def _result(job: str) -> Result:
    return Result(job=job, digest="d", code="x", outputs=(Output(key="k", size=1, sha256=job),))


def test_a_change_reaches_just_the_steps_it_concerns(
    demo: Campaign, demo_text: str, steps_that_differ: Callable[[Campaign, Campaign], set[str]]
) -> None:
    def changed(before: str, after: str) -> Campaign:
        assert before in demo_text
        return parse_campaign(demo_text.replace(before, after), "changed")

    assert steps_that_differ(demo, changed("confidence: 0.95", "confidence: 0.90")) == {"report"}
    assert steps_that_differ(demo, changed("age_years: 5.0", "age_years: 4.0")) == {"cohort", "report"}
    assert "phantom" in steps_that_differ(demo, changed("signature: 1\n", "signature: 0.5\n"))


def test_the_order_of_the_levels_reaches_the_labels_that_follow_it(
    tiny_text: str, steps_that_differ: Callable[[Campaign, Campaign], set[str]]
) -> None:
    """Original's label is 1 for the first level: swapped levels are other labels, matched or not."""
    one, other = (
        parse_campaign(f"{tiny_text}\nfactor: {{levels: [{levels}]}}\n", "x")
        for levels in ("GE, Siemens", "Siemens, GE")
    )
    assert "synthesis" in steps_that_differ(one, other)


def _needs(campaign: Campaign, step: str, cohort: str) -> list[tuple[str, ...]]:
    return [job.needs for job in plan(campaign, {}, {}).jobs if (job.step, job.cohort) == (step, cohort)]


def test_a_derived_cohort_needs_its_source_and_makes_no_exams(controlled: Campaign) -> None:
    assert list(controlled.cohorts) == ["control", "study"]
    made = plan(controlled, {}, {})
    steps = Counter(job.step for job in made.jobs if job.cohort == "control")
    assert not {"phantom", "ingest", "skullstrip", "fingerprint"} & set(steps)
    source = Counter(job.step for job in made.jobs if job.cohort == "study")
    assert {step: steps[step] for step in steps} == {step: source[step] for step in steps}
    assert set(source) - set(steps) == {"phantom", "ingest", "skullstrip", "fingerprint"}
    assert _needs(controlled, "cohort", "control") == [("cohort/study",)]
    for job in made.jobs:
        if (job.step, job.cohort) == ("synthesis", "control"):
            assert job.needs == (job.id.replace("control", "study"), "cohort/control")
    assert made.job("pack/control/spheres/hard").needs == (
        "cohort/control",
        *(f"synthesis/control/hard/{shard}" for shard in ("000", "001")),
        *(f"synthesis/study/{name}/{shard}" for name in ("original", "easy", "hard")
          for shard in ("000", "001")),
    )  # fmt: skip


def test_no_place_in_the_file_is_wrong_for_a_derived_cohort(controlled: Campaign, finished: Finished) -> None:
    turned = controlled.model_copy(update={"cohorts": dict(reversed(controlled.cohorts.items()))})
    for campaign in (controlled, turned):
        seen: set[str] = set()
        for job in plan(campaign, finished(campaign), {}).jobs:
            assert set(job.needs) <= seen, job.id
            assert {step_of(need) for need in job.needs} <= set(step_named(job.step).needs), job.id
            seen.add(job.id)
    assert {job.id for job in plan(controlled, {}, {}).jobs} == {job.id for job in plan(turned, {}, {}).jobs}


def test_what_only_a_derived_cohort_is_trained_on_is_made_in_its_source(controlled_text: str) -> None:
    text = controlled_text.replace("cohorts: [study, control]", "cohorts: [control]")
    campaign = parse_campaign(text, "only the control")
    made = plan(campaign, {}, {})
    for dataset in ("original", "easy", "hard", "skull"):
        assert made.job(f"synthesis/study/{dataset}/001").needs
    assert not [job for job in made.jobs if (job.step, job.cohort) == ("pack", "study")]
    assert len([job for job in made.jobs if (job.step, job.cohort) == ("pack", "control")]) == 4


def test_a_control_adds_jobs_and_changes_none_of_its_source(
    controlled: Campaign, tiny_text: str, finished: Finished
) -> None:
    alone = parse_campaign(tiny_text, "tiny")
    jobs = {job.id: job for job in plan(controlled, finished(controlled), {}).jobs}
    for job in plan(alone, finished(alone), {}).jobs:
        if job.step != "report":
            assert jobs[job.id] == job


def test_what_makes_a_derived_cohort_is_in_its_digests(
    controlled: Campaign, controlled_text: str, steps_that_differ: Callable[[Campaign, Campaign], set[str]]
) -> None:
    """The exams' settings reach the derived cohort; its labels follow the order of the levels."""
    for before, after in (("match: null", "match: {age_years: 4.0}"), ("seed: 7", "seed: 8")):
        changed = parse_campaign(controlled_text.replace(before, after), "changed")
        jobs = [plan(campaign, {}, {}).job("cohort/control") for campaign in (controlled, changed)]
        assert jobs[0].settings != jobs[1].settings
    one, other = (
        plan(parse_campaign(f"{controlled_text}\nfactor: {{levels: [{levels}]}}\n", "x"), {}, {})
        for levels in ("GE, Siemens", "Siemens, GE")
    )
    for dataset, follows in (("original", True), ("skull", True), ("easy", False), ("hard", False)):
        settings = [made.job(f"synthesis/control/{dataset}/000").settings for made in (one, other)]
        assert (settings[0] != settings[1]) == follows, dataset


def test_twins_reach_the_settings_of_all_that_treats_them_alike(controlled_text: str) -> None:
    twins = parse_campaign(controlled_text.replace("exams: 52", "exams: 52, twins: true"), "twins")
    made = plan(twins, {}, {})
    for name in ("cohort/study", "cohort/control"):
        settings = made.job(name).settings
        assert isinstance(settings, CohortJob)
        assert settings.twins
    spheres = made.job("synthesis/study/hard/001").settings
    assert isinstance(spheres, SynthesisJob)
    assert isinstance(spheres.recipe, SphereRecipe)
    assert spheres.recipe.twins


@pytest.mark.parametrize(
    "factor",
    [
        {"name": "thickness_mm", "bins": [3, 4]},
        {"name": "thickness_mm", "bins": [3], "levels": ["< 3 mm", "≥ 3 mm"]},
        {"name": "kernel_class", "groups": {"soft": ["soft"], "bone & lung": ["sharp", "medium"]}},
        {"name": "site", "levels": ["../A", "B <b>"], "title": "hospital"},
    ],
    ids=lambda factor: factor["name"],
)
def test_a_campaign_with_another_factor_is_planned(tiny_text: str, factor: dict[str, Any]) -> None:
    raw = yaml.safe_load(tiny_text)
    study = raw["cohorts"]["study"]
    del study["phantom"]
    study |= {"folder": "dicom", "fields_csv": "fields.csv", "fields": ["site"]}
    study["match"] = {"same": [{"name": "kvp"}, {"name": "exposure_mas", "bins": [200]}]}
    derived = {"from": "study", "shuffle": "factor", "role": "null-control"}
    raw["cohorts"]["control"] = derived
    levels = FactorSettings.model_validate(factor).levels
    raw |= {"factor": factor}
    raw["experiments"][1] |= {"training_sets": ["mixed", *levels], "cohorts": ["study", "control"]}
    campaign = parse_campaign(yaml.safe_dump(raw), "other")
    made = plan(campaign, {}, {})
    for name in ("cohort/study", "cohort/control"):
        settings = made.job(name).settings
        assert isinstance(settings, CohortJob)
        # What a pod is given says the levels as the campaign does, without the title.
        read = CohortJob.model_validate_json(settings.model_dump_json())
        assert read == settings
        assert read.factor == campaign.factor.field_levels
        assert not settings.twins
    listed = made.job("listing/study").settings
    assert isinstance(listed, ListingJob)
    assert made.job("ingest/study/000").needs == ("listing/study",)
    assert listed.fields == ("site",)
    keys = {str(cell) for cell in cells_of(campaign)}
    assert len(keys) == len(cells_of(campaign))
    assert all(check_key(key) and key.count("/") == 4 for key in keys)
    renamed = parse_campaign(yaml.safe_dump({**raw, "factor": {**factor, "title": "vendor"}}), "renamed")
    jobs = [{job.id: job for job in plan(one, {}, {}).jobs} for one in (campaign, renamed)]
    changed = {name for name, job in jobs[0].items() if job.settings != jobs[1][name].settings}
    assert not changed


def test_a_job_digest_follows_the_outputs_it_reads(demo: Campaign) -> None:
    job = plan(demo, {}, {}).job("skullstrip/study/000")
    one = job_digest(job, {"ingest/study/000": _result("a")})
    assert one == job_digest(job, {"ingest/study/000": _result("a")})
    assert one != job_digest(job, {"ingest/study/000": _result("b")})


def test_levels_of_any_spelling_make_valid_and_different_keys() -> None:
    levels = ("Revolution CT", "Revolution_CT", "Revolution-CT", "H31s/2", "(blank)", "Größe")
    cells = [
        str(Cell(experiment="e", cohort="c", dataset="d", training_set=level, group=0)) for level in levels
    ]
    assert len(set(cells)) == len(levels)
    assert all(check_key(cell) and cell.count("/") == 4 for cell in cells)
