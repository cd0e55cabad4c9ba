"""Packed voxels: as many bytes as were asked for, whatever is in the file."""

import gzip
import io
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.inflate import inflate, inflated_start


def unpacked(path: Path, most: int, start: int = 0) -> tuple[bytes, bool]:
    out = io.BytesIO()
    written, more = inflate(path, start, most, out)
    assert written == len(out.getvalue()) <= most
    return out.getvalue(), more


@given(
    parts=st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    most=st.integers(0, 1500),
    padding=st.sampled_from([b"", bytes(7)]),
)
def test_members_are_one_stream(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], most: int, padding: bytes
) -> None:
    path = tmp_path_factory.mktemp("packed") / "p"
    path.write_bytes(b"header" + b"".join(map(gzip.compress, parts)) + padding)
    whole = b"".join(parts)
    data, more = unpacked(path, most, 6)
    assert data == whole[:most]
    assert not more or len(whole) > most


def test_what_is_larger_than_a_chunk_comes_whole(tmp_path: Path) -> None:
    whole = bytes(5_000_000) + b"end"
    for pack in (gzip.compress, zlib.compress):
        (tmp_path / "p").write_bytes(pack(whole))
        assert unpacked(tmp_path / "p", len(whole)) == (whole, False)
        assert unpacked(tmp_path / "p", len(whole) + 9) == (whole, False)
        assert unpacked(tmp_path / "p", len(whole) - 1) == (whole[:-1], True)
    assert inflated_start(tmp_path / "p", 10) == bytes(10)


def test_damage_is_refused(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"abc" * 1000))
    packed[-6] ^= 1  # of the checksum
    (tmp_path / "p").write_bytes(packed)
    with pytest.raises(Refused, match="compressed-pixels"):
        unpacked(tmp_path / "p", 3000)
    with pytest.raises(Refused, match="unreadable"):
        unpacked(tmp_path / "missing", 10)
