"""A zip inside a compressed archive is a file while it is read."""

import resource
import signal
from pathlib import Path

import pytest
from archive_maker import gz_of

from nameplate.errors import TryAgain
from nameplate_ingest.archive.flow import Flow, Seeking, Unpacked
from nameplate_ingest.archive.limits import BadArchive, Budget
from nameplate_ingest.archive.spool import spooled


class Zeros(Flow):
    """A flow of nothing, without an end."""

    def read(self, count: int) -> bytes:
        return bytes(count)


class Memory:
    """Bytes at places."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read(self, start: int, count: int) -> bytes:
        return self.data[start : start + count]


def test_its_bytes_are_there_at_any_place(tmp_path: Path) -> None:
    data = bytes(range(256)) * 9000
    flow = Unpacked(Seeking(Memory(gz_of(data))), "gzip", Budget(1 << 20))
    with spooled(flow, len(data) - 1, tmp_path) as file:
        assert (file.size, file.read(2_000_000, 9)) == (len(data) - 1, data[2_000_000:2_000_009])
        assert not list(tmp_path.iterdir())
    with pytest.raises(BadArchive, match="early"), spooled(flow, 2, tmp_path):
        pass


def test_too_much_is_not_even_begun(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="GiB"), spooled(Zeros(), 1 << 50, tmp_path):
        pass


def test_a_full_disk_is_not_the_archives_fault() -> None:
    before, told = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, before[1]))
    try:
        with pytest.raises(TryAgain, match="no room left"), spooled(Zeros(), 8 << 20):
            pass
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, told)
