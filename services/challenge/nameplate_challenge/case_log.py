"""``cases.jsonl``: grows by whole lines while the model works, and is sorted at the end."""

import fcntl
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from nameplate.errors import DamagedObject, UserError
from nameplate.records import from_jsonl, to_jsonl
from nameplate.steps.challenge import Outcome
from nameplate.whole import user_may_write, whole_file

FILE = "cases.jsonl"


class CaseLog:
    """The outcomes of a folder: those of earlier runs, and new ones.

    A run that is killed leaves at most one line that is not whole; it is taken off by the next one.
    """

    def __init__(self, out: Path) -> None:
        """Read what is there. Raises UserError if it is no such file, cannot be written, or is in use."""
        self._path = out / FILE
        self.before: dict[str, Outcome] = {}
        """By key."""
        with user_may_write(self._path):
            self._file: BinaryIO = self._path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise UserError(f"{out}: another challenge is writing there") from error
        with user_may_write(self._path):
            self._file.seek(0)
            data = self._file.read()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                self._file.truncate(len(whole))
        try:
            self.before = {row.key: row for row in from_jsonl(Outcome, whole)}
        except DamagedObject as error:
            self._file.close()
            raise UserError(f"{self._path}: {error}; give a new folder with --out") from error

    def __enter__(self) -> "CaseLog":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def has_scores(self) -> bool:
        """Whether the model has ever given one."""
        return any(outcome.score is not None for outcome in self.before.values())

    def forget(self) -> None:
        """Begin anew."""
        self.before = {}
        with user_may_write(self._path):
            self._file.truncate(0)

    def append(self, outcome: Outcome) -> None:
        """Keep one more; when this returns, it survives the process."""
        with user_may_write(self._path):
            self._file.write(to_jsonl([outcome]))
            self._file.flush()

    def finish(self, outcomes: Iterable[Outcome]) -> None:
        """Write these, and no others, in order."""
        rows = sorted(outcomes, key=lambda outcome: outcome.order)
        with user_may_write(self._path), whole_file(self._path) as partial:
            partial.write_bytes(to_jsonl(rows))
