"""Headers of NIfTI-1 and NIfTI-2 files, packed or not."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.image.affine import LPS_TO_RAS, canonical_axes
from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.inflate import inflated_start
from nameplate_ingest.voxels.stored import StoredVolume, checked_shape, checked_type

_LONGEST = 540
"""Bytes of a NIfTI-2 header."""
_BYTES = (348, 540)
_MAGIC = (b"n+1\0", b"n+2\0")
_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
"""Millimetres of the header's unit of length."""


def read_nifti_header(path: Path) -> StoredVolume:
    """What the header says.

    Raises Refused for what is no such file, for more than one frame, colours and other kinds of voxels, and
    for a file that does not say where it is in the patient.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_LONGEST)
    except OSError as error:
        raise Refused("unreadable", "the file cannot be read") from error
    packed = start[:2] == b"\x1f\x8b"
    if packed:
        start = inflated_start(path, _LONGEST)
    header = _header(start)
    try:
        sizes = tuple(int(size) for size in header.get_data_shape())
    except Exception as error:
        raise Refused("size", "the header's dimensions are not valid") from error
    try:
        dtype = header.get_data_dtype()
    except Exception as error:
        raise Refused("bits", "the header's type of voxels is not known") from error
    slope, intercept = _scaling(header)
    offset = float(header["vox_offset"])
    if not (math.isfinite(offset) and len(start) >= int(header["sizeof_hdr"]) and 0 <= offset <= 1 << 30):
        raise Refused("truncated-header", "where its voxels begin is not valid")
    return StoredVolume(
        path=path,
        offset=max(int(offset), int(header["sizeof_hdr"])),
        packed=packed,
        packed_from=0,
        dtype=checked_type(dtype),
        shape=checked_shape(sizes),
        affine=LPS_TO_RAS @ _affine(header),
        slope=slope,
        intercept=intercept,
    )


def _header(start: bytes) -> Any:
    """The typed header; nothing in it was checked, so that nothing of it is put right or logged."""
    # Imported here, when nameplate.image.volume has seen to it that nibabel does not import pydicom.
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    for order in ("<", ">"):
        length = int.from_bytes(start[:4], "little" if order == "<" else "big")
        if length not in _BYTES or len(start) < length:
            continue
        kind = Nifti1Header if length == _BYTES[0] else Nifti2Header
        header = kind(start[:length], order, check=False)
        if bytes(header["magic"].tobytes())[:4].ljust(4, b"\0") not in _MAGIC:
            raise Refused("not-volume", "no NIfTI file with voxels")
        return header
    raise Refused("not-volume", "no NIfTI file")


def _scaling(header: Any) -> tuple[float, float]:
    try:
        slope, intercept = header.get_slope_inter()
    except Exception as error:
        raise Refused("rescale", "slope or intercept invalid") from error
    slope, intercept = 1.0 if slope is None else float(slope), 0.0 if intercept is None else float(intercept)
    if slope == 0 or abs(slope) > 1e3 or abs(intercept) > 1e5:
        raise Refused("rescale", "slope or intercept beyond any HU")
    return _shortest(slope), _shortest(intercept)


def _affine(header: Any) -> NDArray[np.float64]:
    """Voxel indices to RAS mm, by the sform where there is one, as it may hold a gantry tilt."""
    told = {name: int(header[f"{name}_code"]) > 0 for name in ("sform", "qform")}
    if not any(told.values()):
        raise Refused("geometry", "neither sform nor qform says where it is")
    if header["pixdim"][0] not in (-1, 1):
        header["pixdim"][0] = 1  # what the format says of a nought
    try:
        affines = {name: getattr(header, f"get_{name}")() for name, given in told.items() if given}
    except Exception as error:
        raise Refused("geometry", "sform or qform invalid") from error
    if any(not _is_affine(affine) for affine in affines.values()):
        raise Refused("geometry", "sform or qform invalid")
    if len({canonical_axes(affine) for affine in affines.values()}) > 1:
        raise Refused("geometry", "sform and qform contradict each other")
    unit = _MM.get(int(header["xyzt_units"]) & 7)
    if unit is None:
        raise Refused("geometry", "unit of length not known")
    affine = affines.get("sform", affines.get("qform"))
    found: NDArray[np.float64] = np.vectorize(_shortest)(np.asarray(affine, dtype=np.float64))
    found[:3] *= unit
    return found


def _is_affine(affine: NDArray[np.float64]) -> bool:
    steps = affine[:3, :3]
    return bool(np.isfinite(affine).all() and abs(np.linalg.det(steps)) > 1e-9)


def _shortest(value: float) -> float:
    """The shortest decimal number that is the same in the 32 bits that a header has for it: 0.488281 and not
    0.48828101158, so that what came from a DICOM file is as it was there."""
    return float(str(np.float32(value)))
