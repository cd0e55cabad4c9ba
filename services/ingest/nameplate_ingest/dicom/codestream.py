"""What a compressed frame says of itself: size, bits, sign, and whether its transform can be undone.

A decoder is told what the codestream says, never what the DICOM header claims, and is asked only after both
agree on the size. The formats are those of ISO/IEC 10918-1 (JPEG), 14495-1 (JPEG-LS) and 15444-1 (JPEG 2000).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nameplate_ingest.refusal import Refused

RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
JPEG_LS = ("1.2.840.10008.1.2.4.80",)
JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
COMPRESSED = frozenset((RLE, *JPEG_LOSSLESS, *JPEG_LS, *JPEG_2000))
_LOSSY = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 53, 55, 81))
ENCAPSULATED = COMPRESSED.union(_LOSSY)
"""Syntaxes whose frames are looked at; those that may be lossy are refused only if the frame is."""

Codec = Literal["rle", "jpeg", "jpeg-ls", "jpeg-2000"]

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_LOSSLESS_FRAME, _LS_FRAME = 0xC3, 0xF7
_START_OF_SCAN = 0xDA
_NO_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
_SOT, _SOD, _COD, _COC, _QCD, _QCC = 0xFF90, 0xFF93, 0xFF52, 0xFF53, 0xFF5C, 0xFF5D
_MOST_TILE_PARTS = 65535
_MOST_TILES = 4096
_MOST_PACKETS = 100_000
"""With these a decoder takes some seconds and 256 MiB for 2048 x 2048 pixels; encoders make far fewer."""


@dataclass(frozen=True, slots=True)
class Codestream:
    """The head of one compressed frame."""

    codec: Codec
    rows: int
    """0 for RLE, which does not give its size; so are columns."""
    columns: int
    samples: int
    precision: int
    """Bits of a sample as they were given to the encoder; 16 for RLE."""
    signed: bool
    reversible: bool
    """False if decoding cannot give back the values that were encoded."""


def codestream_of(frame: bytes, syntax: str) -> Codestream:
    """Read the head of a compressed frame; what it is shows in its first bytes, not in ``syntax``.

    ``syntax`` only tells RLE, which has no mark of its own. Raises Refused for data that are no codestream.
    """
    if frame[:2] == b"\xff\xd8":
        return _jpeg(frame)
    start = frame.find(b"\xff\x4f\xff\x51", 0, 4096)  # after a JP2 box header, if any
    if start == 0 or (start > 0 and frame[4:8] == b"jP  "):
        return _jpeg_2000(frame, start)
    two_planes = frame[:8] == b"\x02\0\0\0\x40\0\0\0"
    if syntax == RLE or (syntax not in ENCAPSULATED and two_planes):
        return Codestream("rle", 0, 0, 1, 16, signed=False, reversible=True)
    raise Refused("compressed-pixels", "no codestream that is known")


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


def _jpeg_2000(frame: bytes, start: int) -> Codestream:
    if len(frame) < start + 45:
        raise Refused("compressed-pixels", "no JPEG 2000 codestream")
    at = start + 8  # after SOC, SIZ, its length and capabilities
    width, height, left, top, tile_width, tile_height = (_u32(frame, at + 4 * i) for i in range(6))
    if not (tile_width and tile_height):
        raise Refused("compressed-pixels", "JPEG 2000 tiles")
    if -(-width // tile_width) * -(-height // tile_height) > _MOST_TILES:
        raise Refused("compressed-pixels", f"more than {_MOST_TILES} JPEG 2000 tiles")
    depth = frame[at + 34]
    if frame[at + 35 : at + 37] != b"\x01\x01":
        raise Refused("compressed-pixels", "subsampled JPEG 2000")
    reversible = True
    for segment in _segments(frame, start + 2):
        if _packets(frame, *segment, width, height) > _MOST_PACKETS:
            raise Refused("compressed-pixels", f"more than {_MOST_PACKETS} JPEG 2000 packets")
        reversible = reversible and _can_be_undone(frame, *segment)
    return Codestream(
        codec="jpeg-2000",
        rows=height - top,
        columns=width - left,
        samples=_u16(frame, at + 32),
        precision=(depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
        reversible=reversible,
    )


def _segments(frame: bytes, at: int) -> Iterator[tuple[int, int, int]]:
    """Marker, first byte of the value and its length, in the main header and every tile-part's header."""
    parts = part = 0
    while at + 4 <= len(frame):
        marker = _u16(frame, at)
        if marker == _SOD:
            # The data of this tile-part follow; its header says where the next one starts.
            size = _u32(frame, part + 6)
            if size < 14 or parts >= _MOST_TILE_PARTS:
                return
            at = part + size
            continue
        if marker >> 8 != 0xFF or marker == 0xFFD9:
            return
        length = _u16(frame, at + 2)
        if length < 2 or at + 2 + length > len(frame):
            return
        if marker == _SOT:
            part, parts = at, parts + 1
        yield marker, at + 4, length - 2
        at += 2 + length


def _packets(frame: bytes, marker: int, at: int, length: int, width: int, height: int) -> int:
    """Packets that a coding style makes of the whole picture: a decoder takes memory for each.

    There is one for every layer of every precinct of every resolution.
    """
    if marker == _COD and length >= 10:
        style, layers, coding = frame[at], _u16(frame, at + 2), at + 5
    elif marker == _COC and length >= 7:
        style, layers, coding = frame[at + 1], 1, at + 2
    else:
        return 0
    levels = frame[coding]
    sizes = frame[coding + 5 : at + length] if style & 1 else b"\xff" * (levels + 1)
    count = 0
    for resolution, size in enumerate(sizes[: levels + 1]):
        smaller = levels - resolution
        count += -(-width >> smaller + (size & 15)) * -(-height >> smaller + (size >> 4))
    return count * layers


def _can_be_undone(frame: bytes, marker: int, at: int, length: int) -> bool:
    """Whether a segment leaves the transform reversible: wavelet 5-3 and steps that are not quantised."""
    if marker == _COD and length >= 10:
        return frame[at + 9] == 1
    if marker == _COC and length >= 7:  # one component, so its index takes one byte
        return frame[at + 6] == 1
    if marker == _QCD and length >= 1:
        return frame[at] & 0x1F == 0
    if marker == _QCC and length >= 2:
        return frame[at + 1] & 0x1F == 0
    return True


def _jpeg(frame: bytes) -> Codestream:
    at, head, kind = 2, -1, -1
    while at + 10 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _NO_LENGTH:
            at += 2
            continue
        if marker in _START_OF_FRAME and head < 0:
            head, kind = at, marker
        if marker == _START_OF_SCAN:
            break
        at += 2 + max(_u16(frame, at + 2), 2)
    if head < 0 or at + 10 > len(frame) or frame[at : at + 2] != b"\xff\xda":
        raise Refused("compressed-pixels", "JPEG without a frame header")
    # After the components of the scan: predictor (JPEG-LS: how far a value may be off), then two bytes of
    # which the last one's low half is the number of low bits that were dropped.
    scan = at + 5 + 2 * frame[at + 4]
    first, last = (frame[i] if i < len(frame) else 0xFF for i in (scan, scan + 2))
    return Codestream(
        codec="jpeg-ls" if kind == _LS_FRAME else "jpeg",
        rows=_u16(frame, head + 5),
        columns=_u16(frame, head + 7),
        samples=frame[head + 9],
        precision=frame[head + 4],
        signed=False,
        reversible=last & 15 == 0 and (kind == _LOSSLESS_FRAME or (kind == _LS_FRAME and first == 0)),
    )
