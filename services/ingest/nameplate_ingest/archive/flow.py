"""Bytes one after another: of a file, of a member of an archive, out of a compression."""

import io
import zlib
from abc import ABC, abstractmethod
from gzip import GzipFile
from typing import IO, Protocol, cast

import zstandard

from nameplate_ingest.archive.limits import BadArchive, Budget, damaged
from nameplate_ingest.archive.ranged import Ranged

_BLOCK = 1 << 20
_WIDEST = 128 << 20
"""Bytes that zstd may want to look back at, as its own command allows; that much memory it may take."""
_REST = 64 << 20
"""Bytes behind a tar's end that are read for the checksum."""
_LAST_TEXT = 64 * b"\xa5"
_LAST = zstandard.compress(_LAST_TEXT)
"""zstd does not tell that a file ends early. So this follows every file, and comes out only behind a whole
one: it is packed so small that no other way leads to its text."""


class Flow(ABC):
    """Bytes from a first to a last."""

    position = 0
    """How many were read or passed."""

    @abstractmethod
    def read(self, count: int) -> bytes:
        """The next ``count`` bytes, fewer only at the end; raises BadArchive or Refused for broken ones."""

    def skip_to(self, position: int) -> None:
        """Pass what is before; raises BadArchive where the end comes first."""
        if position < self.position:
            raise damaged("a place lies before the one that was read")
        while self.position < position:
            if not self.read(min(_BLOCK, position - self.position)):
                raise damaged("it ends early")


class Seeking(Flow):
    """Bytes of which any part can be read; what is passed costs nothing."""

    def __init__(self, data: Ranged) -> None:
        self._data = data

    def read(self, count: int) -> bytes:
        """The next bytes."""
        read = self._data.read(self.position, count)
        self.position += len(read)
        return read

    def skip_to(self, position: int) -> None:
        """Go there."""
        if position > self._data.size:
            raise damaged("it ends early")
        self.position = position


class Part(Flow):
    """The next ``size`` bytes of another flow, with what was read of them already."""

    def __init__(self, flow: Flow, size: int, read: bytes = b"") -> None:
        self._flow, self._size, self._read = flow, size, read

    def read(self, count: int) -> bytes:
        """The next bytes."""
        count = min(count, self._size - self.position)
        data = self._read[self.position : self.position + count]
        if len(data) < count:
            data += self._flow.read(count - len(data))
        self.position += len(data)
        return data


class _Readable(Protocol):
    def read(self, count: int, /) -> bytes:
        """Up to so many bytes."""


class Unpacked(Flow):
    """What is compressed in another flow; what broke once stays broken."""

    def __init__(self, flow: Flow, form: str, budget: Budget) -> None:
        self._budget = budget
        self._broken: BadArchive | None = None
        self._inner: _Readable
        raw = _Raw(flow, _LAST if form == "zstd" else b"")
        self._last = _LAST_TEXT if form == "zstd" else b""
        self._held, self._ended = b"", False
        if form == "gzip":
            self._inner = GzipFile(fileobj=raw, mode="rb")
        else:
            reader = zstandard.ZstdDecompressor(max_window_size=_WIDEST)
            self._inner = reader.stream_reader(
                cast(IO[bytes], raw), read_across_frames=True, read_size=_BLOCK >> 2
            )

    def read(self, count: int) -> bytes:
        """The next bytes; raises BadArchive for broken ones, and for more than the budget allows."""
        parts = []
        while count > 0:
            if self._broken is not None:
                raise self._broken
            part = self._some(min(count, _BLOCK))
            if not part:
                break
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _some(self, count: int) -> bytes:
        try:
            part = self._next(count)
            self._budget.spend(len(part))
        except BadArchive as bad:
            self._broken = bad
            raise
        except (zlib.error, zstandard.ZstdError, EOFError, OSError) as error:
            self._broken = damaged("its compression is broken")
            raise self._broken from error
        self.position += len(part)
        return part

    def _next(self, count: int) -> bytes:
        """Some bytes, but never the text that is put behind them."""
        part = b""
        while not part and not self._ended:
            read = self._inner.read(count)
            self._ended = not read
            if self._ended and self._held != self._last:
                raise EOFError
            known = self._held + read
            end = len(known) - len(self._last)
            if end > 0:
                part, self._held = known[:end], known[end:]
            else:
                self._held = known
        return part

    def finish(self) -> None:
        """Read what is behind the last member: only the end tells whether all is there, and is right."""
        for _ in range(_REST // _BLOCK):
            if not self.read(_BLOCK):
                return


class _Raw(io.RawIOBase):
    """A flow as the decompressors want it."""

    def __init__(self, flow: Flow, last: bytes) -> None:
        """``last`` is put behind it."""
        self._flow, self._last = flow, last

    def readable(self) -> bool:
        return True

    def read(self, count: int = -1, /) -> bytes:
        data = self._flow.read(_BLOCK if count < 0 else count)
        if not data:
            data, self._last = self._last, b""
        return data
