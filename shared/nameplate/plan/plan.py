"""From a campaign and its selections so far to its jobs: pure, and the same on every machine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from nameplate.campaign import Campaign
from nameplate.plan.pipeline import STEPS
from nameplate.steps import prediction, report, selection, training
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.steps.step import CohortPlan, Job


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Jobs in an order in which they can run; a later round appears after the selection before it."""

    jobs: tuple[Job, ...]
    open_cells: tuple[Cell, ...]
    """Cells without their last selection: more jobs may follow."""

    @cached_property
    def _by_id(self) -> dict[str, Job]:
        return {job.id: job for job in self.jobs}

    def job(self, job_id: str) -> Job:
        """The job of this id; KeyError when the plan has none."""
        return self._by_id[job_id]


def cells_of(campaign: Campaign) -> tuple[Cell, ...]:
    """Every cell of the campaign's grid, in the campaign's order."""
    return tuple(
        Cell(experiment=experiment.name, cohort=cohort, dataset=dataset, training_set=arm.name, group=group)
        for experiment in campaign.experiments
        for cohort in experiment.cohorts
        for dataset in campaign.datasets_of(experiment)
        for arm in experiment.all_arms
        for group in range(experiment.groups)
    )


def plan(
    campaign: Campaign, selections: Mapping[Cell, tuple[Selection, ...]], digests: Mapping[str, str]
) -> Plan:
    """All jobs known so far.

    ``selections`` are those made so far, by cell, in the order of rounds. ``digests`` are those of
    the sources by cohort, which decide the listing; a cohort without one is planned with an empty one.
    """
    jobs: list[Job] = []
    cohorts: dict[str, CohortPlan] = {}
    # A derived cohort needs the jobs of the one that it comes from, wherever the file has it.
    for name in sorted(campaign.cohorts, key=lambda name: campaign.cohorts[name].other is not None):
        other = cohorts.get(campaign.cohorts[name].other or "")
        cohort = CohortPlan(
            campaign=campaign, cohort=name, source=digests.get(name, ""), other=other, jobs={}
        )
        for step in STEPS:
            if step.scope == "cohort":
                cohort.jobs[step.name] = list(step.jobs(cohort))
                jobs += cohort.jobs[step.name]
        cohorts[name] = cohort
    open_cells: list[Cell] = []
    for cell in cells_of(campaign):
        (pack,) = cohorts[cell.cohort].ids("pack", experiment=cell.experiment, dataset=cell.dataset)
        rounds = selections.get(cell, ())
        jobs += _cell_jobs(campaign, cell, pack, rounds)
        if not rounds or rounds[-1].next_seeds:
            open_cells.append(cell)
    if not open_cells:
        jobs.append(report.job(campaign, jobs))
    return Plan(jobs=tuple(jobs), open_cells=tuple(open_cells))


def _cell_jobs(campaign: Campaign, cell: Cell, pack: str, selections: tuple[Selection, ...]) -> Iterator[Job]:
    """Rounds of training with their selections, and the predictions after the last one."""
    trained: dict[int, str] = {}
    selected: list[str] = []
    seeds = tuple(range(campaign.experiment(cell.experiment).rounds.first))
    for number, outcome in enumerate((*selections, None)):  # None: a selection still to be made
        for seed in seeds:
            run = training.job(campaign, cell, seed, number, pack, tuple(selected[-1:]))
            trained[seed] = run.id
            yield run
        chosen = selection.job(campaign, cell, number, tuple(trained.values()))
        selected.append(chosen.id)
        yield chosen
        if outcome is None:
            return
        if not outcome.next_seeds:
            if outcome.kept:
                kept = [trained[seed] for seed in outcome.kept]
                yield prediction.job(campaign, cell, pack, selected[-1], kept)
            return
        seeds = outcome.next_seeds
