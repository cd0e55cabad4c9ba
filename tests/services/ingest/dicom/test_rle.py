import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.pixels.encoders.native import _encode_row

from nameplate_ingest.dicom.rle import unpacked_words
from nameplate_ingest.refusal import Refused


def packed(words: list[int]) -> bytes:
    """A frame of one row as pydicom encodes rows."""
    high = bytes(_encode_row(bytes(word >> 8 for word in words)))
    low = bytes(_encode_row(bytes(word & 255 for word in words)))
    header = np.zeros(16, "<u4")
    header[:3] = 2, 64, 64 + len(high)
    return header.tobytes() + high + low


@given(st.lists(st.sampled_from((0, 1, 255, 256, 0xFFFF, 0x1234)), min_size=1, max_size=400))
def test_words_come_back(words: list[int]) -> None:
    assert unpacked_words(packed(words), len(words)).tolist() == words


@given(frame=st.binary(max_size=300), size=st.integers(1, 100))
def test_any_bytes_are_refused_or_give_that_many_words(frame: bytes, size: int) -> None:
    frame = b"\x02\0\0\0\x40\0\0\0\x60\0\0\0" + frame
    with contextlib.suppress(Refused):
        assert unpacked_words(frame, size).shape == (size,)


def test_a_frame_that_unpacks_to_more_is_cut_there() -> None:
    bomb = packed([7] * 10)[:64] + b"\x81\x07" * 50000
    assert unpacked_words(bomb[:8] + (50064).to_bytes(4, "little") + bomb[12:], 5).tolist() == [0x0707] * 5


@pytest.mark.parametrize("segments", [0, 1, 3, 2**31])
def test_another_number_of_segments(segments: int) -> None:
    with pytest.raises(Refused) as refused:
        unpacked_words(segments.to_bytes(4, "little") + packed([1, 2])[4:], 2)
    assert refused.value.rule == "compressed-pixels"
