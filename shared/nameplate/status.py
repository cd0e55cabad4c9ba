"""How far a campaign is, read from its store alone."""

from collections.abc import Mapping

from nameplate.campaign import Campaign
from nameplate.job import is_current
from nameplate.pipeline import STEPS
from nameplate.plan import cells_of, plan
from nameplate.result import Result
from nameplate.selections import committed_selections
from nameplate.store import Store


def current_results(campaign: Campaign, store: Store, sources: Mapping[str, str]) -> dict[str, Result]:
    """The committed results that were made from the campaign as it is now, by job id."""
    results: dict[str, Result] = {}
    for job in plan(campaign, committed_selections(campaign, store), sources).jobs:
        if all(need in results for need in job.needs):
            result = is_current(store, job, results)
            if result is not None:
                results[job.id] = result
    return results


def status_lines(campaign: Campaign, store: Store, sources: Mapping[str, str]) -> list[str]:
    """Jobs done by step, then each cell's trained, converged and kept runs."""
    selections = committed_selections(campaign, store)
    made = plan(campaign, selections, sources)
    results = current_results(campaign, store, sources)
    lines = [f"{campaign.name}: {len(results)} of {len(made.jobs)} jobs done (store {store.url})"]
    for step in STEPS:
        jobs = [job for job in made.jobs if job.step == step.name]
        if jobs:
            done = sum(job.id in results for job in jobs)
            lines.append(f"  {step.name:<11} {done:>5} of {len(jobs)}")
    if made.open_cells:
        lines.append(f"  {len(made.open_cells)} cells are still training: more jobs may follow")
    lines.append("")
    lines.append(f"  {'cell':<44} trained converged kept")
    for cell in cells_of(campaign):
        rounds = selections.get(cell.id, ())
        if rounds:
            last = rounds[-1]
            lines.append(f"  {cell.id:<44} {last.trained:>7} {last.converged:>9} {len(last.kept):>4}")
        else:
            lines.append(f"  {cell.id:<44} {'-':>7} {'-':>9} {'-':>4}")
    return lines
