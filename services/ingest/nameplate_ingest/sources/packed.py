"""Slices as few bytes, for the time between the listing of a source and the turn of their study."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.dicom.slice import Device, Slice, Storage
from nameplate_ingest.dicom.statements import Statements
from nameplate_ingest.fields.person import Person

_PARTS = {"person": Person, "device": Device, "says": Statements, "grid": SliceGeometry, "storage": Storage}
"""Fields of a slice that are records of their own; all others are plain values."""
_NAMES = tuple(field.name for field in fields(Slice))
_OF_SLICE = attrgetter(*_NAMES)
_OF_PART = {kind: attrgetter(*(field.name for field in fields(kind))) for kind in _PARTS.values()}
_PLACES = tuple((_NAMES.index(name), kind) for name, kind in _PARTS.items())
_PATH, _REFUSAL = _NAMES.index("path"), _NAMES.index("refusal")


def pack(slices: Iterable[Slice]) -> bytes:
    """Slices as compressed JSON. What many slices share (the machine, the patient) is written once."""
    parts: dict[Any, int] = {}
    rows = []
    for slice_ in slices:
        row = list(_OF_SLICE(slice_))
        row[_PATH] = str(row[_PATH])
        for place, kind in _PLACES:
            part = row[place]
            if part is not None:
                row[place] = parts.setdefault((kind.__name__, _OF_PART[kind](part)), len(parts))
        rows.append(row)
    # With escapes: a header's text may hold what no UTF-8 does.
    text = json.dumps([list(parts), rows], ensure_ascii=True, separators=(",", ":"))
    return zlib.compress(text.encode(), 1)


_KINDS = {kind.__name__: kind for kind in _PARTS.values()}


def unpack(pieces: Iterable[bytes]) -> list[Slice]:
    """What ``pack`` packed."""
    return [slice_ for piece in pieces for slice_ in _slices(piece)]


def _slices(piece: bytes) -> Iterable[Slice]:
    told, rows = json.loads(zlib.decompress(piece))
    parts = [_KINDS[name](*map(_plain, values)) for name, values in told]
    for row in rows:
        row[_PATH] = Path(row[_PATH])
        row[_REFUSAL] = _plain(row[_REFUSAL])
        for place, _ in _PLACES:
            if row[place] is not None:
                row[place] = parts[row[place]]
        yield Slice(*row)


def _plain(value: Any) -> Any:
    """JSON's lists as the tuples that they were."""
    return tuple(map(_plain, value)) if isinstance(value, list) else value
