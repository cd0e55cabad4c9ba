"""A volume: an array with the affine that places it in the patient, and its NIfTI file."""

import gzip
import io
import math
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate.errors import UserError
from nameplate.whole import user_may_write, whole_file

# nibabel imports pydicom wherever it is installed, for DICOM headers inside NIfTI files, which we never
# read: that takes as long as converting an exam. For the time of the import it is told that there is none.
_HIDDEN = "pydicom" not in sys.modules
if _HIDDEN:
    sys.modules["pydicom"] = None  # type: ignore[assignment]
try:
    import nibabel as nib
finally:
    if _HIDDEN:
        del sys.modules["pydicom"]


_HEADERS = 1 << 20
"""Bytes that a NIfTI file may have beside its voxels."""
_NIFTI2 = ((540).to_bytes(4, "little"), (540).to_bytes(4, "big"))


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """An image in the patient.

    ``array`` has axes (i, j, k) as in NIfTI. Volumes written by nameplate are in canonical order:
    i runs from the patient's left to right, j from back to front, k from foot to head.
    ``affine`` is 4 x 4, from voxel indices (i, j, k, 1) to RAS millimetres.
    """

    array: NDArray[Any]
    affine: NDArray[np.float64]

    def __post_init__(self) -> None:
        if self.array.ndim != 3:
            raise ValueError(f"a volume has 3 axes, got shape {self.array.shape}")
        if self.affine.shape != (4, 4):
            raise ValueError(f"an affine is 4 x 4, got shape {self.affine.shape}")

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxels along i, j and k, in mm."""
        lengths = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(lengths[0]), float(lengths[1]), float(lengths[2])

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def with_array(self, array: NDArray[Any]) -> "Volume":
        """Other values (such as a mask) at the same place in the patient."""
        if array.shape != self.array.shape:
            raise ValueError(f"expected shape {self.array.shape}, got {array.shape}")
        return Volume(array, self.affine)


def nifti_bytes(volume: Volume) -> bytes:
    """The volume as a .nii.gz file; the same volume always gives the same bytes.

    The array's type is stored as it is (int16 for HU, uint8 for masks), units are millimetres,
    and the gzip header carries neither time nor file name.
    """
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(plain_nifti_bytes(volume))
    return packed.getvalue()


def plain_nifti_bytes(volume: Volume) -> bytes:
    """The volume as an unpacked .nii file: larger than ``nifti_bytes``, and made in less time."""
    image = nib.Nifti1Image(volume.array, volume.affine, dtype=volume.array.dtype)
    image.header.set_xyzt_units("mm")
    image.set_qform(volume.affine, code=1)
    image.set_sform(volume.affine, code=1)
    data: bytes = image.to_bytes()
    return data


def write_nifti(path: Path, volume: Volume) -> None:
    """Write the volume as .nii.gz; the folder must exist."""
    path.write_bytes(nifti_bytes(volume))


def write_nifti_for_user(path: Path, volume: Volume) -> None:
    """Write a file that a person named, whole or not at all.

    Raises UserError for a name that does not end in .nii.gz and for a place that cannot be written.
    """
    if not path.name.endswith(".nii.gz"):
        raise UserError(f"{path}: the name must end in .nii.gz")
    with user_may_write(path), whole_file(path) as partial:
        write_nifti(partial, volume)


def read_nifti(path: Path) -> Volume:
    """Read a 3-D NIfTI-1 file into canonical axis order (RAS+), values scaled, type kept if integer.

    Raises UserError for a file that is missing, damaged or not 3-D.
    """
    if not path.is_file():
        raise UserError(f"{path}: no such file")
    try:
        return _canonical(nib.load(path))
    except Exception as error:
        raise UserError(f"{path}: not a readable 3-D NIfTI image ({type(error).__name__})") from error


def read_nifti_bytes(data: bytes) -> Volume:
    """Read what ``nifti_bytes`` wrote; axis order and errors as for ``read_nifti``."""
    try:
        return _canonical(nib.Nifti1Image.from_bytes(gzip.decompress(data)))
    except Exception as error:
        raise UserError(f"not a readable 3-D NIfTI image ({type(error).__name__})") from error


def read_untrusted_nifti(data: bytes, most_voxels: int, *, placed: bool = False) -> Volume:
    """Read a NIfTI-1 or NIfTI-2 file of someone else's, packed or not; axis order as for ``read_nifti``.

    Never unpacks more than ``most_voxels`` voxels of 8 bytes. Raises UserError for what is not such a file
    and, with ``placed``, for one that does not say where its voxels are in the patient: any reader makes up
    an affine for it.
    """
    most = 8 * most_voxels + _HEADERS
    try:
        if data[:2] == b"\x1f\x8b":
            data = zlib.decompressobj(wbits=31).decompress(data, most + 1)
        if len(data) > most:
            raise UserError("a NIfTI image with more voxels than expected")
        kind = nib.Nifti2Image if data[:4] in _NIFTI2 else nib.Nifti1Image
        image = kind.from_bytes(data)
        if not 0 < math.prod(image.shape) <= most_voxels:
            raise UserError("a NIfTI image with more voxels than expected")
        if placed and not (image.header["sform_code"] or image.header["qform_code"]):
            raise UserError("a NIfTI image that does not say where it is in the patient")
        return _canonical(image)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"not a readable 3-D NIfTI image ({type(error).__name__})") from error


def _canonical(loaded: Any) -> Volume:
    image = nib.as_closest_canonical(loaded)
    scaled = np.asanyarray(image.dataobj)
    return Volume(np.ascontiguousarray(scaled), np.asarray(image.affine, dtype=np.float64))
