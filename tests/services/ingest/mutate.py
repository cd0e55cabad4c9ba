"""Damage to DICOM files, seeded: what transfers, disks, converters and strangers do to them (pure)."""

import struct
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from tests.services.ingest.dicom_parts import (
    BIG_ENDIAN,
    IMPLICIT,
    ITEM,
    PIXELS,
    UNDEFINED,
    Base,
    Piece,
)
from tests.services.ingest.extremes import FRAMES, LENGTHS, MANY, NUMBERS, SYNTAXES, TEXTS, VRS, WIDE

Random = np.random.Generator

_TELLING = frozenset(
    (
        *(0x00080008, 0x00080016, 0x00080018, 0x00080032, 0x00080060, 0x00080070, 0x00180050, 0x00180060),
        *(0x00180088, 0x00181120, 0x0020000D, 0x0020000E, 0x00200011, 0x00200012, 0x00200013, 0x00200032),
        *(0x00200037, 0x00200052, 0x00280030, 0x00281052, 0x00281053, 0x00281054, 0x00280120, *WIDE),
        *(FRAMES, 0x00209157, 0x00209056, 0x00209128, 0x00209156, 0x00101010, 0x00100010, 0x00100030),
    )
)
"""Elements that decide about grouping, geometry and values; they are hit more often than others."""


def _one(random: Random, choices: Sequence[int]) -> int:
    return choices[int(random.integers(len(choices)))]


def _any_of(random: Random, choices: Sequence[bytes]) -> bytes:
    return choices[int(random.integers(len(choices)))]


def _place(random: Random, base: Base, telling: float = 0.6) -> int:
    """A piece, more often one of those that decide."""
    known = [place for place, piece in enumerate(base.body) if piece.tag in _TELLING]
    if known and random.random() < telling:
        return _one(random, known)
    return int(random.integers(len(base.body)))


def _changed(base: Base, place: int, *pieces: Piece) -> Base:
    return replace(base, body=(*base.body[:place], *pieces, *base.body[place + 1 :]))


def _with_value(piece: Piece, value: bytes) -> Piece:
    return replace(piece, value=value, length=len(value))


def lengths(base: Base, random: Random) -> Base:
    """Another length in front of the same value."""
    place = _place(random, base)
    piece = base.body[place]
    near = max(0, piece.length + int(random.integers(-3, 4))) & UNDEFINED
    return _changed(base, place, replace(piece, length=_one(random, (*LENGTHS, near, near, near))))


def kinds(base: Base, random: Random) -> Base:
    """Another VR."""
    place = _place(random, base)
    return _changed(base, place, replace(base.body[place], vr=_any_of(random, VRS)))


def numbers_of_tags(base: Base, random: Random) -> Base:
    """Two elements trade their tags, or one gets another."""
    first, second = _place(random, base), _place(random, base)
    tags = base.body[first].tag, base.body[second].tag
    if random.random() < 0.3:
        wild = (0, 0x00020010, ITEM, 0xFFFEE00D, 0xFFFEE0DD, PIXELS, 0x00090010, 0xFFFFFFFF, tags[0] ^ 1)
        return _changed(base, first, replace(base.body[first], tag=_one(random, wild)))
    base = _changed(base, first, replace(base.body[first], tag=tags[1]))
    return _changed(base, second, replace(base.body[second], tag=tags[0]))


def order(base: Base, random: Random) -> Base:
    """Elements missing, twice, or in another place."""
    body, place = list(base.body), _place(random, base)
    piece = body[place] if random.random() < 0.5 else body.pop(place)
    if random.random() < 0.6:
        body.insert(int(random.integers(len(body) + 1)), piece)
    return replace(base, body=tuple(body))


def values(base: Base, random: Random) -> Base:
    """Values that nobody expects."""
    for _ in range(int(random.integers(1, 4))):
        place = _place(random, base, 0.8)
        piece = base.body[place]
        if piece.tag != PIXELS and piece.tag >> 16 != 0xFFFE:
            base = _changed(base, place, _with_value(piece, _any_of(random, TEXTS)))
    return base


def sizes(base: Base, random: Random) -> Base:
    """Rows, columns, frames and bits of any size."""
    code = ">H" if base.syntax == BIG_ENDIAN else "<H"
    for _ in range(int(random.integers(1, 4))):
        tag = _one(random, (*WIDE, FRAMES))
        value = _any_of(random, MANY) if tag == FRAMES else struct.pack(code, _one(random, NUMBERS))
        for place, piece in enumerate(base.body):
            if piece.tag == tag:
                base = _changed(base, place, _with_value(piece, value))
    return base


def nests(base: Base, random: Random) -> Base:
    """A sequence within a sequence within a sequence, or very many elements."""
    depth, vr = _one(random, (1, 8, 31, 32, 33, 500, 5000)), _any_of(random, (b"SQ", b"UN"))
    vr = b"" if base.syntax == IMPLICIT else vr
    tag = _one(random, (0x00081140, 0x00180012, 0x00280031, 0x52009230, 0x52009229, 0x00091001))
    if random.random() < 0.3:
        more = [Piece(tag, vr and b"LO", 2, b"x ")] * _one(random, (100, 20_000))
    else:
        length = _one(random, (UNDEFINED, UNDEFINED, 0x1000, 0))
        more = [Piece(tag, vr, length, b""), Piece(ITEM, b"", length, b"")] * depth
        if random.random() < 0.5:
            more += [Piece(0xFFFEE00D, b"", 0, b""), Piece(0xFFFEE0DD, b"", 0, b"")] * depth
    place = int(random.integers(len(base.body)))
    return replace(base, body=(*base.body[:place], *more, *base.body[place:]))


def syntaxes(base: Base, random: Random) -> Base:
    """The file meta information names another transfer syntax, or is gone."""
    kind = random.random()
    if kind < 0.15:
        return replace(base, meta=b"")
    if kind < 0.3:
        return replace(base, meta=base.meta[: int(random.integers(len(base.meta)))])
    old = base.syntax.encode()
    at = base.meta.find(b"\x02\x00\x10\x00UI")
    if at < 0:
        return base
    new = SYNTAXES[int(random.integers(len(SYNTAXES)))].encode()
    new += b"\0" * (len(new) % 2)
    after = at + 8 + len(old) + len(old) % 2
    return replace(base, meta=base.meta[: at + 6] + struct.pack("<H", len(new)) + new + base.meta[after:])


def codestreams(base: Base, random: Random) -> Base:
    """Damage to the heads of compressed frames and to what holds them; to plain pixels if there are none."""
    items = [place for place, piece in enumerate(base.body) if piece.tag == ITEM and piece.value]
    pixels = [place for place, piece in enumerate(base.body) if piece.tag == PIXELS]
    if not items and not pixels:
        return values(base, random)
    place = _one(random, items or pixels)
    piece = base.body[place]
    value = bytearray(piece.value)
    kind = int(random.integers(7))
    if kind == 0 or len(value) < 32:
        return _changed(base, place, replace(piece, length=_one(random, LENGTHS)))
    if kind == 1:
        return _changed(base, place, _with_value(piece, bytes(value[: int(random.integers(len(value)))])))
    if kind == 2:
        marks = [at for at in range(min(len(value), 4096) - 1) if value[at] == 0xFF and value[at + 1] > 0]
        value[_one(random, marks) + 1 if marks else 1] = int(random.integers(256))
    elif kind == 3:
        for mark in (b"\xff\xc3", b"\xff\xf7", b"\xff\x51"):
            if (at := value.find(mark)) >= 0:
                start = at + int(random.integers(2, 14))
                value[start : start + 2] = struct.pack(">H", _one(random, NUMBERS))
    elif kind == 4:
        for _ in range(int(random.integers(1, 5))):
            value[int(random.integers(min(len(value), 200)))] = int(random.integers(256))
    elif kind == 5:
        for _ in range(int(random.integers(1, 60))):
            value[int(random.integers(len(value)))] = int(random.integers(256))
    else:
        at = int(random.integers(len(value)))
        value[at : at + int(random.integers(1, 200))] = random.bytes(int(random.integers(200)))
    return _changed(base, place, replace(piece, value=bytes(value), length=len(value)))


def contents(base: Base, random: Random) -> Base:
    """Other plain pixels of the same size."""
    kind, word = int(random.integers(6)), random.bytes(2)
    for place, piece in enumerate(base.body):
        if piece.tag == PIXELS and piece.value:
            old, size = piece.value, len(piece.value)
            value = (
                random.bytes(size),
                word * (size // 2),
                old[::-1],
                old[1:] + old[:1],
                old[size // 2 :] + old[: size // 2],
                bytes(size // 4) + old[size // 4 : size // 2] + word * (size // 4),
            )[kind]
            base = _changed(base, place, replace(piece, value=value))
    return base


_OF_PARTS: dict[str, Callable[[Base, Random], Base]] = {
    "length": lengths,
    "VR": kinds,
    "tag": numbers_of_tags,
    "order": order,
    "value": values,
    "size": sizes,
    "nesting": nests,
    "syntax": syntaxes,
    "codestream": codestreams,
    "pixels": contents,
}


def _flips(data: bytearray, random: Random) -> bytearray:
    """1 to 200 bytes changed, by one bit or altogether, in the header or anywhere."""
    end = len(data) if random.random() < 0.5 else min(len(data), 1500)
    for at in random.integers(end, size=int(2 ** random.uniform(0, 7.65))):
        bit = 1 << int(random.integers(8))
        data[at] = data[at] ^ bit if random.random() < 0.5 else int(random.integers(256))
    return data


def _cut(data: bytearray, random: Random) -> bytearray:
    end = len(data) if random.random() < 0.5 else min(len(data), 2000)
    return data[: int(random.integers(end))]


def _blocks(data: bytearray, random: Random) -> bytearray:
    """A block inserted, removed, repeated, or overwritten."""
    at, size = int(random.integers(len(data))), int(2 ** random.uniform(0, 13))
    kind = int(random.integers(5))
    if kind == 0:
        data[at:at] = random.bytes(size)
    elif kind == 1:
        data[at:at] = bytes([_one(random, (0, 0xFF, 0x20))]) * size
    elif kind == 2:
        del data[at : at + size]
    elif kind == 3:
        data[at:at] = data[at : at + size]
    else:
        data[at : at + size] = bytes(len(data[at : at + size]))
    return data


_OF_BYTES: dict[str, Callable[[bytearray, Random], bytearray]] = {
    "bytes": _flips,
    "cut": _cut,
    "block": _blocks,
}
NAMES = (*_OF_PARTS, *_OF_BYTES)
SOFT = ("value", "order", "codestream", "pixels", "bytes")
"""Damage after which a slice is often still a slice of its series."""


def mutated(base: Base, random: Random, names: Sequence[str] = NAMES) -> tuple[bytes, str]:
    """The file with one to three kinds of damage, of those in ``names``, and their names."""
    told = []
    structural = [name for name in _OF_PARTS if name in names]
    if structural and random.random() < 0.75:
        for name in random.choice(
            structural, size=min(len(structural), int(random.integers(1, 3))), replace=False
        ):
            base = _OF_PARTS[name](base, random)
            told.append(str(name))
    data = base.file()
    plain = [name for name in _OF_BYTES if name in names]
    if plain and data and (not told or random.random() < 0.15):
        name = str(random.choice(plain))
        data = bytes(_OF_BYTES[name](bytearray(data), random))
        told.append(name)
    return data, "+".join(told)


def damaged_study(study: Sequence[Base], random: Random) -> list[bytes]:
    """The files of a study of which one to three are damaged, or all of them in the same way.

    Half of the damage is of kinds after which a slice often still is one.
    """
    names = NAMES if random.random() < 0.5 else SOFT
    if random.random() < 0.3:
        state = int(random.integers(1 << 32))
        return [mutated(base, np.random.default_rng(state), names)[0] for base in study]
    places = set(random.integers(len(study), size=int(random.integers(1, 4))).tolist())
    files = []
    for place, base in enumerate(study):
        files.append(mutated(base, random, names)[0] if place in places else base.file())
    return files
