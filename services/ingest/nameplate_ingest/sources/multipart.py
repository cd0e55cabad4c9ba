"""The parts of a multipart answer, one after the other, without holding any of them whole."""

from collections.abc import Iterable, Iterator

from nameplate_ingest.sources.patience import Unserved

_LONGEST_HEAD = 64 << 10


class _Bytes:
    """Bytes as they come, up to what ends them."""

    def __init__(self, chunks: Iterable[bytes], first: bytes) -> None:
        self._chunks = iter(chunks)
        self._held = bytearray(first)

    def until(self, end: bytes) -> Iterator[bytes]:
        """All up to ``end``, which is dropped; Unserved where the answer is cut short."""
        while (at := self._held.find(end)) < 0:
            # What might be the beginning of the end is kept.
            ready = max(0, len(self._held) - len(end) + 1)
            if ready:
                yield bytes(self._held[:ready])
                del self._held[:ready]
            self._more()
        if at:
            yield bytes(self._held[:at])
        del self._held[: at + len(end)]

    def starts_with(self, text: bytes) -> bool:
        """Whether ``text`` comes next."""
        while len(self._held) < len(text):
            self._more()
        return self._held.startswith(text)

    def _more(self) -> None:
        chunk = next(self._chunks, None)
        if chunk is None:
            raise Unserved("source.url: the answer ended before all images had come")
        self._held += chunk


def parts_of(chunks: Iterable[bytes], boundary: bytes) -> Iterator[Iterator[bytes]]:
    """The content of each part, as pieces; a part that was not read to its end is skipped.

    Raises Unserved for an answer that is cut short.
    """
    delimiter = b"\r\n--" + boundary
    data = _Bytes(chunks, b"\r\n")  # the first delimiter may stand at the very beginning
    _skip(data.until(delimiter))
    while not data.starts_with(b"--"):
        _skip(data.until(b"\r\n\r\n"), _LONGEST_HEAD)
        part = data.until(delimiter)
        yield part
        _skip(part)


def _skip(pieces: Iterator[bytes], most: int | None = None) -> None:
    length = 0
    for piece in pieces:
        length += len(piece)
        if most is not None and length > most:
            raise Unserved("source.url: the answer is no multipart message")
