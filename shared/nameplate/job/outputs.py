"""What one job writes: files that count once it is committed, temporary files, and checkpoints."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from nameplate.job.result import Output
from nameplate.store import NoSuchKey, Store
from nameplate.store.store import WORK


class Outputs:
    """The outputs of one job."""

    def __init__(
        self,
        job_id: str,
        store: Store,
        scratch: Path,
        should_stop: Callable[[], bool],
        on_checkpoint: Callable[[], None] = lambda: None,
        before_first: Callable[[], None] = lambda: None,
    ) -> None:
        self.scratch = scratch
        """A folder for temporary files, deleted at the end."""
        self.should_stop = should_stop
        """True once the process must end: save and raise TryAgain."""
        self._store = store
        self._on_checkpoint = on_checkpoint
        self._before_first = before_first
        self._work = f"{WORK}/{job_id}"
        self._written: dict[str, Output] = {}
        self.told: dict[str, float] = {}
        """What ``tell`` was told."""

    @property
    def written(self) -> tuple[Output, ...]:
        """What was written so far, in order of key."""
        return tuple(self._written[key] for key in sorted(self._written))

    def write(self, key: str, data: bytes) -> None:
        """Store an output; it counts once the job is committed."""
        self._begin()
        self._store.put(key, data)
        self._written[key] = Output(key=key, size=len(data), sha256=hashlib.sha256(data).hexdigest())

    def write_file(self, key: str, path: Path) -> None:
        """Store a file as an output."""
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self._begin()
        self._store.put_file(key, path)
        self._written[key] = Output(key=key, size=path.stat().st_size, sha256=digest)

    def _begin(self) -> None:
        """Before the first output: the store is about to change."""
        if not self._written:
            self._before_first()

    def write_again(self, key: str, sha256: str) -> bool:
        """Count what an earlier attempt stored as an output of this one, if it is whole; else False."""
        try:
            data = self._store.get(key)
        except NoSuchKey:
            return False
        if hashlib.sha256(data).hexdigest() != sha256:
            return False
        self._begin()
        self._written[key] = Output(key=key, size=len(data), sha256=sha256)
        return True

    def tell(self, **numbers: float) -> None:
        """Numbers about this job for who watches the cluster: counts and figures, nothing of a patient.

        They are no output: nothing that is committed depends on them, and a job that is not done again tells
        nothing.
        """
        self.told |= numbers

    # What is kept is no output: it outlives the job, and saves work where one like it is done later.

    def load_kept(self, name: str) -> bytes | None:
        """What ``save_kept`` stored under this name, in this attempt or any other; None if nothing was."""
        try:
            return self._store.get(f"{WORK}/{name}")
        except NoSuchKey:
            return None

    def save_kept(self, name: str, data: bytes) -> None:
        """Store it; an attempt that did is one that made progress."""
        self._store.put(f"{WORK}/{name}", data)
        self._on_checkpoint()

    # Checkpoints are not outputs: they are not committed, and are deleted when the job is done.

    def load_checkpoints(self) -> Path:
        """A folder that outlives the process, with whatever an interrupted run of this job left."""
        folder = self._store.folder(self._work)
        if folder is None:
            folder = self.scratch / "work"
            folder.mkdir(exist_ok=True)
            for key in self._store.sizes(self._work + "/"):
                (folder / key.rpartition("/")[2]).write_bytes(self._store.get(key))
        return folder

    def save_checkpoints(self, folder: Path) -> None:
        """Store the folder of ``load_checkpoints``, which has changed, where another machine finds it."""
        if self._store.folder(self._work) is None:
            for path in sorted(folder.iterdir()):
                if not path.name.startswith("."):
                    self._store.put_file(f"{self._work}/{path.name}", path)
        self._on_checkpoint()

    def drop_checkpoints(self) -> None:
        """Delete what ``save_checkpoints`` stored."""
        for key in self._store.sizes(self._work + "/"):
            self._store.delete(key)
