"""The commit of a job: its result record, which exists only once every output does."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import ValidationError

from nameplate.errors import DamagedObject
from nameplate.plan.pipeline import step_named
from nameplate.records import Record, to_json
from nameplate.steps.step import Job
from nameplate.store import NoSuchKey, Store
from nameplate.store.store import COMMITS, WORK

READERS = 8
"""How many records are read at once: each is small, and far away."""


class Output(Record):
    """One object that a job wrote."""

    key: str
    size: int
    sha256: str


class Result(Record):
    """The record of a finished job: digest of its inputs and settings, and its outputs."""

    job: str
    digest: str
    """SHA-256 over the step and its version, the job's settings and the results that it read."""
    code: str
    """Version of nameplate that wrote it."""
    outputs: tuple[Output, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the outputs' keys and digests: what a job that reads them depends on."""
        return digest_of([[output.key, output.sha256] for output in self.outputs])


def digest_of(value: Any) -> str:
    """SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def job_digest(job: Job, results: Mapping[str, Result]) -> str:
    """Digest of everything that decides a job's outputs; ``results`` holds those of ``job.needs``."""
    return digest_of(
        {
            "step": job.step,
            "version": step_named(job.step).version,
            "settings": job.settings.text,
            "needs": {need: results[need].fingerprint for need in job.needs},
        }
    )


def result_key(job: str) -> str:
    """The key of a job's result record."""
    return f"{COMMITS}{job}.json"


def again_key(job: str) -> str:
    """The key of a mark that a committed job is to be done again, whatever its digest."""
    return f"{WORK}/again/{job}"


def job_of_key(key: str) -> str | None:
    """The job whose result record has this key; None for any other key."""
    inside = key.startswith(COMMITS) and key.endswith(".json")
    return key.removeprefix(COMMITS).removesuffix(".json") if inside else None


def committed_jobs(store: Store) -> list[str]:
    """Ids of all jobs with a result in the store, current or not."""
    return [job for key in store.sizes(COMMITS) if (job := job_of_key(key)) is not None]


def read_result(store: Store, job: str) -> Result | None:
    """The committed result of a job, or None when there is none (or a torn one)."""
    try:
        return Result.model_validate_json(store.get(result_key(job)))
    except (NoSuchKey, ValidationError):
        return None


def committed_results(store: Store, jobs: Sequence[str], *, readers: int = READERS) -> dict[str, Result]:
    """The results of those jobs that are committed, by job id; so many are read at once."""
    with ThreadPoolExecutor(readers) as pool:
        results = zip(jobs, pool.map(lambda job: read_result(store, job), jobs), strict=True)
        return {job: result for job, result in results if result is not None}


def write_result(store: Store, result: Result) -> None:
    """Commit a job; every output must already be stored."""
    store.put(result_key(result.job), to_json(result))


def read_output(store: Store, output: Output) -> bytes:
    """A committed object; DamagedObject when it is gone or not what was committed."""
    try:
        data = store.get(output.key)
    except NoSuchKey:
        raise damaged(store, output.key) from None
    if len(data) != output.size or hashlib.sha256(data).hexdigest() != output.sha256:
        raise damaged(store, output.key)
    return data


def damaged(store: Store, key: str) -> DamagedObject:
    """The error for a committed object that is gone or has changed."""
    return DamagedObject(
        f"{store.url}: {key} is not what was committed (missing, damaged or replaced); "
        "delete it and run again to make it again"
    )
