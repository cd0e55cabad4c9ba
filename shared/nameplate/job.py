"""One job: what its step function may read and write, and the commit at its end."""

import errno
import hashlib
import importlib
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import nameplate
from nameplate.campaign import Campaign
from nameplate.errors import DamagedObject, StoreError
from nameplate.pipeline import step_named
from nameplate.plan import Job
from nameplate.result import (
    Output,
    Result,
    job_of_key,
    read_output,
    read_result,
    result_key,
    write_result,
)
from nameplate.store import NoSuchKey, Store
from nameplate.timing import Timing

logger = logging.getLogger(__name__)


class JobContext:
    """The world as one job sees it: committed inputs, its own outputs, nothing else."""

    def __init__(
        self,
        job: Job,
        campaign: Campaign,
        campaign_folder: Path,
        store: Store,
        results: Mapping[str, Result],
        scratch: Path,
        should_stop: Callable[[], bool],
    ) -> None:
        self.job = job
        self.campaign = campaign
        self.campaign_folder = campaign_folder
        """Where the campaign file lies: relative paths in it start here."""
        self.results = results
        """Results of the jobs that this one needs, by id."""
        self.scratch = scratch
        """A folder for temporary files, deleted at the end."""
        self.should_stop = should_stop
        """True once the process was asked to end: save and raise TryAgain."""
        self._store = store
        self._inputs = {output.key: output for result in results.values() for output in result.outputs}
        self._outputs: dict[str, Output] = {}

    @property
    def inputs(self) -> tuple[Output, ...]:
        """Every object that the needed jobs committed, in their order."""
        return tuple(self._inputs.values())

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every object that the needed jobs committed, by key."""
        return {output.key: output.sha256 for output in self._inputs.values()}

    def parameter(self, name: str) -> str:
        """A parameter of the job as text."""
        return str(self.job.parameters[name])

    def number(self, name: str) -> int:
        """A parameter of the job as a whole number."""
        return int(self.job.parameters[name])

    def read(self, key: str) -> bytes:
        """A committed input, checked against its digest."""
        try:
            return read_output(self._store, self._inputs[key])
        except DamagedObject:
            self._withdraw(key)
            raise

    def fetch(self, key: str) -> Path:
        """A local file with a committed input, checked against its digest; read only."""
        output = self._inputs[key]
        try:
            path = self._store.fetch(key, self.scratch / "fetched")
        except NoSuchKey as error:
            self._withdraw(key)
            raise DamagedObject(f"{error}, though it was committed; run again to make it anew") from error
        if path.stat().st_size != output.size or _sha256(path) != output.sha256:
            self._withdraw(key)
            raise DamagedObject(
                f"{self._store.url}: {key} is not what was committed (damaged or replaced); "
                "delete it and run again, and it will be made anew"
            )
        return path

    def _withdraw(self, key: str) -> None:
        """Take back the commit of the job that made a damaged input: the next run then does it again."""
        for job, result in self.results.items():
            if any(output.key == key for output in result.outputs):
                logger.warning("commit withdrawn", extra={"job": job, "key": key})
                self._store.delete(result_key(job))

    def write(self, key: str, data: bytes) -> None:
        """Store an output; it counts once the job is committed."""
        self._store.put(key, data)
        self._outputs[key] = Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())

    def write_file(self, key: str, path: Path) -> None:
        """Store a file as an output."""
        self._store.put_file(key, path)
        self._outputs[key] = Output(key=key, size=path.stat().st_size, sha256=_sha256(path))

    def result(self, digest: str) -> Result:
        """The record that commits what was written."""
        outputs = tuple(self._outputs[key] for key in sorted(self._outputs))
        return Result(job=self.job.id, digest=digest, code=nameplate.__version__, outputs=outputs)

    # Checkpoints are no outputs: they are not committed, and they go when the job is done.

    def load_work(self) -> Path:
        """A folder that outlives the process: what an interrupted run of this job left is in it."""
        prefix = f"work/{self.job.id}"
        folder = self._store.folder(prefix)
        if folder is None:
            folder = self.scratch / "work"
            folder.mkdir(exist_ok=True)
            for key in self._store.sizes(prefix + "/"):
                (folder / key.rpartition("/")[2]).write_bytes(self._store.get(key))
        return folder

    def save_work(self, folder: Path) -> None:
        """Keep the folder of ``load_work`` where another machine finds it."""
        prefix = f"work/{self.job.id}"
        if self._store.folder(prefix) is None:
            for path in sorted(folder.iterdir()):
                if not path.name.startswith("."):
                    self._store.put_file(f"{prefix}/{path.name}", path)

    def drop_work(self) -> None:
        """Forget what ``save_work`` kept."""
        for key in self._store.sizes(f"work/{self.job.id}/"):
            self._store.delete(key)


class CommittedReader:
    """Everything that a set of results committed, for reading alone."""

    def __init__(self, store: Store, results: Mapping[str, Result]) -> None:
        self._store = store
        self._outputs = {output.key: output for result in results.values() for output in result.outputs}

    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every committed object, by key."""
        return {key: output.sha256 for key, output in self._outputs.items()}

    def read(self, key: str) -> bytes:
        """A committed object, checked against its digest."""
        return read_output(self._store, self._outputs[key])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Snapshot:
    """What a store held at one moment: for looking at thousands of jobs without asking for each."""

    sizes: Mapping[str, int]
    """Bytes of every object, by key."""
    results: Mapping[str, Result]
    """Every committed result, by job id."""

    @classmethod
    def of(cls, store: Store, *, readers: int = 16) -> "Snapshot":
        """List the store once, and read its results side by side."""
        sizes = store.sizes("")
        jobs = [job for key in sizes if (job := job_of_key(key)) is not None]
        with ThreadPoolExecutor(readers) as pool:
            found = pool.map(lambda job: read_result(store, job), jobs)
            results = {job: result for job, result in zip(jobs, found, strict=True) if result is not None}
        return cls(sizes, results)


def is_current(
    store: Store, job: Job, results: Mapping[str, Result], snapshot: Snapshot | None = None
) -> Result | None:
    """The committed result, if it was made from these very inputs and its outputs are still there.

    With a ``snapshot`` the store is not asked.
    """
    result = read_result(store, job.id) if snapshot is None else snapshot.results.get(job.id)
    if result is None or result.digest != job.digest(results):
        return None
    sizes: Mapping[str, int]
    if snapshot is not None:
        sizes = snapshot.sizes
    else:
        folders = sorted({output.key.rpartition("/")[0] + "/" for output in result.outputs})
        sizes = {key: size for folder in folders for key, size in store.sizes(folder).items()}
    if any(sizes.get(output.key) != output.size for output in result.outputs):
        return None
    return result


def run_job(
    job: Job,
    campaign: Campaign,
    campaign_folder: Path,
    store: Store,
    results: Mapping[str, Result],
    *,
    scratch_root: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    timing: Timing | None = None,
) -> Result:
    """Do one job and commit it; a job that is committed from the same inputs is not done again.

    What the step's own function and its import took is added to ``timing``.
    """
    timing = timing or Timing()
    done = is_current(store, job, results)
    if done is not None:
        logger.info("already committed", extra={"job": job.id})
        return done
    older = read_result(store, job.id) is not None
    with timing.spent("start_s"):  # torch alone takes seconds, and who finds all done needs none of it
        module, _, function = step_named(job.step).entry.partition(":")
        work = getattr(importlib.import_module(module), function)
    with tempfile.TemporaryDirectory(prefix="nameplate-", dir=scratch_root) as scratch:
        context = JobContext(job, campaign, campaign_folder, store, results, Path(scratch), should_stop)
        logger.info("start", extra={"job": job.id})
        # From here on the outputs of an older commit are overwritten: it must not stand for a mixture.
        # Where there was none, none is deleted: another copy of this job may commit the same bytes now.
        if older:
            store.delete(result_key(job.id))
        try:
            with timing.spent("work_s"):
                work(context)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(f"the disk is full: {job.id} could not write its files") from error
            raise
        result = context.result(job.digest(results))
        write_result(store, result)
        context.drop_work()
    logger.info("committed", extra={"job": job.id, "outputs": len(result.outputs)})
    return result


def default_scratch(store: Store) -> Path | None:
    """Where jobs keep temporary files: beside a directory store (same disk), else the system's place."""
    folder = store.folder("work/scratch")
    return folder if folder is not None and os.access(folder, os.W_OK) else None
