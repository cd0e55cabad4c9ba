"""An archive as lines of text, sent through a pod's log and checked at the other end."""

import base64
import binascii
import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator

from nameplate.errors import TryAgain, UserError

BEGIN, LINE, END = "NAMEPLATE-REPORT-BEGIN ", "NAMEPLATE-REPORT ", "NAMEPLATE-REPORT-END"
LINE_BYTES = 6000
"""Of the packed archive in one line: container logs cut lines at 16 KiB."""
MOST_BYTES = 1 << 28


class Torn(TryAgain):
    """The log broke off or lost lines."""


def encode(data: bytes) -> Iterator[str]:
    """The lines that carry an archive through a log."""
    packed = gzip.compress(data, mtime=0)
    yield BEGIN + hashlib.sha256(packed).hexdigest()
    for position in range(0, len(packed), LINE_BYTES):
        yield LINE + base64.b64encode(packed[position : position + LINE_BYTES]).decode()
    yield END


def decode(lines: Iterable[str]) -> bytes:
    """The archive that ``encode`` wrote, whatever else is in the log; Torn when a part is missing."""
    digest, size, ended = "", 0, False
    parts: list[bytes] = []
    for line in lines:
        if line.startswith(BEGIN):
            digest, parts, size, ended = line.removeprefix(BEGIN).strip(), [], 0, False
        elif line.startswith(END):
            ended = True
            break
        elif line.startswith(LINE) and digest:
            try:
                parts.append(base64.b64decode(line.removeprefix(LINE).strip(), validate=True))
            except binascii.Error:
                raise Torn("the pod's log damaged the report; try again") from None
            size += len(parts[-1])
            if size > MOST_BYTES:
                raise UserError(f"the report has more than {MOST_BYTES} bytes; fetch it from the bucket")
    packed = b"".join(parts)
    if not ended or hashlib.sha256(packed).hexdigest() != digest:
        raise Torn("the pod's log did not carry the whole report; try again")
    try:
        reader = zlib.decompressobj(wbits=31)
        data = reader.decompress(packed, MOST_BYTES)
    except zlib.error:
        raise Torn("the pod's log damaged the report; try again") from None
    if not reader.eof:
        raise UserError(f"the report has more than {MOST_BYTES} bytes; fetch it from the bucket")
    return data
