"""Doing one job: its step's function, and the commit at the end."""

import errno
import importlib
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import nameplate
from nameplate.campaign.cohort_source import CohortSource
from nameplate.errors import StoreError
from nameplate.job.current import is_asked_again, is_current
from nameplate.job.inputs import Inputs
from nameplate.job.outputs import Outputs
from nameplate.job.result import Result, again_key, job_digest, read_result, result_key, write_result
from nameplate.job.timing import Timing
from nameplate.plan.pipeline import step_named
from nameplate.steps.step import Job
from nameplate.store import Store
from nameplate.store.store import WORK

logger = logging.getLogger(__name__)


def run_job(
    job: Job,
    store: Store,
    results: Mapping[str, Result],
    *,
    source: CohortSource | None = None,
    scratch_root: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[], None] = lambda: None,
    timing: Timing | None = None,
) -> Result:
    """Do one job and commit it; a job already committed from the same inputs is not done again.

    The step's function gets the job's settings, inputs and outputs, and nothing else of the campaign.
    ``results`` are those of the jobs that it needs. ``on_progress`` is called when a checkpoint was saved and
    when the job was committed: what an interrupted process need not do again. The time of the function and of
    its import, and what the function told, are added to ``timing``.
    """
    timing = timing or Timing()
    done = None if is_asked_again(store, job) else is_current(store, job, results)
    if done is not None:
        logger.info("already committed", extra={"job": job.id})
        return done
    step = step_named(job.step)
    older = read_result(store, job.id) is not None
    with timing.spent("start_s"):  # importing torch takes seconds: only for a job that has to be done
        module, _, function = step.entry.partition(":")
        work = getattr(importlib.import_module(module), function)
    with tempfile.TemporaryDirectory(prefix="nameplate-", dir=scratch_root) as scratch:
        inputs = Inputs(store, results, source, Path(scratch) / "fetched")
        # From the first output on those of an older commit are overwritten: it must not vouch for a mixture.
        # Without an older one, nothing is deleted: another copy of this job may commit the same bytes.
        withdraw = (lambda: store.delete(result_key(job.id))) if older else (lambda: None)
        outputs = Outputs(job.id, store, Path(scratch), should_stop, on_progress, withdraw)
        logger.info("start", extra={"job": job.id})
        try:
            with timing.spent("work_s"):
                work(job.settings, inputs, outputs)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(f"the disk is full: {job.id} could not write its files") from error
            raise
        result = Result(
            job=job.id, digest=job_digest(job, results), code=nameplate.__version__, outputs=outputs.written
        )
        write_result(store, result)
        if step.lists_source:
            store.delete(again_key(job.id))
        on_progress()
        outputs.drop_checkpoints()
    timing.hear(outputs.told)
    logger.info("committed", extra={"job": job.id, "outputs": len(result.outputs)})
    return result


def default_scratch(store: Store) -> Path | None:
    """Where jobs keep temporary files: inside a directory store (same disk), else the system's default."""
    folder = store.folder(f"{WORK}/scratch")
    return folder if folder is not None and os.access(folder, os.W_OK) else None
