"""What a pod of a cluster does: the jobs of one batch, one after the other, each with its own commit."""

import logging
from collections.abc import Callable
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.errors import NameplateError, StoreError, StoreUnreachable, TryAgain, UserError
from nameplate.job import default_scratch, run_job
from nameplate.pipeline import step_named
from nameplate.plan import Cell, cells_of, plan
from nameplate.source import source_digests
from nameplate.stages import LINE_STEPS, Batch, jobs_of
from nameplate.store import open_store
from nameplate.stored import committed_results, committed_selections, read_campaign
from nameplate.timing import Timing

logger = logging.getLogger(__name__)


def run_batch(
    batch: Batch,
    store_url: str,
    *,
    service: str,
    digest: str | None,
    patience: float,
    should_stop: Callable[[], bool],
    timing: Timing,
) -> None:
    """Do the jobs of a batch that are not committed yet.

    A job that fails does not keep the others from being done. At the end a failure that may pass is
    raised before a mistake: the batch is then tried again, and what was a mistake fails again. ``digest``
    is that of the campaign's text; ``patience`` is for how many seconds a store may be silent.
    """
    step = step_named(batch.first.partition("/")[0])
    if step.service != service:
        raise UserError(f"{batch}: work of the service {step.service}, not {service}")
    with timing.spent("plan_s"):
        store = open_store(store_url, create=False, patience=patience, should_stop=should_stop)
        campaign = read_campaign(store, digest=digest)
        folder = Path.cwd()
        # Only the ingest looks at source files; no other job may need them, or the key of the pseudonyms.
        sources = source_digests(campaign, folder) if step.name == "ingest" else {}
        selections = committed_selections(store, _cells_behind(batch, campaign))
        jobs = jobs_of(plan(campaign, selections, sources), batch)
    failures: list[Exception] = []
    for job in jobs:
        if should_stop():
            raise TryAgain(f"asked to stop before {job.id}; what was done is committed")
        try:
            with timing.spent("commit_s"):
                results = committed_results(store, job.needs, may_follow=True)
                run_job(
                    job,
                    campaign,
                    folder,
                    store,
                    results,
                    scratch_root=default_scratch(store),
                    should_stop=should_stop,
                    timing=timing,
                )
            timing.jobs += 1
        except NameplateError as error:
            logger.error("failed", extra={"job": job.id, "reason": str(error)})
            if isinstance(error, StoreError | StoreUnreachable) or should_stop():
                raise  # no other job could do better
            failures.append(error)
        except Exception as error:
            logger.exception("failed by a bug", extra={"job": job.id})
            failures.append(error)
    if failures:
        raise min(failures, key=lambda failure: not isinstance(failure, TryAgain))


def _cells_behind(batch: Batch, campaign: Campaign) -> tuple[Cell, ...]:
    """The cells whose verdicts decide what a batch is: those of its line, and all for the report."""
    step, _, rest = batch.first.partition("/")
    cells = cells_of(campaign)
    if step not in LINE_STEPS:
        return cells if step == "report" else ()
    lines = {cell.line for cell in cells if rest == cell.id or rest.startswith(f"{cell.id}/")}
    return tuple(cell for cell in cells if cell.line in lines)
