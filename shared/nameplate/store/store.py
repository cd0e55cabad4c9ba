"""What a store can do."""

import re
from pathlib import Path
from typing import Protocol

from nameplate.errors import NameplateError, StoreError

WORK = "work"
"""Where checkpoints and temporary files are: nothing there is a result."""
COMMITS = "jobs/"
"""Prefix of the keys of commits, which a directory store flushes to its disk."""

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class NoSuchKey(NameplateError):
    """Nothing is stored under this key."""


class NoBucket(StoreError):
    """The bucket is missing: a mistake at first, trouble that may pass if it existed before."""


class NoStore(StoreError):
    """The place is empty: no store was created there."""


class Store(Protocol):
    """Objects under keys. A put appears whole or not at all."""

    url: str
    """How the store was named."""

    def get(self, key: str) -> bytes:
        """The object; raises NoSuchKey."""

    def put(self, key: str, data: bytes) -> None:
        """Store the object, replacing what was there."""

    def put_file(self, key: str, path: Path) -> None:
        """Store a file's content without reading it into memory."""

    def fetch(self, key: str, cache: Path) -> Path:
        """A local file that holds the object, in ``cache`` if the store is remote; do not write to it."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under this key."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object whose key starts with ``prefix``, by key in sorted order."""

    def delete(self, key: str) -> None:
        """Delete the object; does nothing when there is none."""

    def folder(self, prefix: str) -> Path | None:
        """The local folder of this prefix, if the store is a directory; else None."""


def check_key(key: str) -> str:
    """Return the key if it is a plain relative path of letters, digits, dots, dashes; else ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a valid key: {key!r}")
    return key
