"""The members of a zip archive, by its directory, one by one; nothing in it is believed without a look.

Why not zipfile: it holds a whole directory in memory, and reads from files alone.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from nameplate_ingest.archive.flow import Flow
from nameplate_ingest.archive.limits import RATIO, BadArchive, Budget, damaged, is_bomb
from nameplate_ingest.archive.ranged import Ranged, Section, Window
from nameplate_ingest.refusal import Refused

_END, _END_64, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_ENTRY, _LOCAL = b"PK\x01\x02", b"PK\x03\x04"
_END_BYTES, _ENTRY_BYTES, _LOCAL_BYTES = 22, 46, 30
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _SIZES_BEHIND, _UTF8, _AES = 0x2041, 0x08, 0x800, 99
_FULL, _FULL_16 = 0xFFFFFFFF, 0xFFFF
_UNIX = 3
_BLOCK = 256 << 10
_FEED = 8 << 10
"""Bytes that are given to the decompression at first: a DICOM header needs few."""


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One file of a zip, as its directory has it."""

    name: str
    raw_name: bytes
    offset: int
    """Of its own header."""
    packed: int
    size: int
    crc: int
    method: int
    time: str
    refusal: tuple[str, str] | None


def zip_members(data: Ranged, budget: Budget) -> Iterator[ZipMember]:
    """The files of the directory; raises BadArchive for one that is broken, or whose members overlap."""
    start, size, shift = _directory(data)
    window = Window(Section(data, start, size), _BLOCK)
    at, packed = 0, 0
    while at < size:
        head = window.read(at, _ENTRY_BYTES)
        if len(head) < _ENTRY_BYTES or head[:4] != _ENTRY:
            raise damaged("its directory is broken")
        budget.member()
        lengths = struct.unpack_from("<HHH", head, 28)
        rest = window.read(at + _ENTRY_BYTES, sum(lengths))
        if len(rest) < sum(lengths):
            raise damaged("its directory is broken")
        at += _ENTRY_BYTES + len(rest)
        member = _member(head, rest[: lengths[0]], rest[lengths[0] : lengths[0] + lengths[1]], shift)
        packed += member.packed + _LOCAL_BYTES
        if packed > start:
            raise BadArchive("archive-bomb", "its members overlap")
        if not member.raw_name.endswith((b"/", b"\\")):
            yield member


def _directory(data: Ranged) -> tuple[int, int, int]:
    """Where the directory is, its bytes, and by how much its own places are wrong (what stands before)."""
    tail_at = max(0, data.size - _END_BYTES - _FULL_16)
    tail = data.read(tail_at, data.size - tail_at)
    at = tail.rfind(_END)
    while at >= 0 and not _is_end(tail[at:]):
        at = tail.rfind(_END, 0, at)
    if at < 0:
        raise damaged("it has no directory: perhaps it ends early")
    disk, first_disk, here, count, size, start = struct.unpack_from("<HHHHLL", tail, at + 4)
    end = tail_at + at
    if _FULL in (size, start) or _FULL_16 in (count, here, disk):
        locator = data.read(end - 20, 20) if end >= 20 else b""
        if locator[:4] == _LOCATOR:
            disk = first_disk = 0
            told = struct.unpack_from("<Q", locator, 8)[0]
            # What stands before the archive also shifts this place; the record is then right before.
            places = ((place, data.read(place, 56)) for place in (told, end - 76) if place >= 0)
            found = [(place, one) for place, one in places if len(one) == 56 and one[:4] == _END_64]
            if not found:
                raise damaged("its directory is broken")
            end, record = found[0]
            size, start = struct.unpack_from("<QQ", record, 40)
    if disk or first_disk:
        raise BadArchive("archive-kind", "one of several parts")
    shift = end - size - start
    if shift < 0:
        raise damaged("its directory is broken")
    return start + shift, size, shift


def _is_end(tail: bytes) -> bool:
    """Whether this is the last record of a zip, with its comment."""
    return len(tail) >= _END_BYTES + (struct.unpack_from("<H", tail, 20)[0] if len(tail) > 21 else 0)


def _member(head: bytes, raw_name: bytes, extra: bytes, shift: int) -> ZipMember:
    made_by, _, flags, method, time, date, crc, packed, size = struct.unpack_from("<HHHHHHLLL", head, 4)
    attributes, offset = struct.unpack_from("<LL", head, 38)
    size, packed, offset = _large(extra, (size, packed, offset))
    kind = stat.S_IFMT(attributes >> 16) if made_by >> 8 == _UNIX else 0
    refusal = None
    if flags & _ENCRYPTED or method == _AES:
        refusal = "archive-encrypted", "a member is encrypted"
    elif kind not in (0, stat.S_IFREG):
        refusal = "archive-member", "a link" if kind == stat.S_IFLNK else "not a file"
    elif method not in (_STORED, _DEFLATED):
        refusal = "archive-kind", f"a member packed by method {method}"
    elif is_bomb(packed, size):
        refusal = "archive-bomb", f"a member with more than {RATIO} bytes out of one"
    try:
        # Some writers do not say that a name is UTF-8; hardly any other text passes for it.
        name = raw_name.decode()
    except UnicodeDecodeError:
        name = raw_name.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw_name.decode("cp437")
    name = name.replace("\\", "/")
    return ZipMember(name, raw_name, offset + shift, packed, size, crc, method, f"{date}.{time}", refusal)


def _large(extra: bytes, values: tuple[int, int, int]) -> tuple[int, int, int]:
    """Size, packed size and place, with those of an entry for large files where the plain ones are full."""
    if _FULL not in values:
        return values
    at = 0
    while at + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, at)
        if tag == 1:
            numbers = iter(struct.unpack_from(f"<{min(length, len(extra) - at - 4) // 8}Q", extra, at + 4))
            try:
                size, packed, offset = (next(numbers) if value == _FULL else value for value in values)
            except (StopIteration, RuntimeError):
                break
            return size, packed, offset
        at += 4 + length
    raise damaged("its directory is broken")


class ZipFlow(Flow):
    """The bytes of one member; its end is where the directory says it is, or it is refused."""

    def __init__(
        self,
        data: Ranged,
        place: tuple[int, int, int, int, int],
        budget: Budget,
        *,
        ahead: int,
        raw_name: bytes | None = None,
    ) -> None:
        self._offset, self._packed, self._size, self._crc, self._method = place
        self._data, self._ahead, self._raw_name, self._budget = data, ahead, raw_name, budget
        self._opened: tuple[Ranged, int] | None = None
        """The archive, read ahead, and where the member's packed bytes start."""
        self._taken = 0
        self._inflate = zlib.decompressobj(-15)
        self._seen_crc = 0

    def section(self) -> Ranged | None:
        """The member's bytes at any place; None where they are packed."""
        return Section(self._data, self._open()[1], self._size) if self._method == _STORED else None

    def read(self, count: int) -> bytes:
        """The next bytes; raises Refused for a member that is not what the archive says."""
        count = min(count, self._size - self.position)
        if count <= 0:
            return b""
        try:
            read = self._inflated(count) if self._method == _DEFLATED else self._stored(count)
        except zlib.error:
            raise _refused("the compression of a member is broken") from None
        self._seen_crc = zlib.crc32(read, self._seen_crc)
        self.position += len(read)
        if self.position == self._size:
            self._finish()
        return read

    def _finish(self) -> None:
        if self._method == _DEFLATED:
            # All was given out; what is left of the packed bytes must end without another one.
            while not self._inflate.eof:
                pending = self._inflate.unconsumed_tail or self._feed()
                if not pending or self._inflate.decompress(pending, 1):
                    raise _refused("a member has another size than the archive says")
        if self._seen_crc != self._crc:
            raise _refused("the checksum of a member is wrong")

    def _open(self) -> tuple[Ranged, int]:
        if self._opened is None:
            ahead = Window(self._data, min(self._ahead, self._packed + (1 << 10)))
            head = ahead.read(self._offset, _LOCAL_BYTES)
            if len(head) < _LOCAL_BYTES or head[:4] != _LOCAL:
                raise _refused("a member has no header of its own")
            flags, method = struct.unpack_from("<HH", head, 6)
            crc, packed, size, name_bytes, extra_bytes = struct.unpack_from("<LLLHH", head, 14)
            name = ahead.read(self._offset + _LOCAL_BYTES, name_bytes)
            told = ((crc, self._crc), (packed, self._packed), (size, self._size))
            same = flags & _SIZES_BEHIND or all(one in (other, _FULL) for one, other in told)
            if method != self._method or not same or self._raw_name not in (None, name):
                raise _refused("the two headers of a member disagree")
            start = self._offset + _LOCAL_BYTES + name_bytes + extra_bytes
            if start + self._packed > self._data.size:
                raise _refused("a member lies outside the archive")
            if self._method == _STORED and self._packed != self._size:
                raise _refused("a member has another size than the archive says")
            self._opened = ahead, start
        return self._opened

    def _take(self, count: int) -> bytes:
        data, start = self._open()
        read = data.read(start + self._taken, min(count, self._packed - self._taken))
        self._taken += len(read)
        return read

    def _stored(self, count: int) -> bytes:
        read = self._take(count)
        if len(read) < count:
            raise _refused("a member ends early")
        return read

    def _feed(self) -> bytes:
        return self._take(min(max(_FEED, self.position), _BLOCK))

    def _inflated(self, count: int) -> bytes:
        parts = []
        while count > 0:
            pending = self._inflate.unconsumed_tail or self._feed()
            part = self._inflate.decompress(pending, count)
            if not part and (self._inflate.eof or not pending):
                raise _refused("a member has another size than the archive says")
            self._budget.spend(len(part))
            parts.append(part)
            count -= len(part)
        return b"".join(parts)


def _refused(seen: str) -> Refused:
    return Refused("archive-damaged", seen)
