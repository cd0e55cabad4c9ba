"""Packed voxels, unpacked to a file, and never more of them than was asked for."""

import zlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nameplate_ingest.refusal import Refused

_CHUNK = 1 << 20
_ANY_HEADER = 47
"""Of zlib's windows: with a gzip or a zlib header, whichever is there."""


def inflate(path: Path, start: int, most: int, out: BinaryIO) -> tuple[int, bool]:
    """Write the first ``most`` unpacked bytes (fewer, if there are no more) to ``out``.

    Return their number, and whether there are more. ``start`` is where the packed bytes begin; several gzip
    members are one stream. Raises Refused for data that are damaged, OSError where ``out`` does.
    """
    written, more = 0, False
    with _readable(path) as file:
        file.seek(start)
        inflater, rest = zlib.decompressobj(wbits=_ANY_HEADER), b""
        while not more:
            rest = rest or _read(file)
            if inflater.eof:
                if written >= most or not rest.startswith(b"\x1f\x8b"):
                    break  # what follows is padding, or not asked for
                inflater = zlib.decompressobj(wbits=_ANY_HEADER)
            try:
                # One byte more than was asked for brings the end, and with it the checksum.
                data = inflater.decompress(rest, min(_CHUNK, most - written + 1))
            except zlib.error:
                raise Refused("compressed-pixels", "the packed voxels are damaged") from None
            if not (rest or data):
                break
            rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            more = len(data) > most - written
            written += out.write(data[: most - written])
    return written, more


def _readable(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error


def _read(file: BinaryIO) -> bytes:
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error


def inflated_start(path: Path, count: int) -> bytes:
    """The first ``count`` unpacked bytes; raises Refused as ``inflate`` does."""
    start = BytesIO()
    inflate(path, 0, count, start)
    return start.getvalue()
