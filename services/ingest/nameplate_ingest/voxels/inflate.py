"""Packed voxels, unpacked to a file, and never more of them than was asked for."""

import zlib
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from nameplate_ingest.refusal import Refused

_CHUNK = 1 << 20
_ANY_HEADER = 47
"""Of zlib's windows: with a gzip or a zlib header, whichever is there."""


def inflate(path: Path, start: int, most: int, out: BinaryIO) -> int:
    """Write the first ``most`` unpacked bytes (fewer, if there are no more) to ``out``; return their number.

    ``start`` is where the packed bytes begin. Several gzip members are one stream. Raises Refused for data
    that are damaged.
    """
    written = 0
    try:
        with path.open("rb") as file:
            file.seek(start)
            inflater, rest = zlib.decompressobj(wbits=_ANY_HEADER), b""
            while written < most:
                rest = rest or file.read(_CHUNK)
                if inflater.eof:
                    if not rest.startswith(b"\x1f\x8b"):
                        break  # padding
                    inflater = zlib.decompressobj(wbits=_ANY_HEADER)
                if not rest:
                    break
                data = inflater.decompress(rest, min(_CHUNK, most - written))
                rest = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
                written += out.write(data)
    except zlib.error:
        raise Refused("compressed-pixels", "the packed voxels are damaged") from None
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error
    return written


def inflated_start(path: Path, count: int) -> bytes:
    """The first ``count`` unpacked bytes; raises Refused as ``inflate`` does."""
    start = BytesIO()
    inflate(path, 0, count, start)
    return start.getvalue()
