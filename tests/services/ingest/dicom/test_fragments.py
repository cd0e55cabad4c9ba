import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, generate_frames

from nameplate_ingest.dicom.fragments import frames_of, joined
from nameplate_ingest.refusal import Refused


def reader(value: bytes) -> Callable[[int, int], bytes]:
    return lambda at, size: value[at : at + size]


frames_ = st.lists(
    st.binary(min_size=12, max_size=60).map(
        lambda body: b"\xff\xd8" + body.replace(b"\xff", b"\0") + b"\xff\xd9"
    ),
    min_size=1,
    max_size=6,
)


@given(frames=frames_, pieces=st.integers(1, 3), table=st.booleans())
def test_the_frames_are_those_that_pydicom_finds(frames: list[bytes], pieces: int, table: bool) -> None:
    value = encapsulate(frames, fragments_per_frame=pieces, has_bot=table)
    read = reader(value)
    got = [joined(read, frame, 1000) for frame in frames_of(read, len(frames))]
    assert got == list(generate_frames(value, number_of_frames=len(frames)))


@given(frames=frames_, place=st.integers(0, 200), value=st.integers(0, 255), cut=st.integers(0, 400))
def test_damage_is_refused_or_read(frames: list[bytes], place: int, value: int, cut: int) -> None:
    data = bytearray(encapsulate(frames, fragments_per_frame=2))
    data[place : place + 1] = bytes([value])
    read = reader(bytes(data[:cut]))
    with contextlib.suppress(Refused):
        assert len(frames_of(read, len(frames))) == len(frames)


def test_a_table_that_points_beside_the_fragments_is_not_believed() -> None:
    frames = [b"\xff\xd8" + bytes([n]) * 20 + b"\xff\xd9" for n in range(3)]
    value = bytearray(encapsulate(frames, fragments_per_frame=2))
    value[12:16] = (7).to_bytes(4, "little")
    read = reader(bytes(value))
    assert [joined(read, frame, 1000) for frame in frames_of(read, 3)] == frames


def test_a_frame_that_is_cut_off_or_too_long() -> None:
    value = encapsulate([b"\xff\xd8" + bytes(100) + b"\xff\xd9"])
    pieces = frames_of(reader(value), 1)[0]
    with pytest.raises(Refused) as refused:
        joined(reader(value[:60]), pieces, 1000)
    assert refused.value.rule == "truncated-pixels"
    with pytest.raises(Refused) as refused:
        joined(reader(value), pieces, 50)
    assert refused.value.rule == "compressed-pixels"


def test_endless_empty_fragments_are_given_up() -> None:
    with pytest.raises(Refused) as refused:
        frames_of(lambda at, size: b"\xfe\xff\x00\xe0\0\0\0\0"[:size], 1)
    assert refused.value.seen == "more than 65536 fragments"
