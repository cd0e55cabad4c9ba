"""A zip inside a compressed archive as a file while it is read: its directory is at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

from nameplate.whole import user_may_write
from nameplate_ingest.archive.flow import Flow
from nameplate_ingest.archive.limits import MOST_OF_A_STUDY, BadArchive, damaged
from nameplate_ingest.archive.ranged import DiskBytes

_BLOCK = 1 << 20


@contextmanager
def spooled(flow: Flow, size: int, folder: Path | None = None) -> Iterator[DiskBytes]:
    """The next ``size`` bytes of a flow in a file without a name.

    Raises BadArchive or Refused as the flow does, TryAgain where there is no room.
    """
    place = folder or Path(gettempdir())
    if size > MOST_OF_A_STUDY:
        raise BadArchive("archive-bomb", f"an inner archive of more than {MOST_OF_A_STUDY >> 30} GiB")
    with user_may_write(place):
        file = TemporaryFile(dir=folder)  # noqa: SIM115 (closed below; the flow's errors are not the disk's)
    with file:
        left = size
        while left:
            data = flow.read(min(_BLOCK, left))
            if not data:
                raise damaged("it ends early")
            with user_may_write(place):
                file.write(data)
            left -= len(data)
        with user_may_write(place):
            file.flush()
        yield DiskBytes(file.fileno())
