"""What is compressed is unpacked as far as it is whole and within bounds."""

import random

import pytest
import zstandard
from archive_maker import gz_of, two_frames_of, zst_of

from nameplate_ingest.archive.flow import Part, Seeking, Unpacked
from nameplate_ingest.archive.limits import BadArchive, Budget

DATA = bytes(range(256)) * 4000


class Memory:
    """Bytes at places."""

    def __init__(self, data: bytes) -> None:
        self.data, self.size = data, len(data)

    def read(self, start: int, count: int) -> bytes:
        return self.data[start : start + count]


def unpacked(data: bytes, budget: Budget | None = None) -> Unpacked:
    form = "gzip" if data[:2] == b"\x1f\x8b" else "zstd"
    return Unpacked(Seeking(Memory(data)), form, budget or Budget(1 << 30))


@pytest.mark.parametrize(
    "data", [gz_of(DATA), gz_of(DATA[:500]) + gz_of(DATA[500:]), zst_of(DATA), two_frames_of(DATA)]
)
def test_it_is_read_in_any_steps(data: bytes) -> None:
    flow = unpacked(data)
    assert flow.read(10) == DATA[:10]
    flow.skip_to(500_001)
    assert flow.read(300_000) == DATA[500_001:800_001]
    assert flow.read(1 << 24) == DATA[800_001:]
    assert flow.read(1) == b""
    with pytest.raises(BadArchive, match="early"):
        flow.skip_to(len(DATA) + 1)
    with pytest.raises(BadArchive, match="before"):
        flow.skip_to(3)


@pytest.mark.parametrize("make", [gz_of, zst_of])
def test_what_is_broken_is_told_again_and_again(make: object) -> None:
    noise = random.Random(3).randbytes(300_000)
    data = gz_of(noise) if make is gz_of else zst_of(noise)
    wrong = unpacked(data[:-6] + bytes((data[-6] ^ 1,)) + data[-5:])
    for _ in range(2):
        with pytest.raises(BadArchive, match="compression"):
            wrong.skip_to(len(noise) + 1)
        with pytest.raises(BadArchive, match="compression"):
            wrong.finish()


def test_a_gzip_that_ends_early_is_broken() -> None:
    flow = unpacked(gz_of(DATA)[:-100])
    with pytest.raises(BadArchive, match="compression"):
        flow.skip_to(len(DATA))


@pytest.mark.parametrize("make", [gz_of, zst_of])
def test_a_bomb_ends_where_its_budget_does(make: object) -> None:
    zeros = bytes(100 << 20)
    data = gz_of(zeros) if make is gz_of else zst_of(zeros)
    flow = unpacked(data, Budget(1000))
    with pytest.raises(BadArchive, match="out of one"):
        flow.skip_to(len(zeros))
    assert flow.position < 66 << 20
    with pytest.raises(BadArchive, match="out of one"):
        flow.read(1)


def test_a_window_of_two_gigabytes_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    compressor = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = compressor.compress(DATA) + compressor.flush()  # of unknown size: the window is as asked
    with pytest.raises(BadArchive, match="compression"):
        unpacked(data).read(1)


def test_a_part_gives_what_was_read_before_and_no_more() -> None:
    flow = Seeking(Memory(DATA))
    assert flow.read(20) == DATA[:20]
    part = Part(flow, 50, DATA[:20])
    assert [part.read(15), part.read(100), part.read(1)] == [DATA[:15], DATA[15:50], b""]
    assert flow.position == 50
