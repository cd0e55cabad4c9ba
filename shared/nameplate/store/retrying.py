"""A store that waits for another that does not answer: a restart of S3 must not cost hours of work."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from nameplate.errors import NameplateError, StoreUnreachable, TryAgain
from nameplate.store.store import NoBucket, Store

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds


class RetryingStore:
    """Another store, asked again for up to ``timeout`` seconds when it does not answer.

    Every call may be repeated: a put appears whole or not at all, and writes the same bytes.
    """

    def __init__(self, store: Store, timeout: float, should_stop: Callable[[], bool] = lambda: False) -> None:
        self._store = store
        self._timeout = timeout
        self._should_stop = should_stop
        self.url = store.url

    def _ask(self, call: Callable[[], Answer]) -> Answer:
        return with_retries(call, self._timeout, self._should_stop)

    def get(self, key: str) -> bytes:
        """The object; raises NoSuchKey."""
        return self._ask(lambda: self._store.get(key))

    def put(self, key: str, data: bytes) -> None:
        """Store the object, replacing what was there."""
        self._ask(lambda: self._store.put(key, data))

    def put_file(self, key: str, path: Path) -> None:
        """Upload a file."""
        self._ask(lambda: self._store.put_file(key, path))

    def fetch(self, key: str, cache: Path) -> Path:
        """A local file that holds the object."""
        return self._ask(lambda: self._store.fetch(key, cache))

    def exists(self, key: str) -> bool:
        """Whether something is stored under this key."""
        return self._ask(lambda: self._store.exists(key))

    def sizes(self, prefix: str) -> dict[str, int]:
        """Bytes of every object whose key starts with ``prefix``, by key in sorted order."""
        return self._ask(lambda: self._store.sizes(prefix))

    def delete(self, key: str) -> None:
        """Delete the object."""
        self._ask(lambda: self._store.delete(key))

    def folder(self, prefix: str) -> Path | None:
        """The local folder of this prefix, if the store is a directory."""
        return self._store.folder(prefix)


def with_retries(
    call: Callable[[], Answer],
    timeout: float,
    should_stop: Callable[[], bool] = lambda: False,
    *,
    passing: tuple[type[NameplateError], ...] = (StoreUnreachable, NoBucket),
) -> Answer:
    """Call until it answers; raises the last error after ``timeout`` seconds, or once ``should_stop``.

    ``passing`` are the errors that may pass; one that is no TryAgain ends as StoreUnreachable. A missing
    bucket may pass by default: a caller that waits has seen it before.
    """
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE
    while True:
        try:
            return call()
        except passing as error:
            now = time.monotonic()
            if now >= deadline or should_stop():
                raise error if isinstance(error, TryAgain) else StoreUnreachable(str(error)) from error
            logger.warning("no answer yet; trying again", extra={"reason": str(error)})
            again = min(now + pause, deadline)
            pause = min(2 * pause, _LONGEST_PAUSE)
            while time.monotonic() < again and not should_stop():
                time.sleep(min(_FIRST_PAUSE, max(0.0, again - time.monotonic())))
