"""A DICOM file as a flat list of its elements, to be changed and written again, however wrong (pure)."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace

IMPLICIT, DEFLATED, BIG_ENDIAN = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2"
ITEM, PIXELS, UNDEFINED = 0xFFFEE000, 0x7FE00010, 0xFFFFFFFF
LONG_VRS = (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")


@dataclass(frozen=True, slots=True)
class Piece:
    """One element as it is in the file; sequences and items without a value of their own."""

    tag: int
    vr: bytes
    """b"" where the element is implicit or an item."""
    length: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Base:
    """A whole DICOM file in parts; those of ``body`` are not deflated."""

    meta: bytes
    """Everything up to the data set."""
    body: tuple[Piece, ...]
    syntax: str

    def file(self) -> bytes:
        """The bytes of the file."""
        return self._with(self.plain())

    def plain(self) -> bytes:
        """The data set, not deflated."""
        order = ">" if self.syntax == BIG_ENDIAN else "<"
        return b"".join(_packed(piece, order) for piece in self.body)

    def _with(self, plain: bytes) -> bytes:
        if self.syntax != DEFLATED:
            return self.meta + plain
        machine = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
        return self.meta + machine.compress(plain) + machine.flush()


def base_of(data: bytes) -> Base:
    """A file that pydicom or GDCM wrote, taken apart; its file meta information must be there."""
    at, syntax = 132, ""
    while data[at : at + 2] == b"\x02\x00":
        piece, at = _piece(data, at, "<", explicit=True)
        at += len(piece.value)
        if piece.tag == 0x00020010:
            syntax = piece.value.rstrip(b"\0").decode()
    meta, body = data[:at], data[at:]
    if syntax == DEFLATED:
        body = zlib.decompress(body, -zlib.MAX_WBITS)
    return Base(meta, tuple(_pieces(body, ">" if syntax == BIG_ENDIAN else "<", syntax != IMPLICIT)), syntax)


def _pieces(data: bytes, order: str, explicit: bool) -> Iterator[Piece]:
    at, in_pixels = 0, False
    while at + 8 <= len(data):
        piece, at = _piece(data, at, order, explicit, whole_items=in_pixels)
        at += len(piece.value)
        in_pixels = in_pixels or (piece.tag == PIXELS and piece.length == UNDEFINED)
        yield piece


def _piece(data: bytes, at: int, order: str, explicit: bool, whole_items: bool = False) -> tuple[Piece, int]:
    """The element at ``at`` and the first byte of its value."""
    group, number = struct.unpack_from(f"{order}HH", data, at)
    tag, vr = group << 16 | number, data[at + 4 : at + 6]
    if not explicit or group == 0xFFFE:
        vr, (length,), at = b"", struct.unpack_from(f"{order}I", data, at + 4), at + 8
    elif vr in LONG_VRS:
        (length,), at = struct.unpack_from(f"{order}I", data, at + 8), at + 12
    else:
        (length,), at = struct.unpack_from(f"{order}H", data, at + 6), at + 8
    holds = vr == b"SQ" or length == UNDEFINED or (group == 0xFFFE and not whole_items)
    return Piece(tag, vr, length, b"" if holds else data[at : at + length]), at


def _packed(piece: Piece, order: str) -> bytes:
    head = struct.pack(f"{order}HH", piece.tag >> 16, piece.tag & 0xFFFF)
    if not piece.vr:
        head += struct.pack(f"{order}I", piece.length)
    elif piece.vr in LONG_VRS:
        head += piece.vr + b"\0\0" + struct.pack(f"{order}I", piece.length)
    else:
        head += piece.vr + struct.pack(f"{order}H", piece.length & 0xFFFF)
    return head + piece.value


def renamed(base: Base, old: bytes, new: bytes) -> Base:
    """The same file with other digits in its UIDs and numbers; both texts are of one length."""
    assert len(old) == len(new)
    return replace(
        base,
        meta=base.meta.replace(old, new),
        body=tuple(
            replace(piece, value=piece.value.replace(old, new)) if len(piece.value) < 1000 else piece
            for piece in base.body
        ),
    )
