"""Bytes of which any part can be read: a file on a disk, a part of one, an object in a bucket."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from nameplate_ingest.archive.limits import BadArchive


class Ranged(Protocol):
    """Bytes at places."""

    @property
    def size(self) -> int:
        """All bytes."""

    def read(self, start: int, count: int) -> bytes:
        """``count`` bytes from ``start``; fewer only where the end comes first."""


class DiskBytes:
    """A file that is open."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.size = os.fstat(descriptor).st_size

    def read(self, start: int, count: int) -> bytes:
        """Raises BadArchive where the disk cannot be read."""
        count = min(count, self.size - start)  # a place may be any number: an archive says it
        if count <= 0:
            return b""
        try:
            return os.pread(self._descriptor, count, start)
        except OSError as error:
            raise BadArchive("unreadable", "the file cannot be read") from error


@contextmanager
def disk_bytes(path: Path) -> Iterator[DiskBytes]:
    """A file while the block lasts; raises OSError where it cannot be opened, and never waits for a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield DiskBytes(descriptor)
    finally:
        os.close(descriptor)


class Section:
    """A part of other bytes."""

    def __init__(self, whole: Ranged, start: int, size: int) -> None:
        self._whole, self._start, self.size = whole, start, size

    def read(self, start: int, count: int) -> bytes:
        """Nothing beyond the part."""
        return self._whole.read(self._start + start, max(0, min(count, self.size - start)))


class Window:
    """Other bytes, read ahead: what lies behind the last question is there already."""

    def __init__(self, whole: Ranged, ahead: int) -> None:
        self._whole, self._ahead, self.size = whole, ahead, whole.size
        self._start, self._data = 0, b""

    def read(self, start: int, count: int) -> bytes:
        """From what is there, or read anew with all that is behind it."""
        count = max(0, min(count, self.size - start))
        if not self._start <= start <= start + count <= self._start + len(self._data):
            self._start, self._data = start, self._whole.read(start, max(count, self._ahead))
        at = start - self._start
        return self._data[at : at + count]
