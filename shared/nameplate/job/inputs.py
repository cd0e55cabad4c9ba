"""What one job may read: the committed files of the jobs that it needs, and its source files if any."""

import hashlib
import logging
from collections.abc import Mapping
from pathlib import Path

from nameplate.campaign.cohort_source import CohortSource
from nameplate.errors import DamagedObject
from nameplate.job.result import Output, Result, damaged, read_output, result_key
from nameplate.store import NoSuchKey, Store

logger = logging.getLogger(__name__)


class Committed:
    """Everything that a set of results committed, for reading."""

    def __init__(self, store: Store, results: Mapping[str, Result]) -> None:
        self._store = store
        self._results = results
        self._outputs = {output.key: output for result in results.values() for output in result.outputs}
        self.keys = tuple(self._outputs)
        """The key of every committed file, in the order of the results."""

    @property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of every committed file, by key."""
        return {key: output.sha256 for key, output in self._outputs.items()}

    def read(self, key: str) -> bytes:
        """A committed file; DamagedObject when it is gone or not what was committed."""
        return read_output(self._store, self._outputs[key])


class Inputs(Committed):
    """The inputs of one job. A damaged input withdraws its own commit, so that the next run repairs it."""

    def __init__(
        self, store: Store, results: Mapping[str, Result], source: CohortSource | None, cache: Path
    ) -> None:
        super().__init__(store, results)
        self._source = source
        self._cache = cache

    @property
    def source(self) -> CohortSource:
        """Where the cohort's exams are."""
        if self._source is None:
            raise LookupError("this job has no source")
        return self._source

    def read(self, key: str) -> bytes:
        """A committed file, checked against its digest."""
        try:
            return super().read(key)
        except DamagedObject:
            self._withdraw(key)
            raise

    def fetch(self, key: str) -> Path:
        """A local file with a committed input, checked against its digest; do not write to it."""
        output = self._outputs[key]
        try:
            path = self._store.fetch(key, self._cache)
        except NoSuchKey:
            self._withdraw(key)
            raise damaged(self._store, key) from None
        if not _matches(path, output):
            self._withdraw(key)
            raise damaged(self._store, key)
        return path

    def _withdraw(self, key: str) -> None:
        for job, result in self._results.items():
            if any(output.key == key for output in result.outputs):
                logger.warning("commit withdrawn", extra={"job": job, "key": key})
                self._store.delete(result_key(job))


def _matches(path: Path, output: Output) -> bool:
    if path.stat().st_size != output.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == output.sha256
