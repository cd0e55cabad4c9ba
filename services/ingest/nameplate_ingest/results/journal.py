"""What an ingest has done so far, so that the same command goes on where it was stopped."""

import fcntl
import hashlib
import hmac
import os
from collections.abc import Collection, Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Protocol

from pydantic import ValidationError

import nameplate
from nameplate.campaign.ingest import IngestSettings
from nameplate.errors import UserError
from nameplate.records import Record, to_json, to_jsonl
from nameplate.steps.ingest import NOT_AS_LISTED, SOURCE_REFUSED, STEP, Exam, LedgerRow, Target
from nameplate.steps.measured import MeasuredExam
from nameplate_ingest.results.output import Output


class Outcome(Record):
    """What became of one study."""

    study: str
    """Pseudonym: 'e' and 16 hex digits."""
    digest: str
    """Keyed, of the study's files and of what the user's list says about it."""
    image: str | None
    """SHA-256 of the image's file, if there is one."""
    exam: Exam | None
    as_read: MeasuredExam | None
    """What was measured in the exam's own pixels."""
    rows: tuple[LedgerRow, ...]
    target: Target | None = None
    """What became of the user's mask of the exam, if there is one."""
    target_image: str | None = None
    """SHA-256 of that mask's file on the image's grid, if it can be learned."""

    @property
    def failed(self) -> bool:
        """Whether an error, a dead worker or the source is to blame that there is no exam."""
        return any(row.rule in ("error", *NOT_AS_LISTED) for row in self.rows)

    @property
    def refused_for_now(self) -> bool:
        """Whether the source has the study and did not give it."""
        return any(row.rule == SOURCE_REFUSED for row in self.rows)


class Run(Record):
    """What decides the results of an ingest, apart from the files."""

    version: str
    key: str
    """Keyed digest of a constant: tells keys apart, and nothing about them."""
    source: str
    """Keyed digest of what names the source: a folder's path."""
    settings: IngestSettings


class Started(Record):
    """A study that was begun in the process of the whole run."""

    started: str


def run_of(source: str, settings: IngestSettings, key: bytes) -> Run:
    """The run that would ingest the source of this identity now."""

    def keyed(kind: str, value: bytes) -> str:
        return hmac.new(key, kind.encode() + b"\0" + value, hashlib.sha256).hexdigest()[:32]

    return Run(
        version=f"{nameplate.__version__}, ingest {STEP.version}",
        key=keyed("ingest key", b""),
        source=keyed("ingest source", os.fsencode(source)),
        settings=settings,
    )


class Done(Protocol):
    """What was done before, and by whom it is remembered."""

    @property
    def studies(self) -> AbstractSet[str]:
        """The studies that are done and cannot be taken back."""

    @property
    def suspects(self) -> AbstractSet[str]:
        """Studies that were begun and have no result: one of them may have ended the process."""

    @property
    def refused(self) -> AbstractSet[str]:
        """Studies that the source did not give before, as far as ``outcome`` was asked about them."""

    def outcome(self, study: str, digest: str) -> Outcome | None:
        """What became of a study, if it is done, its files are the same, and what it wrote is still whole."""

    def start(self, study: str) -> None:
        """Note that the process of the whole run begins a study itself."""

    def add(self, outcome: Outcome) -> None:
        """Note that a study is done."""

    def finish(self, exams: Collection[str], targets: Collection[str], studies: Collection[str]) -> None:
        """Note that all is done: which studies have an image, which a mask that can be learned, and which
        there are."""


class Journal:
    """One line for every study that is done.

    It holds pseudonyms, keyed digests, and what the files of lines hold.
    """

    def __init__(self, output: Output, run: Run) -> None:
        self._output = output
        self._path = output.work / "journal.jsonl"
        self._run = run
        self._places: dict[str, int] = {}
        """Study to the first byte of its line."""
        self.suspects: set[str] = set()
        """Studies that were begun and have no result: one of them may have ended the process."""

    @property
    def refused(self) -> set[str]:
        """They are among the suspects, which are done last."""
        return self.suspects

    @property
    def studies(self) -> frozenset[str]:
        """The studies that are done."""
        return frozenset(self._places) - self.suspects

    @contextmanager
    def open(self) -> Iterator[None]:
        """Take the folder for this run; it must be new, empty, or of the same run.

        Raises UserError for any other folder, and while another process writes to it.
        """
        self._check()
        self._output.create()
        lock = os.open(self._output.work, os.O_RDONLY)
        try:
            self._lock(lock)
            self._output.clean()
            self._output.put(self._output.work / "run.json", to_json(self._run))
            self._read()
            yield
        finally:
            os.close(lock)

    def outcome(self, study: str, digest: str) -> Outcome | None:
        """What became of a study, if it is done, its files are the same, and what it wrote is still whole."""
        if study not in self._places or study in self.suspects:
            return None
        outcome = Outcome.model_validate_json(self._line(study))
        if outcome.digest != digest:
            return None
        written = {} if outcome.exam is None else {self._output.folder / outcome.exam.image: outcome.image}
        if outcome.target_image is not None:
            written[self._output.target(study)] = outcome.target_image
        for path, digest_of in written.items():
            try:
                data = path.read_bytes()
            except OSError:
                return None
            if hashlib.sha256(data).hexdigest() != digest_of:
                return None
        return outcome

    def start(self, study: str) -> None:
        """Note that the process of the whole run begins a study itself."""
        self._append(Started(started=study))

    def add(self, outcome: Outcome) -> None:
        """Note that a study is done."""
        self._places[outcome.study] = self._append(outcome)

    def finish(self, exams: Collection[str], targets: Collection[str], studies: Collection[str]) -> None:
        """Delete images of other exams, and keep one line for each of these studies, in a fixed order."""
        self._output.keep_images(exams, targets)
        lines = [(study, self._places[study]) for study in sorted(studies)]
        with self._path.open("rb") as file:

            def line(place: int) -> bytes:
                file.seek(place)
                return file.readline()

            self._output.put_lines(self._path, (line(place) for _, place in lines))

    def _line(self, study: str) -> bytes:
        with self._path.open("rb") as file:
            file.seek(self._places[study])
            return file.readline()

    def _append(self, record: Record) -> int:
        """Write a line; returns the place of its first byte."""
        with self._output.writing(), self._path.open("ab", buffering=0) as file:
            place, rest = file.tell(), memoryview(to_jsonl((record,)))
            try:
                while rest:
                    rest = rest[file.write(rest) :]
            except OSError:
                file.truncate(place)
                raise
            return place

    def _check(self) -> None:
        """Raise UserError for a folder that is not of this run."""
        folder = self._output.folder
        if not folder.exists():
            return
        if not folder.is_dir():
            raise UserError(f"{folder}: not a folder")
        try:
            before = Run.model_validate_json((self._output.work / "run.json").read_bytes())
        except FileNotFoundError:
            ours = self._output.work, self._output.images, self._output.refused
            made = (path for place in ours[1:] for path in place.glob("*"))
            if any(made) or any(path not in ours for path in folder.iterdir()):
                why = "not an empty folder; images of two ingests must not mix"
                raise UserError(f"{folder}: {why}") from None
            return
        except (OSError, ValidationError) as error:
            raise UserError(f"{folder}: the record of its ingest cannot be read") from error
        if why := _difference(before, self._run):
            raise UserError(f"{folder}: holds an ingest {why}; choose another folder")

    def _lock(self, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"{self._output.folder}: another ingest is writing to it now") from None
        except OSError:
            pass  # a file system without locks: then nobody is kept out

    def _read(self) -> None:
        """Find the outcomes; a line that was cut short by the end of its process is dropped."""
        place = 0
        with self._output.writing(), self._path.open("a+b") as file:
            file.seek(0)
            for line in file:
                if not line.endswith(b"\n"):
                    file.truncate(place)
                    break
                self._take(line, place)
                place += len(line)

    def _take(self, line: bytes, place: int) -> None:
        try:
            if line.startswith(b'{"started"'):
                self.suspects.add(Started.model_validate_json(line).started)
                return
            outcome = Outcome.model_validate_json(line)
        except ValidationError:
            return  # damaged: its study is done again
        self._places[outcome.study] = place
        if outcome.failed:
            self.suspects.add(outcome.study)
        else:
            self.suspects.discard(outcome.study)


def _difference(before: Run, now: Run) -> str:
    """How an earlier run differs from this one; empty if it is the same."""
    if before.version != now.version:
        return f"of another version of nameplate ({before.version}; this is {now.version})"
    if before.settings != now.settings:
        fields = IngestSettings.model_fields
        names = [name for name in fields if getattr(before.settings, name) != getattr(now.settings, name)]
        return f"with other settings ({', '.join(names)})"
    if before.key != now.key:
        return "under another key"
    return "" if before.source == now.source else "of another source folder"
