"""The commit of a job: its result record, whose presence says that every output is there."""

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from nameplate.errors import DamagedObject
from nameplate.records import Record
from nameplate.store import NoSuchKey, Store


class Output(Record):
    """One object that a job wrote."""

    key: str
    size: int
    sha256: str


class Result(Record):
    """What a finished job leaves: digest of its inputs and settings, and its outputs."""

    job: str
    digest: str
    """SHA-256 over step version, parameters, settings and the results that the job read."""
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


def result_key(job: str) -> str:
    """Where the result record of a job lies."""
    return f"jobs/{job}.json"


def job_of_key(key: str) -> str | None:
    """The job whose result record lies under a key; None for any other key."""
    inside = key.startswith("jobs/") and key.endswith(".json")
    return key.removeprefix("jobs/").removesuffix(".json") if inside else None


def read_result(store: Store, job: str) -> Result | None:
    """The committed result of a job, or None where there is none (or a torn one)."""
    try:
        return Result.model_validate_json(store.get(result_key(job)))
    except (NoSuchKey, ValidationError):
        return None


def write_result(store: Store, result: Result) -> None:
    """Commit a job; every output must be stored already."""
    store.put(result_key(result.job), result.model_dump_json(indent=1).encode() + b"\n")


def read_output(store: Store, output: Output) -> bytes:
    """A committed object; DamagedObject when it is gone or not what was committed."""
    try:
        data = store.get(output.key)
    except NoSuchKey as error:
        raise DamagedObject(f"{error}, though it was committed; run again to make it anew") from error
    if len(data) != output.size or hashlib.sha256(data).hexdigest() != output.sha256:
        raise DamagedObject(
            f"{store.url}: {output.key} is not what was committed (damaged or replaced); "
            "delete it and run again, and it will be made anew"
        )
    return data
