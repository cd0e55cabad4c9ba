"""Small pictures as PNG files, by zlib alone: grey levels, and a few colours on top."""

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = struct.Struct(">IIBBBBB")
_PALETTE_COLOUR = 3
_LEAST_BITS = ((2, 1), (4, 2), (16, 4), (256, 8))

Colour = tuple[int, int, int]


def png_bytes(index: NDArray[np.uint8], palette: Sequence[Colour]) -> bytes:
    """A picture of axes (row, column) whose pixels are places in a palette of at most 256 colours.

    A pixel takes as few bits as the palette allows. The file holds no time, no text and no other metadata.
    Raises ValueError for an empty picture and for a place that the palette lacks.
    """
    if index.ndim != 2 or not index.size:
        raise ValueError(f"a picture has rows and columns, got shape {index.shape}")
    if not 0 < len(palette) <= 256 or int(index.max()) >= len(palette):
        raise ValueError(f"place {int(index.max())} in a palette of {len(palette)} colours")
    rows, columns = index.shape
    bits = next(bits for most, bits in _LEAST_BITS if len(palette) <= most)
    lines = _packed(index.astype(np.uint8, copy=False), bits)
    # Every line starts with the number of its filter; 0 is none, which suits palettes best.
    raw = np.pad(lines, ((0, 0), (1, 0))).tobytes()
    header = _HEADER.pack(columns, rows, bits, _PALETTE_COLOUR, 0, 0, 0)
    colours = bytes(value for colour in palette for value in colour)
    parts = ((b"IHDR", header), (b"PLTE", colours), (b"IDAT", zlib.compress(raw, 9)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def size_of(data: bytes) -> tuple[int, int]:
    """Columns and rows of a PNG file; ValueError for anything else."""
    if data[:8] != SIGNATURE or data[12:16] != b"IHDR" or len(data) < 33:
        raise ValueError("not a PNG file")
    columns, rows = struct.unpack_from(">II", data, 16)
    return int(columns), int(rows)


def _packed(index: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Several pixels a byte, the first in the highest bits; each line fills whole bytes."""
    if bits == 8:
        return index
    each = 8 // bits
    rows, columns = index.shape
    padded = np.pad(index, ((0, 0), (0, -columns % each)))
    grouped = padded.reshape(rows, -1, each)
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    packed: NDArray[np.uint8] = np.bitwise_or.reduce(grouped << shifts, axis=2)
    return packed


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
