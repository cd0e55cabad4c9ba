"""Sequences of a DICOM header as nested values; header.py reads only what is at the top level."""

from nameplate_ingest.dicom.encoding import LONG_VR, SHORT_VR, encoding_of
from nameplate_ingest.dicom.header import EXPLICIT, PIXEL_DATA
from nameplate_ingest.dicom.header import UNDEFINED as UNDEFINED
from nameplate_ingest.dicom.header import Walker as Walker

_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONGEST_VALUE = 4096
_DEEPEST = 8
"""Functional groups nest four deep."""

Item = dict[int, "bytes | list[Item]"]
"""Values by tag: the items of a sequence, else raw bytes."""


class Malformed(Exception):
    """The sequences do not add up."""


def top_item(
    data: bytes, syntax: str, little: bool, wanted: frozenset[int], sequences: frozenset[int]
) -> Item:
    """The wanted elements and sequences of ``data``, a header with or without file meta information.

    Sequences that are not asked for are stepped over. Raises Malformed, or an error of the header's reader.
    """
    at = 132 if data[128:132] == b"DICM" else 0
    meta = Walker(data, little=True, explicit=True)
    while data[at : at + 2] == b"\x02\x00":
        _, length, at = meta.element(at, explicit=True)
        at += length
    explicit = encoding_of(data, at, syntax or EXPLICIT)[1]
    reader = _Nested(Walker(data, little, explicit), wanted, sequences)
    return reader.item(at, len(data), explicit, 0)[0]


class _Nested:
    def __init__(self, walker: Walker, wanted: frozenset[int], sequences: frozenset[int]) -> None:
        self.walker = walker
        self.data = walker.data
        self.wanted, self.sequences = wanted, sequences

    def item(self, at: int, end: int | None, explicit: bool, depth: int) -> tuple[Item, int]:
        """The elements from ``at`` to ``end`` (None: to the item's delimiter), and the byte after them."""
        if depth > _DEEPEST:
            raise Malformed
        values: Item = {}
        while end is None or at + 8 <= end:
            start = at
            tag, length, at = self.walker.element(at, explicit)
            if tag == _ITEM_END and end is None:
                return values, at
            if tag >= PIXEL_DATA and depth == 0:
                return values, start
            unknown = explicit and self.data[start + 4 : start + 6] == b"UN"
            if tag in self.sequences:
                values[tag], at = self.items(at, length, explicit, unknown, depth)
                continue
            if length == UNDEFINED:
                at = self.walker.after_sequence(at, explicit, 1, unknown=unknown)
                continue
            if tag in self.wanted:
                values[tag] = self.data[at : at + min(length, _LONGEST_VALUE)]
            at += length
            if at > (len(self.data) if end is None else end):
                raise Malformed
        return values, len(self.data) if end is None else end

    def items(
        self, at: int, length: int, explicit: bool, unknown: bool, depth: int
    ) -> tuple[list[Item], int]:
        """The items of a sequence whose value starts at ``at``, and the first byte after it."""
        end = None if length == UNDEFINED else at + length
        if end is not None and end > len(self.data):
            raise Malformed
        found: list[Item] = []
        while end is None or at + 8 <= end:
            tag, length, at = self.walker.element(at, explicit)
            if tag == _SEQUENCE_END:
                return found, at if end is None else end
            if tag != _ITEM:
                raise Malformed
            inner = self._has_vr(at) if unknown else explicit
            last = None if length == UNDEFINED else at + length
            if last is not None and last > (len(self.data) if end is None else end):
                raise Malformed
            item, at = self.item(at, last, inner, depth + 1)
            found.append(item)
        return found, len(self.data) if end is None else end

    def _has_vr(self, at: int) -> bool:
        """Whether the element at ``at`` names its VR: writers exist that leave items under UN explicit."""
        vr = self.data[at + 4 : at + 6]
        return vr in SHORT_VR or (vr in LONG_VR and self.data[at + 6 : at + 8] == b"\0\0")
