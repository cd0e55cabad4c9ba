"""DICOM's RLE for 16-bit pixels (PS3.5, annex G): one packed segment for high bytes, one for low bytes."""

import struct

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.refusal import Refused

_HEADER = 64


def unpacked_words(frame: bytes, size: int) -> NDArray[np.uint16]:
    """The ``size`` words of a frame; never takes more memory than they need, whatever the frame says."""
    if len(frame) < _HEADER:
        raise Refused("compressed-pixels", "RLE without a header")
    segments, high, low = struct.unpack_from("<3I", frame)
    if segments != 2 or not _HEADER <= high < low <= len(frame):
        raise Refused("compressed-pixels", f"RLE of {min(segments, 99)} segments")
    planes = np.empty((size, 2), np.uint8)
    planes[:, 0] = np.frombuffer(_unpacked(frame, high, low, size), np.uint8)
    planes[:, 1] = np.frombuffer(_unpacked(frame, low, len(frame), size), np.uint8)
    return planes.view(">u2")[:, 0].astype(np.uint16)


def _unpacked(frame: bytes, at: int, end: int, size: int) -> bytes:
    """PackBits: a count byte, then that many bytes as they are, or one byte to repeat."""
    plain = bytearray()
    while len(plain) < size and at + 1 < end:
        count = frame[at]
        if count < 128:
            plain += frame[at + 1 : min(at + 2 + count, end)]
            at += 2 + count
        else:
            if count > 128:
                plain += frame[at + 1 : at + 2] * (257 - count)
                at += 1
            at += 1
    if len(plain) < size:
        raise Refused("compressed-pixels", f"RLE of {len(plain)} of {size} pixels")
    return bytes(plain[:size])
