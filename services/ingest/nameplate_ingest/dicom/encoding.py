"""In what encoding a data set is written, whatever its file meta says, and deflated data sets."""

import re
import zlib
from typing import Literal

from nameplate_ingest.refusal import Refused

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
_OTHER = frozenset(("", IMPLICIT, DEFLATED, BIG_ENDIAN))
_PLAIN = _OTHER | {EXPLICIT}

MOST_INFLATED = 64 << 20
"""Most bytes that a deflated file may inflate to; a slice of 2048 x 2048 takes 8 MiB."""
_UNDEFINED = 0xFFFFFFFF

LONG_VR = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
SHORT_VR = frozenset(
    (
        *(b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT"),
        *(b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US"),
    )
)
VR_FORM = re.compile(rb"[A-Z]{2}")


def guessed_syntax(data: bytes, at: int) -> str:
    """The syntax of a data set that starts at ``at``, guessed from its first element.

    Raises Refused for what cannot be DICOM; a file marked DICM gets the benefit of the doubt.
    """
    head = data[at : at + 8]
    if len(head) == 8 and 0 < (group := int.from_bytes(head[:2], "little")) <= 0x0010 and group % 2 == 0:
        if VR_FORM.fullmatch(head[4:6]):
            return EXPLICIT
        if int.from_bytes(head[4:8], "little") <= 4096:
            return IMPLICIT
    if len(head) == 8 and head[:2] in (b"\0\x02", b"\0\x08") and VR_FORM.fullmatch(head[4:6]):
        return BIG_ENDIAN
    if at == 0:
        raise Refused("not-dicom")
    return EXPLICIT if VR_FORM.fullmatch(head[4:6]) else IMPLICIT


def _reads_as(data: bytes, at: int, little: bool, explicit: bool) -> bool:
    """Whether the first three elements at ``at`` read sensibly in this encoding.

    At most one encoding can: swapped bytes give a first group of 256 or more, and two letters read as an
    implicit length give more than 16 KiB.
    """
    order: Literal["little", "big"] = "little" if little else "big"
    previous = 0
    for count in range(3):
        head = data[at : at + 12]
        if len(head) < 12:
            return count > 0
        tag = int.from_bytes(head[:2], order) << 16 | int.from_bytes(head[2:4], order)
        if tag <= previous or (count == 0 and not 0 < tag >> 16 < 0x0100):
            return False
        vr, size = head[4:6], 8
        if not explicit:
            length = int.from_bytes(head[4:8], order)
        elif vr in LONG_VR and head[6:8] == b"\0\0":
            length, size = int.from_bytes(head[8:12], order), 12
        elif vr in SHORT_VR:
            length = int.from_bytes(head[6:8], order)
        else:
            return False
        if length == _UNDEFINED:
            return count > 0 or data[at + size : at + size + 4] in (b"\xfe\xff\0\xe0", b"\xff\xfe\xe0\0")
        if length > 0x4000 and not explicit:
            return False
        previous, at = tag, at + size + length
    return True


def encoding_of(data: bytes, at: int, said: str) -> tuple[str, bool]:
    """Transfer syntax and whether the elements are explicit, for a data set that starts at ``at``.

    The data set is believed where its first elements are clear, else what the file meta ``said``.
    """
    if said not in _OTHER and data[at + 4 : at + 6] in SHORT_VR and data[at + 1] == 0 < data[at]:
        return said, True  # nearly every file, so its first element has to do
    usual = (said != BIG_ENDIAN, said != IMPLICIT)
    if said != DEFLATED and _reads_as(data, at, *usual):
        return said, usual[1]
    for found, little, explicit in (
        (EXPLICIT, True, True),
        (IMPLICIT, True, False),
        (BIG_ENDIAN, False, True),
    ):
        if _reads_as(data, at, little, explicit):
            # How the pixels are compressed is told by a syntax that is not a plain one.
            keep = said not in _PLAIN and found != BIG_ENDIAN
            return said if keep else found, explicit
    if said == DEFLATED or _reads_as(_inflated(data[at : at + 4096], 4096), 0, True, True):
        return DEFLATED, True
    return said, said != IMPLICIT and bool(VR_FORM.fullmatch(data[at + 4 : at + 6]))


def _inflated(data: bytes, most: int) -> bytes:
    """The beginning of what the data inflate to, empty if they do not."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, most)
    except zlib.error:
        return b""


def inflate(data: bytes) -> bytes:
    """The data set of a deflated file; refused before it exceeds ``MOST_INFLATED``."""
    # The standard wants the bare stream; some writers put zlib's two bytes before it.
    wrapped = len(data) > 2 and data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    plain, rest = b"", b""
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS) if wrapped else (-zlib.MAX_WBITS,):
        machine = zlib.decompressobj(window)
        try:
            plain, rest = machine.decompress(data, MOST_INFLATED), machine.unconsumed_tail
            break
        except zlib.error as error:
            if window < 0:
                raise Refused("unreadable", "deflated data are damaged") from error
    if rest:
        raise Refused("too-large", f"inflates to more than {MOST_INFLATED >> 20} MiB")
    return plain
