"""DICOM files: datasets are built with pydicom, the slices of a series share one encoding.

The slices of a series differ in a dozen elements. pydicom encodes the rest once and the few that change
are spliced in, which is about ten times faster and gives the same bytes.
"""

import struct
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomIO
from pydicom.filewriter import dcmwrite, write_dataset
from pydicom.uid import ExplicitVRLittleEndian

from nameplate.streams import stream_seed

IMPLEMENTATION_UID = "2.25.268413749031276430145781539016262190517"
IMPLEMENTATION_NAME = "NAMEPLATE_1"

Values = Mapping[tuple[int, int], tuple[str, str | bytes]]


def uid(seed: int, *names: str | int) -> str:
    """A UID under the 2.25 root, from the seed and what it names."""
    return f"2.25.{stream_seed(seed, 'uid', *names)}"


def decimal(value: float) -> str:
    """A number as a DICOM decimal string of at most 16 characters."""
    text = f"{value:.6f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def file_bytes(dataset: Dataset) -> bytes:
    """A whole DICOM file of this dataset, explicit little endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION_UID  # type: ignore[assignment]
    meta.ImplementationVersionName = IMPLEMENTATION_NAME
    dataset.file_meta = meta
    buffer = BytesIO()
    dcmwrite(buffer, dataset, enforce_file_format=True)
    return buffer.getvalue()


def _element(tag: tuple[int, int], vr: str, value: str | bytes) -> bytes:
    data = value.encode("ascii") if isinstance(value, str) else value
    if len(data) % 2:
        data += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH", *tag) + vr.encode()
    if vr in ("OB", "OW"):
        return head + struct.pack("<HI", 0, len(data)) + data
    return head + struct.pack("<H", len(data)) + data


class SliceEncoder:
    """Encodes the slices of one series: a constant dataset with a few elements put in per slice."""

    def __init__(self, constant: Dataset, varying: tuple[tuple[int, int], ...]) -> None:
        """``varying`` are the tags, other than PixelData, that each slice provides."""
        self._class_uid = str(constant.SOPClassUID)
        self._tags = (*sorted(varying), (0x7FE0, 0x0010))
        self._parts: list[bytes] = []
        charset = constant.get("SpecificCharacterSet", "ISO_IR 6")
        previous = (0, 0)
        for tag in self._tags:
            part = Dataset()
            for element in constant:
                if previous < (element.tag.group, element.tag.element) < tag:
                    part.add(element)
            buffer = BytesIO()
            target = DicomIO(buffer)
            target.is_little_endian, target.is_implicit_VR = True, False
            write_dataset(target, part, parent_encoding=charset)
            self._parts.append(buffer.getvalue())
            previous = tag

    def encode(self, values: Values, pixels: NDArray[np.integer[Any]]) -> bytes:
        """The bytes of one file; ``values`` holds VR and value of every varying tag."""
        little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
        instance = values[(0x0008, 0x0018)][1]
        meta = b"".join((
            _element((2, 0x0001), "OB", b"\0\1"),
            _element((2, 0x0002), "UI", self._class_uid),
            _element((2, 0x0003), "UI", instance),
            _element((2, 0x0010), "UI", str(ExplicitVRLittleEndian)),
            _element((2, 0x0012), "UI", IMPLEMENTATION_UID),
            _element((2, 0x0013), "SH", IMPLEMENTATION_NAME),
        ))  # fmt: skip
        pieces = [b"\0" * 128, b"DICM", _element((2, 0x0000), "UL", struct.pack("<I", len(meta))), meta]
        for part, tag in zip(self._parts[:-1], self._tags[:-1], strict=True):
            pieces += (part, _element(tag, *values[tag]))
        pieces += (self._parts[-1], _element((0x7FE0, 0x0010), "OW", little.tobytes()))
        return b"".join(pieces)
