"""Bytes of which any part can be read."""

import os
from pathlib import Path

import pytest

from nameplate_ingest.archive.limits import BadArchive
from nameplate_ingest.archive.ranged import DiskBytes, Section, Window, disk_bytes

DATA = bytes(range(200))


class Memory:
    """Bytes at places, and what was asked for."""

    size = len(DATA)

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def read(self, start: int, count: int) -> bytes:
        self.asked.append((start, count))
        return DATA[start : start + count]


def test_a_file_is_read_at_any_place_that_an_archive_says(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(DATA)
    with disk_bytes(path) as data:
        assert data.size == 200
        assert data.read(190, 1 << 70) == DATA[190:]
        assert data.read(1 << 70, 5) == b""
        section = Section(data, 10, 20)
        assert (section.read(15, 10), section.read(30, 1)) == (DATA[25:30], b"")
    with pytest.raises(FileNotFoundError), disk_bytes(tmp_path / "none"):
        pass


def test_a_disk_that_cannot_be_read_costs_the_archive(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(DATA)
    descriptor = os.open(tmp_path / "x", os.O_WRONLY)
    with pytest.raises(BadArchive, match="cannot be read"):
        DiskBytes(descriptor).read(0, 1)
    os.close(descriptor)


def test_what_was_read_ahead_is_not_asked_for_again() -> None:
    memory = Memory()
    window = Window(memory, 50)
    assert [window.read(10, 5), window.read(15, 45), window.read(12, 1)] == [
        DATA[10:15],
        DATA[15:60],
        DATA[12:13],
    ]
    assert memory.asked == [(10, 50)]
    assert window.read(5, 10) == DATA[5:15]
    assert window.read(150, 100) == DATA[150:]
    assert memory.asked == [(10, 50), (5, 50), (150, 50)]
