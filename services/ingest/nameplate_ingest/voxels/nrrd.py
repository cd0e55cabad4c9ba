"""Headers of NRRD files, with their voxels in the same file (.nrrd) or in another one (.nhdr)."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.nearby import floats, header_lines, named_by, whole_numbers
from nameplate_ingest.voxels.stored import StoredVolume, affine_of, checked_shape, checked_type

_MOST = 256 << 10
"""Bytes of a header."""
_MOST_AXES = 8
_TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_LPS = {
    **dict.fromkeys(("left-posterior-superior", "lps"), (1.0, 1.0, 1.0)),
    **dict.fromkeys(("right-anterior-superior", "ras"), (-1.0, -1.0, 1.0)),
    **dict.fromkeys(("left-anterior-superior", "las"), (1.0, -1.0, 1.0)),
}
"""What turns a space's axes into DICOM's."""
_VECTOR = re.compile(r"\(([^()]*)\)|none", re.IGNORECASE)
_COLOURS = ("color", "colour", "vector", "complex", "matrix", "point", "normal", "list", "quaternion")


def read_nrrd_header(path: Path, folder: Path) -> StoredVolume:
    """What the header says; a file that it names must be below ``folder``.

    Raises Refused for what is no such file, for more than one frame, colours and other kinds of voxels, and
    for a file that does not say where it is in the patient.
    """
    fields, length = _fields(path)
    sizes = whole_numbers(fields.get("sizes", ""))
    if not 0 < len(sizes) <= _MOST_AXES or len(sizes) != len(_vectors(fields, len(sizes))):
        raise Refused("geometry", "sizes or space directions missing or invalid")
    vectors = _vectors(fields, len(sizes))
    _check_kinds(fields, sizes)
    spatial = [axis for axis, vector in enumerate(vectors) if vector is not None]
    if len(spatial) != 3:
        raise Refused("geometry", f"{len(spatial)} of its axes are in space")
    others = [size for axis, size in enumerate(sizes) if axis not in spatial]
    data, offset, encoding = _data(path, fields, length, folder)
    return StoredVolume(
        path=data,
        offset=0 if encoding == "gzip" else offset,
        packed=encoding == "gzip",
        packed_from=offset,
        dtype=_type(fields),
        shape=checked_shape((*(sizes[axis] for axis in spatial), *others)),
        affine=_affine(fields, [vector for vector in vectors if vector is not None]),
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's fields by name in lower case, and its length in bytes."""
    lines = header_lines(path, _MOST)
    if not lines or not lines[0].startswith(b"NRRD000"):
        raise Refused("not-volume", "no NRRD file")
    fields: dict[str, str] = {}
    length = len(lines[0])
    for line in lines[1:]:
        length += len(line)
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            return fields, length
        name, colon, value = text.partition(": ")
        if colon and not text.startswith("#") and ":=" not in name:
            fields[name.strip().lower()] = value.strip()
    if length >= _MOST or ("data file" not in fields and "datafile" not in fields):
        raise Refused("truncated-header", "the header has no end")
    return fields, length


def _vectors(fields: dict[str, str], count: int) -> list[tuple[float, ...] | None]:
    """The step along each axis; None for an axis that is not in space."""
    found: list[tuple[float, ...] | None] = []
    for match in _VECTOR.finditer(fields.get("space directions", "")):
        vector = None if match[1] is None else floats(match[1], 3)
        if vector is None and match[1] is not None:
            return []
        found.append(vector)
        if len(found) > count:
            return []
    return found


def _check_kinds(fields: dict[str, str], sizes: tuple[int, ...]) -> None:
    """Colours and the like are axes, too."""
    for size, kind in zip(sizes, fields.get("kinds", "").lower().split(), strict=False):
        if size > 1 and any(word in kind for word in _COLOURS):
            raise Refused("colour", f"{size} samples a voxel")


def _type(fields: dict[str, str]) -> np.dtype[Any]:
    name = _TYPES.get(" ".join(fields.get("type", "").lower().split()))
    if name is None:
        raise Refused("bits", "the header's type of voxels is not known")
    order = fields.get("endian", "little").lower()
    if order not in ("little", "big"):
        raise Refused("bits", "the order of bytes is not known")
    return checked_type(np.dtype(name).newbyteorder("<" if order == "little" else ">"))


def _affine(fields: dict[str, str], vectors: list[tuple[float, ...]]) -> NDArray[np.float64]:
    turn = _LPS.get(fields.get("space", "").lower())
    origin = floats(fields.get("space origin", "").strip().removeprefix("(").removesuffix(")"), 3)
    if turn is None or origin is None:
        raise Refused("geometry", "space or space origin missing or not known")
    units = set(re.findall(r'"([^"]*)"', fields.get("space units", "")))
    if not units <= {"mm", "millimeter", "millimeters", ""}:
        raise Refused("geometry", "unit of length is not mm")
    sides = np.array(turn)
    return affine_of(np.array(vectors).T * sides[:, None], np.array(origin) * sides)


def _data(path: Path, fields: dict[str, str], length: int, folder: Path) -> tuple[Path, int, str]:
    """The file with the voxels, where they begin, and whether they are raw or gzip."""
    encoding = {"gz": "gzip"}.get(fields.get("encoding", "").lower(), fields.get("encoding", "").lower())
    if encoding not in ("raw", "gzip"):
        raise Refused("encoding", "voxels are neither raw nor packed by gzip")
    skip = fields.get("byte skip", fields.get("byteskip", "0"))
    lines = fields.get("line skip", fields.get("lineskip", "0"))
    if lines != "0" or not re.fullmatch(r"-1|[0-9]{1,9}", skip) or (encoding == "gzip" and skip != "0"):
        raise Refused("encoding", "where its voxels begin is not plain")
    name = fields.get("data file", fields.get("datafile"))
    if name is None:
        return path, length + int(skip) if skip != "-1" else -1, encoding
    if name.startswith("LIST") or "%" in name:
        raise Refused("encoding", "voxels are in several files")
    return named_by(path, name, folder), int(skip), encoding
