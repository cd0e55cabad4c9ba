"""A volume as its file says it is: shape, type, place in the patient, and where its voxels begin."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nameplate_ingest.refusal import Refused
from nameplate_ingest.voxels.inflate import inflate

MOST_VOXELS = 160_000_000
"""512 x 512 pixels in 600 slices; more are refused before anything is unpacked."""
_MOST_AXIS = 4096
_KINDS = "iuf"
_WIDEST = 8


@dataclass(frozen=True, slots=True, eq=False)
class StoredVolume:
    """What a header says; nothing of the voxels was read."""

    path: Path
    """The file with the voxels."""
    offset: int
    """Of the first voxel, in bytes; in the unpacked data, where it is packed. Negative: from the end."""
    packed: bool
    """Whether the voxels, with all that is before them in a NIfTI file, are deflated."""
    packed_from: int
    """Where packed data begin in the file."""
    shape: tuple[int, int, int]
    """Voxels along i, j, k; i counts fastest."""
    dtype: np.dtype[Any]
    affine: NDArray[np.float64]
    """4 x 4, from voxel indices to DICOM's millimetres (LPS)."""
    slope: float = 1.0
    intercept: float = 0.0

    @property
    def size(self) -> int:
        """Bytes of all voxels."""
        return math.prod(self.shape) * self.dtype.itemsize

    def unpacked(self, scratch: Path) -> "StoredVolume":
        """The same with voxels that are not packed, in ``scratch`` if they were.

        Raises Refused for fewer bytes than the header says, and for packed data that are more or damaged.
        """
        if not self.packed:
            there = self.path.stat().st_size
            offset = there - self.size if self.offset < 0 else self.offset
            if offset < 0 or there - offset < self.size:
                raise Refused("truncated-pixels", f"{max(0, there - offset)} of {self.size} bytes")
            return replace(self, offset=offset)
        plain = scratch / "plain"
        with plain.open("wb") as file:
            written, more = inflate(self.path, self.packed_from, self.offset + self.size, file)
        if more:
            raise Refused("compressed-pixels", "more packed voxels than the header says")
        if written < self.offset + self.size:
            raise Refused("truncated-pixels", f"{max(0, written - self.offset)} of {self.size} bytes")
        return replace(self, path=plain, packed=False)

    def voxels(self) -> NDArray[Any]:
        """The stored numbers, axes (i, j, k), read from the file as they are needed; not of a packed file.

        Raises Refused for a file that cannot be read.
        """
        try:
            numbers: NDArray[Any] = np.memmap(
                self.path, dtype=self.dtype, mode="r", offset=self.offset, shape=self.shape, order="F"
            )
        except OSError as error:
            raise Refused("unreadable", "the file cannot be read") from error
        return numbers


def checked_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """A type of one plain number a voxel; raises Refused for colours, complex and wider numbers."""
    if dtype.fields is not None:
        raise Refused("colour", f"{len(dtype.fields)} samples a voxel")
    if dtype.kind not in _KINDS or dtype.itemsize > _WIDEST:
        raise Refused("bits", f"voxels of {8 * dtype.itemsize} bits that are no plain numbers")
    return dtype


def checked_shape(sizes: tuple[int, ...]) -> tuple[int, int, int]:
    """Three axes of a size that is believed; further axes must be of one voxel.

    Raises Refused before anything of that size is allocated.
    """
    told = " x ".join(str(size) for size in sizes[:8])
    if not sizes or min(sizes) < 1:
        raise Refused("size", f"{told or 'no'} voxels")
    if math.prod(sizes[4:]) > 1:
        raise Refused("colour", f"{math.prod(sizes[4:])} samples a voxel")
    if math.prod(sizes[3:]) > 1:
        raise Refused("multi-frame", f"{math.prod(sizes[3:])} frames without a place for each")
    i, j, k = (*sizes, 1, 1)[:3]
    if max(i, j, k) > _MOST_AXIS or i * j * k > MOST_VOXELS:
        raise Refused("size", f"{told} voxels")
    return i, j, k


def affine_of(columns: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    """The 4 x 4 matrix of three steps (as columns) and the first voxel, both LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = columns
    affine[:3, 3] = origin
    return affine
