"""The size that a compressed frame's own codestream gives, checked before a decoder trusts it."""

from dataclasses import dataclass

from nameplate_ingest.refusal import Refused

RLE = "1.2.840.10008.1.2.5"
JPEG_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
JPEG_LS = ("1.2.840.10008.1.2.4.80",)
JPEG_2000 = ("1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91")
COMPRESSED = frozenset((RLE, *JPEG_LOSSLESS, *JPEG_LS, *JPEG_2000))

_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_START_OF_SCAN = 0xDA


@dataclass(frozen=True, slots=True)
class FrameSize:
    """The size in a codestream's header."""

    rows: int
    columns: int
    samples: int


def frame_size(frame: bytes, syntax: str) -> FrameSize | None:
    """Rows, columns and samples of one compressed frame; None for RLE, which does not give them.

    Raises Refused for data that are not such a codestream.
    """
    if syntax == RLE:
        return None
    return _jpeg_2000(frame) if syntax in JPEG_2000 else _jpeg(frame)


def _jpeg_2000(frame: bytes) -> FrameSize:
    start = frame.find(b"\xff\x4f\xff\x51", 0, 4096)  # after a JP2 box header, if any
    if start < 0 or len(frame) < start + 42:
        raise Refused("compressed-pixels", "no JPEG 2000 codestream")
    at = start + 8  # after SOC, SIZ, its length and capabilities
    width, height, left, top = (int.from_bytes(frame[at + 4 * i : at + 4 * i + 4], "big") for i in range(4))
    tile = [int.from_bytes(frame[at + 16 + 4 * i : at + 20 + 4 * i], "big") for i in range(2)]
    if not all(tile) or (-(-width // tile[0])) * (-(-height // tile[1])) > 65535:
        raise Refused("compressed-pixels", "JPEG 2000 tiles")
    return FrameSize(height - top, width - left, int.from_bytes(frame[at + 32 : at + 34], "big"))


def _jpeg(frame: bytes) -> FrameSize:
    if frame[:2] != b"\xff\xd8":
        raise Refused("compressed-pixels", "no JPEG codestream")
    at = 2
    while at + 10 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _START_OF_FRAME:
            rows, columns = (int.from_bytes(frame[at + i : at + i + 2], "big") for i in (5, 7))
            return FrameSize(rows, columns, frame[at + 9])
        if marker == _START_OF_SCAN:
            break
        at += 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    raise Refused("compressed-pixels", "JPEG without a frame header")
