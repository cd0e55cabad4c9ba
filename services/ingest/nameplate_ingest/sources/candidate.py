"""One file of an archive or a bucket, until it is known what it is."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from nameplate.errors import NameplateError
from nameplate_ingest.archive.flow import Flow, Part
from nameplate_ingest.archive.limits import BadArchive
from nameplate_ingest.archive.ranged import Ranged
from nameplate_ingest.refusal import Refused


class NotAsListed(Refused):
    """For a file or object that is gone, or another one by now, with all that is in it."""


class Place(NamedTuple):
    """Where a member is in its archive."""

    form: str
    """The archive's form."""
    numbers: tuple[int, ...]
    """What it takes to read it: of a tar its first byte and its size, of a zip what ZipFlow wants."""


class Home(NamedTuple):
    """Which file or object of a source something is in, and what changes when that changes."""

    key: str
    stamp: str


class Candidate:
    """A file that can be read from its start, once."""

    def __init__(
        self,
        path: Path,
        size: int,
        stamp: str,
        flow: Flow,
        *,
        home: Home,
        places: tuple[Place, ...],
        section: Callable[[], Ranged | None],
    ) -> None:
        self.path, self.size, self.stamp = path, size, stamp
        self.home, self.places = home, places
        self.failed: Exception | None = None
        """What ended the reading: Refused of this file alone, and all else of what it is in."""
        self._flow, self._section = flow, section
        self._read = b""

    def start(self, count: int) -> bytes:
        """The first bytes; Refused once for those that cannot be read, and then what was read of them."""
        count = min(count, self.size)
        if self.failed is None and len(self._read) < count:
            try:
                self._read += self._flow.read(count - len(self._read))
                if len(self._read) < count:
                    raise Refused("archive-damaged", "a member ends early")
            except (Refused, BadArchive) as error:
                self.failed = error
                raise Refused(error.rule, error.seen) from error
            except (NameplateError, OSError) as error:
                # Who reads a header knows nothing of sources: whoever gave it this file looks for it.
                self.failed = error
                raise OSError(type(error).__name__) from error
        return self._read[:count]

    def peek(self, count: int) -> bytes:
        """The first bytes, or what there is of them: ``failed`` tells."""
        try:
            return self.start(count)
        except (Refused, OSError):
            return self._read

    def whole(self) -> Ranged | Flow:
        """All its bytes: at any place, if that is possible, or one after another."""
        section = self._section()
        return section if section is not None else Part(self._flow, self.size, self._read)
