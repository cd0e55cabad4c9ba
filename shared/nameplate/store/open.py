"""Opening a store, and refusing foreign folders and stores of an older format."""

import json
from collections.abc import Callable
from pathlib import Path

from nameplate.errors import StoreError, UserError
from nameplate.store.retrying import RetryingStore, with_retries
from nameplate.store.store import NoStore, NoSuchKey, Store

MARKER = "nameplate-store.json"
FORMAT = 2
"""Raised whenever older stores can no longer be read."""


def open_store(
    url: str, *, create: bool = True, timeout: float = 0, should_stop: Callable[[], bool] = lambda: False
) -> Store:
    """Open ``s3://bucket/prefix`` or a directory.

    With ``create``, an empty place becomes a store. A place that holds something else is refused with
    StoreError, so that a mistyped folder is never written to. Raises StoreUnreachable when an S3 service
    does not answer. This call and every later one ask it again for up to ``timeout`` seconds, or until
    ``should_stop`` says that the process must end.
    """
    if timeout > 0:
        opened = with_retries(lambda: open_store(url, create=create), timeout, should_stop)
        return RetryingStore(opened, timeout, should_stop)
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
                f"{store.url}: not empty and not a nameplate store; name a new or empty place"
            ) from None
        if not create:
            raise NoStore(f"{store.url}: no nameplate store there") from None
        store.put(MARKER, json.dumps({"nameplate-store": FORMAT}).encode() + b"\n")
        return
    except ValueError:
        marker = None
    found = marker.get("nameplate-store") if isinstance(marker, dict) else None
    if found != FORMAT:
        older = isinstance(found, int) and found < FORMAT
        raise StoreError(
            f"{store.url}: written by an older nameplate (store format {found}; this one reads {FORMAT}): "
            "name a new place, or delete this one, and run the campaign again"
            if older
            else f"{store.url}: expected store format {FORMAT}, found {found!r}"
        )
