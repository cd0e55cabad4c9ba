"""Whether a job's committed result is current: made from the same inputs that it would read now."""

from collections.abc import Mapping
from dataclasses import dataclass

from nameplate.job.result import (
    Result,
    again_key,
    committed_results,
    job_digest,
    job_of_key,
    read_result,
)
from nameplate.plan.pipeline import step_named
from nameplate.steps.step import Job
from nameplate.store import Store


@dataclass(frozen=True)
class Snapshot:
    """What a store held at one moment: for checking thousands of jobs without asking for each."""

    sizes: Mapping[str, int]
    """Bytes of every object, by key."""
    results: Mapping[str, Result]
    """Every committed result, by job id."""

    @classmethod
    def of(cls, store: Store, *, readers: int = 16) -> "Snapshot":
        """List the store once, and read its results in parallel."""
        sizes = store.sizes("")
        jobs = [job for key in sizes if (job := job_of_key(key)) is not None]
        return cls(sizes, committed_results(store, jobs, readers=readers))


def is_current(
    store: Store, job: Job, results: Mapping[str, Result], snapshot: Snapshot | None = None
) -> Result | None:
    """The committed result, if it was made from these inputs and its outputs still exist.

    With a ``snapshot``, the store is not asked.
    """
    result = read_result(store, job.id) if snapshot is None else snapshot.results.get(job.id)
    if result is None or result.digest != job_digest(job, results):
        return None
    sizes: Mapping[str, int]
    if snapshot is not None:
        sizes = snapshot.sizes
    else:
        folders = sorted({output.key[: output.key.rfind("/") + 1] for output in result.outputs})
        sizes = {key: size for folder in folders for key, size in store.sizes(folder).items()}
    if any(sizes.get(output.key) != output.size for output in result.outputs):
        return None
    return result


def is_asked_again(store: Store, job: Job, snapshot: Snapshot | None = None) -> bool:
    """Whether a run has to do this job though it may be current: a mark says so until it is done.

    Who only looks at what there is takes the current result, mark or not.
    """
    if not step_named(job.step).lists_source:
        return False
    mark = again_key(job.id)
    return store.exists(mark) if snapshot is None else mark in snapshot.sizes
