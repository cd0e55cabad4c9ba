"""Headers of MetaImage files, with their voxels in the same file (.mha) or in another one (.mhd)."""

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
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_ORIGIN, _TURN = ("Offset", "Position", "Origin"), ("TransformMatrix", "Rotation", "Orientation")


def read_metaimage_header(path: Path, folder: Path) -> StoredVolume:
    """What the header says; a file that it names must be below ``folder``.

    Raises Refused for what is no such file, for more than one frame, colours and other kinds of voxels, and
    for a file that does not say where it is in the patient.
    """
    fields, length = _fields(path)
    if fields.get("ObjectType", "Image") != "Image":
        raise Refused("not-volume", "no MetaImage file of an image")
    sizes, axes = whole_numbers(fields.get("DimSize", "")), fields.get("NDims", "")
    if axes not in ("2", "3", "4") or len(sizes) != int(axes):
        raise Refused("size", "the header's dimensions are not valid")
    channels = fields.get("ElementNumberOfChannels", "1")
    if channels != "1":
        raise Refused("colour", "several samples a voxel")
    if fields.get("BinaryData", "True") != "True":
        raise Refused("encoding", "voxels are written as text")
    packed = fields.get("CompressedData", "False") == "True"
    data, offset = _data(path, fields, length, folder, packed=packed)
    return StoredVolume(
        path=data,
        offset=0 if packed else offset,
        packed=packed,
        packed_from=offset,
        dtype=_type(fields),
        shape=checked_shape(sizes),
        affine=_affine(fields, int(axes)),
    )


def _fields(path: Path) -> tuple[dict[str, str], int]:
    """The header's fields by name, and its length in bytes; the name of the voxels' file comes last."""
    fields: dict[str, str] = {}
    length = 0
    for line in header_lines(path, _MOST):
        length += len(line)
        name, equals, value = line.decode("utf-8", "replace").partition("=")
        if not equals:
            break
        fields[name.strip()] = value.strip()
        if name.strip() == "ElementDataFile" and length < _MOST:
            return fields, length
    if "NDims" not in fields:
        raise Refused("not-volume", "no MetaImage file")
    raise Refused("truncated-header", "the header has no end")


def _type(fields: dict[str, str]) -> np.dtype[Any]:
    name = _TYPES.get(fields.get("ElementType", ""))
    if name is None:
        raise Refused("bits", "the header's type of voxels is not known")
    big = fields.get("BinaryDataByteOrderMSB", fields.get("ElementByteOrderMSB", "False"))
    return checked_type(np.dtype(name).newbyteorder(">" if big == "True" else "<"))


def _affine(fields: dict[str, str], axes: int) -> NDArray[np.float64]:
    """MetaImage has no word for the patient's sides: as everywhere, its axes are taken for DICOM's."""
    if axes == 2:
        raise Refused("geometry", "one slice has no place along the head")
    steps = floats(fields.get("ElementSpacing", ""), axes)
    origin = floats(_first(fields, _ORIGIN, " ".join(["0"] * axes)), axes)
    turn = floats(_first(fields, _TURN, " ".join(map(str, np.eye(axes).ravel()))), axes * axes)
    if steps is None or origin is None or turn is None:
        raise Refused("geometry", "spacing, offset or transform missing or invalid")
    directions = np.array(turn).reshape(axes, axes)[:3, :3]  # a row for each axis of the array
    return affine_of(directions.T * np.array(steps[:3]), np.array(origin[:3]))


def _first(fields: dict[str, str], names: tuple[str, ...], default: str) -> str:
    return next((fields[name] for name in names if name in fields), default)


def _data(path: Path, fields: dict[str, str], length: int, folder: Path, *, packed: bool) -> tuple[Path, int]:
    """The file with the voxels, and where they begin."""
    name = fields["ElementDataFile"]
    if name.upper() in ("LOCAL", "LOCAL."):
        return path, length
    if name.upper().startswith("LIST") or "%" in name:
        raise Refused("encoding", "voxels are in several files")
    skip = fields.get("HeaderSize", "0")
    if not re.fullmatch(r"-1|[0-9]{1,9}", skip) or (packed and skip != "0"):
        raise Refused("encoding", "where its voxels begin is not plain")
    return named_by(path, name, folder), int(skip)
