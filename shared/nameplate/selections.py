"""What of a campaign is done: current results, and the judges' verdicts among them."""

from collections.abc import Mapping
from dataclasses import dataclass

from nameplate.campaign import Campaign
from nameplate.job import is_current
from nameplate.plan import Plan, plan
from nameplate.records import Selection
from nameplate.result import Result, read_output
from nameplate.store import Store


@dataclass(frozen=True, kw_only=True)
class State:
    """How far a campaign is."""

    plan: Plan
    results: Mapping[str, Result]
    """Results that were made from the campaign as it is now, by job id."""
    selections: Mapping[str, tuple[Selection, ...]]
    """Verdicts by cell id, in the order of rounds."""


def read_selection(store: Store, result: Result) -> Selection:
    """The verdict that a judge's job committed."""
    return Selection.model_validate_json(read_output(store, result.outputs[0]))


def cell_of_judge(job: str) -> str:
    """The cell that a judge's job is of: judge/<cell>/r<round>."""
    return job.removeprefix("judge/").rpartition("/")[0]


def current_state(campaign: Campaign, store: Store, sources: Mapping[str, str]) -> State:
    """Walk the plan along what is committed; verdicts on the way make it longer."""
    results: dict[str, Result] = {}
    selections: dict[str, tuple[Selection, ...]] = {}
    checked: set[str] = set()
    while True:
        made = plan(campaign, selections, sources)
        grown = False
        for job in made.jobs:
            if job.id in checked or any(need not in results for need in job.needs):
                continue
            checked.add(job.id)
            result = is_current(store, job, results)
            if result is None:
                continue
            results[job.id] = result
            if job.step == "judge":
                cell = cell_of_judge(job.id)
                selections[cell] = (*selections.get(cell, ()), read_selection(store, result))
                grown = True
        if not grown:
            return State(plan=made, results=results, selections=selections)
