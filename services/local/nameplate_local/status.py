"""The progress of a campaign, read from its store."""

from collections.abc import Mapping

from nameplate.campaign import Campaign
from nameplate.job.state import current_state
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import cells_of
from nameplate.store import Store


def status_lines(campaign: Campaign, store: Store, digests: Mapping[str, str]) -> list[str]:
    """Jobs done by step, then each cell's trained, converged and kept runs."""
    state = current_state(campaign, store, digests)
    plan, results, selections = state.plan, state.results, state.selections
    lines = [f"{campaign.name}: {len(results)} of {len(plan.jobs)} jobs done (store {store.url})"]
    for step in STEPS:
        jobs = [job for job in plan.jobs if job.step == step.name]
        if jobs:
            done = sum(job.id in results for job in jobs)
            lines.append(f"  {step.name:<11} {done:>5} of {len(jobs)}")
    if plan.open_cells:
        lines.append(f"  {len(plan.open_cells)} cells are still training: more jobs may follow")
    lines.append("")
    lines.append(f"  {'cell':<44} trained converged kept")
    for cell in cells_of(campaign):
        rounds = selections.get(cell, ())
        if rounds:
            last = rounds[-1]
            lines.append(f"  {cell!s:<44} {last.trained:>7} {last.converged:>9} {len(last.kept):>4}")
        else:
            lines.append(f"  {cell!s:<44} {'-':>7} {'-':>9} {'-':>4}")
    return lines
