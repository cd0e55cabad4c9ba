"""Which pieces of an encapsulated pixel value make up each frame (DICOM PS3.5, annex A.4)."""

from collections.abc import Callable

from nameplate_ingest.refusal import Refused

Read = Callable[[int, int], bytes]
"""Bytes from a position in the pixel value, so many or as far as the file goes."""
Pieces = tuple[tuple[int, int], ...]
"""Position and length of each fragment of one frame."""

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"
_UNDEFINED = 0xFFFFFFFF
_MOST_FRAGMENTS = 65536


def frames_of(read: Read, frames: int) -> tuple[Pieces, ...]:
    """The pieces of each of ``frames`` frames.

    Frames in several fragments are told apart by the offset table, or by the mark that ends a JPEG image.
    Raises Refused for an item structure that is damaged or leaves the frames unclear.
    """
    table, pieces = _items(read, frames)
    if frames == 1 and pieces:
        return (tuple(pieces),)
    if len(pieces) == frames:
        return tuple((piece,) for piece in pieces)
    starts = _table_starts(table, pieces, frames) or _marked_starts(read, pieces)
    if len(starts) != frames:
        raise Refused("compressed-pixels", f"{len(pieces)} fragments for {frames} frames")
    ends = (*starts[1:], len(pieces))
    return tuple(tuple(pieces[start:end]) for start, end in zip(starts, ends, strict=True))


def joined(read: Read, pieces: Pieces, most: int) -> bytes:
    """One frame; refused if it is cut off or takes more than ``most`` bytes."""
    size = sum(length for _, length in pieces)
    if size > most:
        raise Refused("compressed-pixels", f"a frame of more than {most} bytes")
    frame = b"".join(read(at, length) for at, length in pieces)
    if len(frame) < size:
        raise Refused("truncated-pixels", f"{len(frame)} of {size} bytes")
    return frame


def _items(read: Read, frames: int) -> tuple[bytes, list[tuple[int, int]]]:
    """The basic offset table and all fragments."""
    table: bytes | None = None
    pieces: list[tuple[int, int]] = []
    at = 0
    for _ in range(_MOST_FRAGMENTS):
        head = read(at, 8)
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8 or head[:4] == _END:
            return table or b"", pieces
        if head[:4] != _ITEM or length == _UNDEFINED:
            raise Refused("compressed-pixels", "no complete frame")
        if table is None:
            table = read(at + 8, min(length, 4 * frames))
        else:
            pieces.append((at + 8, length))
        at += 8 + length
    raise Refused("compressed-pixels", f"more than {_MOST_FRAGMENTS} fragments")


def _table_starts(table: bytes, pieces: list[tuple[int, int]], frames: int) -> list[int]:
    """The first fragment of each frame by the offset table; empty if the table cannot be right."""
    offsets = [int.from_bytes(table[i : i + 4], "little") for i in range(0, len(table) - 3, 4)]
    place = {at - pieces[0][0]: number for number, (at, _) in enumerate(pieces)}
    starts = [place[offset] for offset in offsets if offset in place]
    right = len(starts) == frames and starts[0] == 0 and starts == sorted(set(starts))
    return starts if right else []


def _marked_starts(read: Read, pieces: list[tuple[int, int]]) -> list[int]:
    """The first fragment of each frame: the one after a fragment that ends an image."""
    starts, fresh = [], True
    for number, (at, length) in enumerate(pieces):
        if fresh:
            starts.append(number)
        fresh = b"\xff\xd9" in read(at + max(length - 4, 0), min(length, 4))
    return starts
