"""The folder that an ingest writes: every file in it appears whole, or not at all."""

import filecmp
import shutil
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from nameplate.whole import user_may_write

_PART = ".part"


@dataclass(frozen=True, slots=True)
class Output:
    """A folder with ``images`` and ``refused``, and ``.ingest``, where files are before they get their place.

    So even a process that is killed leaves nothing half written among the images.
    """

    folder: Path

    @property
    def images(self) -> Path:
        """Where the exams' volumes are."""
        return self.folder / "images"

    @property
    def refused(self) -> Path:
        """A slice of each refused series as a small picture."""
        return self.folder / "refused"

    @property
    def work(self) -> Path:
        """Files that are being written, and the journal."""
        return self.folder / ".ingest"

    @property
    def exams(self) -> Path:
        """One line for every exam."""
        return self.folder / "exams.jsonl"

    @property
    def targets(self) -> Path:
        """One line for every exam that the user has a mask of."""
        return self.folder / "targets.jsonl"

    def target(self, exam: str) -> Path:
        """The user's mask of an exam, on the grid of its image; in a folder that is there only with masks."""
        return self.folder / "targets" / f"{exam}.nii.gz"

    @property
    def as_read(self) -> Path:
        """What was measured in the scanner's own pixels: one line for every exam."""
        return self.folder / "as-read.jsonl"

    @property
    def ledger(self) -> Path:
        """One line for every series and every stray file."""
        return self.folder / "ledger.jsonl"

    def create(self) -> None:
        """Make the folders."""
        with self.writing():
            self.images.mkdir(parents=True, exist_ok=True)
            self.refused.mkdir(exist_ok=True)
            self.work.mkdir(exist_ok=True)

    def clean(self) -> None:
        """Delete what a run that was killed has left half written."""
        with self.writing():
            for part in self.work.glob(f"*{_PART}"):
                part.unlink()
            for fetched in self.work.glob("*.fetched"):
                shutil.rmtree(fetched, ignore_errors=True)

    def remove_accounts(self) -> None:
        """Delete the files of lines: they are there only when they tell of everything."""
        with self.writing():
            for path in (self.exams, self.as_read, self.targets, self.ledger):
                path.unlink(missing_ok=True)

    def keep_images(self, exams: Collection[str], targets: Collection[str]) -> None:
        """Delete the images that are not of these exams, and masks of other exams than ``targets``."""
        with self.writing():
            for folder, kept in ((self.images, exams), (self.folder / "targets", targets)):
                for image in folder.glob("e*.nii.gz"):
                    if image.name.removesuffix(".nii.gz") not in kept:
                        image.unlink()

    def fetched(self, exam: str) -> Path:
        """The folder for what is fetched of one study."""
        return self.work / f"{exam}.fetched"

    @contextmanager
    def scratch(self, exam: str, *, is_filled: bool = False) -> Iterator[Path]:
        """A folder for the files of one study while the block lasts; empty, or filled if it is there."""
        folder = self.fetched(exam)
        if not (is_filled and folder.is_dir()):
            with self.writing():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
        try:
            yield folder
        finally:
            # Under another name first: whoever is killed now leaves no folder that looks filled.
            going = self.work / f"{exam}.going.fetched"
            with suppress(OSError):
                shutil.rmtree(going, ignore_errors=True)
                folder.rename(going)
                shutil.rmtree(going, ignore_errors=True)

    def close(self) -> None:
        """Delete ``.ingest`` with all in it."""
        shutil.rmtree(self.work, ignore_errors=True)

    def put(self, target: Path, data: bytes) -> None:
        """Write a file below the folder."""
        with self.part(target) as part:
            target.parent.mkdir(exist_ok=True)
            part.write_bytes(data)

    def put_lines(self, target: Path, lines: Iterable[bytes]) -> None:
        """Write a file line by line; one that is there with the same lines is left as it is."""
        with self.part(target) as part:
            with part.open("wb") as file:
                file.writelines(lines)
            if target.exists() and filecmp.cmp(part, target, shallow=False):
                part.unlink()

    @contextmanager
    def part(self, target: Path) -> Iterator[Path]:
        """A path to write to, which becomes ``target`` if the block succeeds and is deleted if not."""
        part = self.work / f"{target.name}{_PART}"
        with self.writing():
            try:
                yield part
                if part.exists():
                    part.replace(target)
            finally:
                part.unlink(missing_ok=True)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raise TryAgain for a full disk, UserError for a folder that cannot be written."""
        with user_may_write(self.folder):
            yield
