import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.store.parcel import LINE_BYTES, Torn, decode, encode

NOISE = ["time=2026 level=INFO msg=x", "", '{"event": "start"}']


@given(st.binary(max_size=20_000))
def test_what_is_encoded_comes_back(data: bytes) -> None:
    assert decode([*NOISE, *encode(data), *NOISE]) == data


@given(st.integers(0, 2**32))
def test_lost_or_changed_lines_are_noticed(seed: int) -> None:
    chance = random.Random(seed)
    lines = list(encode(chance.randbytes(3 * LINE_BYTES + chance.randrange(100))))
    position = chance.randrange(len(lines))
    lost = lines[:position] + lines[position + 1 :]
    swapped = [*lines[:1], lines[2], lines[1], *lines[3:]]
    for damaged in (lost, swapped, lines[:-1], [lines[0], *(line[:-5] for line in lines[1:-1]), lines[-1]]):
        with pytest.raises(Torn):
            decode(damaged)


def test_lines_fit_into_a_containers_log() -> None:
    assert max(len(line) for line in encode(random.Random(1).randbytes(50_000))) < 16_000


def test_the_same_archive_gives_the_same_lines() -> None:
    assert list(encode(b"x" * 100)) == list(encode(b"x" * 100))


def test_a_log_without_an_archive_is_torn() -> None:
    with pytest.raises(Torn):
        decode(NOISE)
