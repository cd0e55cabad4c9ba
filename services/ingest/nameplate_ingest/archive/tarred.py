"""The members of a tar archive, by its headers alone; lengths in them are believed only within limits.

Why not tarfile: it ends in silence at a header that is broken, and reads as much as an extended header asks.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nameplate_ingest.archive.flow import Flow
from nameplate_ingest.archive.limits import Budget, damaged

BLOCK = 512
_LONGEST = 1 << 20
"""Bytes of an extended header."""
_FILES, _FOLDER = (b"0", b"\0", b"7"), b"5"
_SPECIAL = {
    b"1": "a link",
    b"2": "a link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}
_RECORD = re.compile(rb"(\d{1,8}) ")


@dataclass(frozen=True, slots=True)
class TarMember:
    """One file of a tar."""

    name: str
    offset: int
    size: int
    time: str
    odd: str
    """What it is where it is no plain file; '' for one."""


@dataclass(slots=True)
class _Told:
    """What extended headers say of the next member."""

    name: bytes | None = None
    size: int | None = None
    sparse: bool = False


def is_header(block: bytes) -> bool:
    """Whether this is the header of a member; its checksum tells."""
    if len(block) < BLOCK:
        return False
    try:
        told = _number(block[148:156])
    except ValueError:
        return False
    unsigned = sum(block[:148]) + sum(block[156:BLOCK]) + 8 * ord(" ")
    high = sum(byte > 127 for byte in (*block[:148], *block[156:BLOCK]))
    return told in (unsigned, unsigned - 256 * high)  # some old writers add signed bytes


def tar_members(flow: Flow, budget: Budget) -> Iterator[TarMember]:
    """The members; each may be read from the flow before the next is asked for.

    Raises BadArchive for a tar that is cut short or has a broken header.
    """
    told = _Told()
    while True:
        at = flow.position
        block = flow.read(BLOCK)
        if len(block) < BLOCK:
            raise damaged("it ends early")  # also where a file ends here: others may have followed
        if not block.strip(b"\0"):
            return
        if not is_header(block):
            raise damaged("a header is broken")
        budget.member()
        kind = block[156:157]
        size = _size(block) if told.size is None or kind in b"xgXLK" else told.size
        offset = at + BLOCK
        if kind in (b"x", b"X"):
            _extended(_bounded(flow, size), told)
        elif kind == b"L":
            told.name = _bounded(flow, size).rstrip(b"\0")
        elif kind not in (b"g", b"K"):
            if kind == b"S":
                offset += _sparse_headers(flow, block)
            name = told.name if told.name is not None else _name(block)
            is_folder = kind == _FOLDER or (kind in _FILES and name.endswith(b"/"))
            if not is_folder:
                odd = "" if kind in _FILES else _SPECIAL.get(kind, "not a file")
                text = name.decode("utf-8", "surrogateescape")
                time = block[136:148].strip(b" \0").decode("latin-1")
                yield TarMember(text, offset, size, time, "a sparse file" if told.sparse else odd)
            told = _Told()
        flow.skip_to(offset + size)
        if padding := -size % BLOCK:
            flow.read(padding)


def _number(field: bytes) -> int:
    """A number in octal digits, or in binary; raises ValueError."""
    if field[0] & 0x80:
        if field[0] != 0x80:
            raise ValueError("negative")
        return int.from_bytes(field[1:], "big")
    digits = field.partition(b"\0")[0].strip(b" ")
    if not digits:
        return 0
    if not re.fullmatch(b"[0-7]+", digits):
        raise ValueError("not octal")
    return int(digits, 8)


def _size(block: bytes) -> int:
    try:
        return _number(block[124:136])
    except ValueError:
        raise damaged("a header is broken") from None


def _name(block: bytes) -> bytes:
    name = block[:100].partition(b"\0")[0]
    # GNU's own form has other things where POSIX has the first part of a long name.
    before = block[345:500].partition(b"\0")[0] if block[257:263] == b"ustar\0" else b""
    return before + b"/" + name if before else name


def _bounded(flow: Flow, size: int) -> bytes:
    if size > _LONGEST:
        raise damaged(f"an extended header of more than {_LONGEST >> 20} MiB")
    data = flow.read(size)
    if len(data) < size:
        raise damaged("it ends early")
    return data


def _extended(data: bytes, told: _Told) -> None:
    """Read the records of a pax header: ``18 path=a/long/name``, each with its own length."""
    at = 0
    while at < len(data) and data[at]:
        start = _RECORD.match(data, at)
        end = at + int(start[1]) if start else 0
        if start is None or not start.end() < end <= len(data):
            raise damaged("a header is broken")
        key, equals, value = data[start.end() : end - 1].partition(b"=")
        if not equals:
            raise damaged("a header is broken")
        if key == b"path":
            told.name = value
        elif key == b"size":
            if not re.fullmatch(rb"\d{1,18}", value):
                raise damaged("a header is broken")
            told.size = int(value)
        elif key.startswith(b"GNU.sparse."):
            told.sparse = True
        at = end


def _sparse_headers(flow: Flow, block: bytes) -> int:
    """Pass what describes the holes of a sparse file; the bytes that it takes."""
    count, more = 0, block[482] != 0
    while more:
        extra = flow.read(BLOCK)
        count += len(extra)
        if len(extra) < BLOCK or count > _LONGEST:
            raise damaged("a header is broken")
        more = extra[504] != 0
    return count
