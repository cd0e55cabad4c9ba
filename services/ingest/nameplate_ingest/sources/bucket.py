"""DICOM files in an S3 bucket, as objects of any name or in archives, read in parts where that saves."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from nameplate.campaign.sources import BucketSource
from nameplate_ingest.archive.flow import Seeking
from nameplate_ingest.archive.ranged import Ranged, Window
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.archived import Archived
from nameplate_ingest.sources.candidate import Candidate, Home
from nameplate_ingest.sources.fetched import Wanted, fetch
from nameplate_ingest.sources.index import Index, Reading
from nameplate_ingest.sources.members import AHEAD, PEEK, Found, Members
from nameplate_ingest.sources.objects import Listed, Objects
from nameplate_ingest.workers import Workers

_AT_ONCE = 12
"""Questions that wait for their answers at the same time."""
_AT_A_TIME = 8
"""Members of one archive that one thread fetches."""


class Bucket(Archived):
    """Objects below a prefix."""

    def __init__(self, settings: BucketSource) -> None:
        self._settings = settings
        self.place = Path("/bucket")  # no file is opened there: names are relative to the prefix
        self.identity = f"{settings.endpoint or 'aws'} {settings.url}"
        self._connected: Objects | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Without the connections: another process makes its own."""
        return {**self.__dict__, "_connected": None}

    @property
    def _objects(self) -> Objects:
        if self._connected is None:
            self._connected = Objects(self._settings, lambda: self.should_stop())
        return self._connected

    def index(
        self,
        reading: Reading,
        workers: Workers,  # noqa: ARG002 (waiting for answers takes no processor)
        progress: Callable[[int], None] | None = None,
    ) -> Index:
        """Read the header of every object, and of every file of an object that is an archive."""
        objects = self._objects
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            try:
                ahead = _Ahead(pool)
                found = ahead(self._candidate(listed) for listed in objects.listed())
                counted = _counted(found, progress) if progress else found
                return Members(reading, ahead).index(counted).finished(reading)
            finally:
                pool.shutdown(cancel_futures=True)

    def fetch(self, jobs: Sequence[tuple[Home, Wanted]], scratch: Path) -> dict[Path, Refused]:
        """Several at once; raises NotAsListed for an object that is gone or was changed."""
        lost: dict[Path, Refused] = {}
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            parts = [
                pool.submit(self._fetch, home, part, scratch)
                for home, wanted in jobs
                for part in _parts(wanted)
            ]
            try:
                for one in parts:
                    lost |= one.result()
            finally:
                pool.shutdown(cancel_futures=True)
        return lost

    def _fetch(self, home: Home, wanted: Wanted, scratch: Path) -> dict[Path, Refused]:
        if not wanted[0][0]:
            self._objects.fetch(_listed(home), wanted[0][1])
            return {}
        with self.opened(home) as data:
            return fetch(data, wanted, scratch)

    @contextmanager
    def opened(self, home: Home) -> Iterator[Ranged]:
        """Nothing is asked yet: each part is refused that is not of the object that was listed."""
        yield _ObjectBytes(self._objects, _listed(home))

    def _candidate(self, listed: Listed) -> Candidate:
        data = _ObjectBytes(self._objects, listed)
        home = Home(listed.key, f"{listed.etag}\0{listed.size}")
        return Candidate(
            self._path(listed.key),
            listed.size,
            home.stamp,
            Seeking(Window(data, AHEAD)),
            home=home,
            places=(),
            section=lambda: data,
        )

    def _path(self, key: str) -> Path:
        """A path below our place for any key: ``a//b`` and ``a/b`` are two objects."""
        below = key.removeprefix(self._objects.prefix)
        parts = [part for part in below.split("/") if part not in ("", ".")]
        path = self.place.joinpath(*parts)
        return path if "/".join(parts) == below else Path(f"{path}\0" + key.replace("/", "\0"))


class _ObjectBytes:
    """An object, any part of which can be asked for."""

    def __init__(self, objects: Objects, listed: Listed) -> None:
        self._objects, self._listed, self.size = objects, listed, listed.size

    def read(self, start: int, count: int) -> bytes:
        """A part; raises NotAsListed for one of another object than was listed."""
        return self._objects.read(self._listed, start, count)


class _Ahead:
    """Files whose starts are asked for before they are needed, several at once, and given in order."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def __call__(self, found: Iterator[Found]) -> Iterator[Found]:
        waiting: deque[tuple[Found, Future[bytes] | None]] = deque()
        for one in found:
            asked = self._pool.submit(one.peek, PEEK) if isinstance(one, Candidate) else None
            waiting.append((one, asked))
            if len(waiting) > 2 * _AT_ONCE:
                yield _come(*waiting.popleft())
        while waiting:
            yield _come(*waiting.popleft())


def _come(found: Found, asked: "Future[bytes] | None") -> Found:
    if asked is not None:
        asked.result()
    return found


def _counted(found: Iterator[Found], progress: Callable[[int], None]) -> Iterator[Found]:
    for number, one in enumerate(found, 1):
        yield one
        progress(number)


def _listed(home: Home) -> Listed:
    etag, _, size = home.stamp.partition("\0")
    return Listed(home.key, int(size), etag)


def _parts(wanted: Wanted) -> Iterator[Wanted]:
    """What of one object can be fetched side by side: members that can be read at any place."""
    forms = {place.form for place in wanted[0][0][:1]}
    step = (
        _AT_A_TIME
        if forms <= {"zip", "tar"} and all(len(places) < 2 for places, _ in wanted)
        else len(wanted)
    )
    for start in range(0, len(wanted), step):
        yield wanted[start : start + step]
