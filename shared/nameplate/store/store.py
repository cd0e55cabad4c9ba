"""What a store can do, and how one is opened and told from a foreign folder."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from nameplate.errors import NameplateError, StoreError, UserError

MARKER = "nameplate-store.json"
FORMAT = 1

_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")


class NoSuchKey(NameplateError):
    """Nothing is stored under this key."""


class NoBucket(StoreError):
    """The bucket is not there: a mistake at first, trouble that may pass when it was there before."""


class NoStore(StoreError):
    """The place is empty: no store has been made there."""


class Store(Protocol):
    """Objects under keys. A put is seen whole or not at all."""

    url: str
    """How the store was named."""

    def get(self, key: str) -> bytes:
        """The object; raises NoSuchKey."""

    def put(self, key: str, data: bytes) -> None:
        """Store the object, replacing what was there."""

    def put_file(self, key: str, path: Path) -> None:
        """Store a file's content without reading it into memory."""

    def fetch(self, key: str, cache: Path) -> Path:
        """A local file that holds the object, in ``cache`` where the store is remote; read only."""

    def exists(self, key: str) -> bool:
        """Whether something is stored under this key."""

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object whose key starts with ``prefix``, by key in sorted order."""

    def delete(self, key: str) -> None:
        """Forget the object; nothing happens when there is none."""

    def folder(self, prefix: str) -> Path | None:
        """A local folder that is this prefix, where the store is one; else None."""


def check_key(key: str) -> str:
    """Return the key if it is a plain relative path of letters, digits, dots, dashes; else ValueError."""
    if not _KEY.fullmatch(key):
        raise ValueError(f"not a valid key: {key!r}")
    return key


def open_store(
    url: str,
    *,
    create: bool = True,
    patience: float = 0,
    should_stop: Callable[[], bool] = lambda: False,
) -> Store:
    """Open ``s3://bucket/prefix`` or a directory.

    An empty place becomes a store when ``create`` is set. A place that holds something else is
    refused with StoreError, so that a mistyped folder is never written into. Raises
    StoreUnreachable when an S3 service does not answer, or has not for ``patience`` seconds: then,
    and on every later call, it is asked again until so many seconds are over, or ``should_stop`` says
    that the process was asked to end.
    """
    if patience > 0:
        from nameplate.store.patient import PatientStore, patiently

        opened = patiently(lambda: open_store(url, create=create), patience, should_stop)
        return PatientStore(opened, patience, should_stop)
    store: Store
    if url.startswith("s3://"):
        from nameplate.store.s3 import S3Store

        store = S3Store.from_environment(url)
    elif "://" in url:
        raise UserError(f"--store: expected a folder or s3://bucket/prefix, got {url!r}")
    else:
        from nameplate.store.directory import DirectoryStore

        store = DirectoryStore(Path(url))
    _check_marker(store, create=create)
    return store


def _check_marker(store: Store, *, create: bool) -> None:
    try:
        marker = json.loads(store.get(MARKER))
    except NoSuchKey:
        if next(iter(store.sizes("")), None) is not None:
            raise StoreError(
                f"{store.url}: not empty and not a nameplate store; name an empty or a new place"
            ) from None
        if not create:
            raise NoStore(f"{store.url}: no nameplate store there") from None
        store.put(MARKER, json.dumps({"nameplate-store": FORMAT}).encode() + b"\n")
        return
    except ValueError:
        marker = None
    found = marker.get("nameplate-store") if isinstance(marker, dict) else None
    if found != FORMAT:
        raise StoreError(f"{store.url}: expected store format {FORMAT}, found {found!r}")
