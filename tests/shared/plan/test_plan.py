"""The plan: the graph of pipeline.py laid over a campaign, and digests that follow what matters."""

from pathlib import Path

from nameplate.campaign import Campaign, load_campaign, parse_campaign
from nameplate.job.result import Output, Result
from nameplate.plan.pipeline import STEPS, step_named
from nameplate.plan.plan import cells_of, plan
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.steps.step import Job

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"


def _campaign(name: str = "demo") -> Campaign:
    return load_campaign(CAMPAIGNS / f"{name}.yaml")


def _selection(cell: Cell, number: int, next_seeds: tuple[int, ...], kept: tuple[int, ...]) -> Selection:
    finished = "no" if next_seeds else "target"
    return Selection(
        **cell.parameters, round=number, trained=2, converged=len(kept), kept=kept, next_seeds=next_seeds,
        finished=finished,
    )  # fmt: skip


def _finished(campaign: Campaign) -> dict[str, tuple[Selection, ...]]:
    return {cell.id: (_selection(cell, 0, (), (1, 0)),) for cell in cells_of(campaign)}


def test_every_job_needs_only_jobs_before_it() -> None:
    campaign = _campaign()
    for selections in ({}, _finished(campaign)):
        seen: set[str] = set()
        for job in plan(campaign, selections, {}).jobs:
            assert set(job.needs) <= seen, job.id
            assert job.id not in seen
            seen.add(job.id)


def test_jobs_read_only_from_steps_that_the_pipeline_names() -> None:
    campaign = _campaign()
    for job in plan(campaign, _finished(campaign), {}).jobs:
        needed = {need.partition("/")[0] for need in job.needs}
        assert needed <= set(step_named(job.step).needs), job.id


def test_fan_out_is_what_the_pipeline_says() -> None:
    campaign = _campaign()
    for job in plan(campaign, _finished(campaign), {}).jobs:
        assert set(step_named(job.step).fan_out) <= set(job.parameters), job.id


def test_steps_are_in_order() -> None:
    seen: set[str] = set()
    for step in STEPS:
        later = set(step.needs) - seen - {step.name}
        # Training waits for the judge of an earlier round: the one loop of the graph.
        assert later <= ({"judge"} if step.name == "training" else set()), step.name
        seen.add(step.name)


def test_the_paper_grid() -> None:
    paper = _campaign("paper")
    assert len(cells_of(paper)) == 2 + 9 + 3
    trainings = [job for job in plan(paper, {}, {}).jobs if job.step == "training"]
    assert len(trainings) == 2 * 5 + 9 * 10 + 3 * 5


def test_rounds_follow_their_judges_and_end_with_an_evaluation() -> None:
    campaign = _campaign()
    cell = cells_of(campaign)[-1]

    def ids(selections: dict[str, tuple[Selection, ...]]) -> list[str]:
        made = plan(campaign, selections, {})
        assert (cell in made.open_cells) == (f"evaluation/{cell.id}" not in {j.id for j in made.jobs})
        return [job.id for job in made.jobs if cell.id in job.id and job.step != "pack"]

    first = [f"training/{cell.id}/s000", f"training/{cell.id}/s001", f"judge/{cell.id}/r00"]
    assert ids({}) == first
    more = (_selection(cell, 0, (2,), ()),)
    second = [*first, f"training/{cell.id}/s002", f"judge/{cell.id}/r01"]
    assert ids({cell.id: more}) == second
    done = (*more, _selection(cell, 1, (), (2, 0)))
    assert ids({cell.id: done}) == [*second, f"evaluation/{cell.id}"]


def test_a_cell_without_kept_runs_ends_without_evaluation_and_the_report_comes_all_the_same() -> None:
    campaign = _campaign()
    selections = {cell.id: (_selection(cell, 0, (), ()),) for cell in cells_of(campaign)}
    made = plan(campaign, selections, {})
    assert not [job for job in made.jobs if job.step == "evaluation"]
    assert made.jobs[-1].id == "report"


def test_no_report_before_every_cell_is_finished() -> None:
    campaign = _campaign()
    selections = _finished(campaign)
    del selections[cells_of(campaign)[0].id]
    assert "report" not in {job.id for job in plan(campaign, selections, {}).jobs}


def _changed(change: tuple[str, str]) -> Campaign:
    text = (CAMPAIGNS / "demo.yaml").read_text()
    assert change[0] in text
    return parse_campaign(text.replace(*change), "changed")


def _jobs_that_differ(before: Campaign, after: Campaign) -> set[str]:
    def settings(campaign: Campaign) -> dict[str, str]:
        return {
            job.id: job.digest({need: _result(need) for need in job.needs})
            for job in plan(campaign, _finished(campaign), {}).jobs
        }

    old, new = settings(before), settings(after)
    return {job_id.partition("/")[0] for job_id in old if old[job_id] != new.get(job_id)}


def _result(job: str) -> Result:
    return Result(job=job, digest="d", code="x", outputs=(Output(key="k", size=1, sha256=job),))


def test_a_change_reaches_just_the_steps_it_concerns() -> None:
    campaign = _campaign()
    bootstrap = parse_campaign(
        (CAMPAIGNS / "demo.yaml").read_text() + "\nbootstrap: {resamples: 500, confidence: 0.9}\n", "x"
    )
    assert _jobs_that_differ(campaign, bootstrap) == {"report"}
    assert _jobs_that_differ(campaign, _changed(("age_years: 5.0", "age_years: 4.0"))) == {"cohort", "report"}
    assert "phantom" in _jobs_that_differ(campaign, _changed(("signature: 1.0", "signature: 0.5")))


def test_the_order_of_the_levels_reaches_the_labels_that_follow_it() -> None:
    """Original's label is 1 for the first level: swapped levels are other labels, matched or not."""
    tiny = (Path(__file__).parents[1] / "tiny.yaml").read_text()
    one, other = (
        parse_campaign(f"{tiny}\nfactor: {{levels: [{levels}]}}\n", "x")
        for levels in ("GE, Siemens", "Siemens, GE")
    )
    assert "synthesis" in _jobs_that_differ(one, other)


def test_checkpoint_frequency_changes_no_result() -> None:
    changed = _changed(("schedule: one_cycle,", "schedule: one_cycle, checkpoint_epochs: 4,"))
    assert _jobs_that_differ(_campaign(), changed) == {"report"}


def test_a_job_digest_follows_the_outputs_it_reads() -> None:
    job: Job = plan(_campaign(), {}, {}).job("skullstrip/study/000")
    one = job.digest({"ingest/study/000": _result("a")})
    assert one == job.digest({"ingest/study/000": _result("a")})
    assert one != job.digest({"ingest/study/000": _result("b")})


def test_levels_of_any_spelling_make_valid_and_different_keys() -> None:
    from nameplate.store import check_key

    levels = ("Revolution CT", "Revolution_CT", "Revolution-CT", "H31s/2", "(blank)", "Größe")
    cells = [
        Cell(experiment="e", cohort="c", dataset="d", training_set=level, group=0).id for level in levels
    ]
    assert len(set(cells)) == len(levels)
    assert all(check_key(cell) and cell.count("/") == 4 for cell in cells)
