"""Parts of a multipart answer: the same bytes however they are cut, or the news that some are missing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.services.ingest.web_pacs import BOUNDARY, multipart

from nameplate_ingest.sources.multipart import parts_of
from nameplate_ingest.sources.patience import Unanswered

_PIECES = st.sampled_from([b"\r\n", b"--", BOUNDARY.encode(), b"\r\n--", b"\r\n\r\n", b"a", b"\0", b"-"])
_CONTENT = st.lists(_PIECES, max_size=8).map(b"".join).filter(lambda data: b"\r\n--a--boundary" not in data)
"""Bytes that look like what ends them, and do not end them."""


def _cut(data: bytes, sizes: list[int]) -> list[bytes]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(data[at : at + size])
        at += size
    return [*pieces, data[at:]]


def _read(data: bytes, sizes: list[int]) -> list[bytes]:
    return [b"".join(part) for part in parts_of(_cut(data, sizes), BOUNDARY.encode())]


@given(parts=st.lists(_CONTENT, max_size=4), sizes=st.lists(st.integers(0, 20), max_size=60))
def test_parts_are_what_was_sent_wherever_the_pieces_end(parts: list[bytes], sizes: list[int]) -> None:
    body = multipart(parts)
    if any(b"\r\n--" + BOUNDARY.encode() in b"\r\n" + part for part in parts):
        return
    assert _read(body, sizes) == parts
    assert _read(b"a preamble" + body + b"an epilogue", sizes) == parts
    if parts:
        assert _read(body.removeprefix(b"\r\n"), sizes) == parts


@given(parts=st.lists(_CONTENT, min_size=1, max_size=3), data=st.data())
def test_an_answer_that_is_cut_short_is_never_taken_for_a_whole_one(
    parts: list[bytes], data: st.DataObject
) -> None:
    body = multipart(parts)
    end = len(body) - len("--\r\n")
    with pytest.raises(Unanswered):
        _read(body[: data.draw(st.integers(0, end))], [])


def test_a_part_that_is_left_in_the_middle_is_skipped() -> None:
    body = multipart([b"x" * 100_000, b"second"])
    parts = parts_of(_cut(body, [10] * 100), BOUNDARY.encode())
    next(iter(next(parts)))
    assert b"".join(next(parts)) == b"second"


def test_heads_without_an_end_are_not_read_for_ever() -> None:
    body = f"\r\n--{BOUNDARY}\r\n".encode() + b"x: y" * 100_000
    with pytest.raises(Unanswered, match="no multipart"):
        _read(body + multipart([b"x"]), [1000] * 100)
