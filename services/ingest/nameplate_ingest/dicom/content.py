"""The bytes of one DICOM file, wherever it is: on a disk, in an archive, in a bucket."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


class Content(Protocol):
    """A file that can be read from its start; header and identity need no more."""

    @property
    def path(self) -> Path:
        """Where it is, below the place of its source; only for a file on a disk can it be opened."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""

    @property
    def stamp(self) -> str:
        """What changes when the file changes, without a look into it: size and time of change, a checksum."""

    def start(self, count: int) -> bytes:
        """The first ``count`` bytes, or all of a shorter file; raises OSError where it cannot be read."""


@dataclass(frozen=True, slots=True)
class DiskFile:
    """A file on a disk of this machine; it is opened for each look, and never waits for a pipe."""

    path: Path

    @property
    def size(self) -> int:
        """Bytes; raises OSError."""
        return self.path.stat().st_size

    @property
    def stamp(self) -> str:
        """Size and time of change; 'gone' for a file that is there no more."""
        try:
            state = self.path.stat()
        except OSError:
            return "gone"
        return f"{state.st_size}\0{state.st_mtime_ns}"

    def start(self, count: int) -> bytes:
        """The first bytes; raises OSError."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            return os.pread(descriptor, count, 0)
        finally:
            os.close(descriptor)
