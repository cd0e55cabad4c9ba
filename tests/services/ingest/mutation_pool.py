"""Whole DICOM files to be damaged: heads in every transfer syntax and shape, and what lies beside them."""

import copy
import io
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filereader import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)
from tests.services.ingest.dicom_parts import Base, base_of
from tests.services.ingest.enhanced_maker import (
    enhanced_dataset,
    group,
    legacy_dataset,
    undefined_lengths,
)

from nameplate.streams import stream

Series = Callable[..., list[Dataset]]
"""The maker of classical slices, ``head_series`` of conftest.py."""

DIGITS = b"1111111111"
"""Digits in the UIDs of every file, to be replaced so that files are of different studies."""
_STUDY = f"1.2.3.{DIGITS.decode()}"
_PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)
_CODECS = {
    RLELossless: gdcm.TransferSyntax.RLELossless,
    JPEGLosslessSV1: gdcm.TransferSyntax.JPEGLosslessProcess14_1,
    JPEGLSLossless: gdcm.TransferSyntax.JPEGLSLossless,
    JPEG2000Lossless: gdcm.TransferSyntax.JPEG2000Lossless,
}
_LOOK = {"count": 20, "gap": 7.5, "low": -75.0}
"""A whole head in few slices."""


def whole_studies(make: Series) -> list[list[Base]]:
    """Studies that ingest accepts as they are, or nearly: one series of a head each, sometimes with more."""
    studies = [[written(slice_, syntax) for slice_ in _head(make)] for syntax in _PLAIN]
    studies += [[written(slice_, syntax) for slice_ in _head(make)] for syntax in _CODECS]
    tilted = _head(make, orientation=(1, 0, 0, 0, np.cos(0.3), -np.sin(0.3)))
    unsigned = [_unsigned(slice_, 12) for slice_ in _head(make)]
    again = _head(make, series=f"{_STUDY}.2", ConvolutionKernel="H60s", SeriesNumber=3)
    uneven = _head(make)
    del uneven[-2], uneven[-4]
    passes = [
        *_head(make, AcquisitionNumber=1, AcquisitionTime="101010.0"),
        *_head(make, low=-71.0, AcquisitionNumber=2, AcquisitionTime="101012.5"),
    ]
    for slices in (
        tilted,
        unsigned,
        [*_head(make), *again],
        uneven,
        passes,
        [*map(_rich, _head(make)), _report(make)],
    ):
        studies.append([written(slice_) for slice_ in slices])
    return studies


def loose_files(make: Series) -> list[Base]:
    """Single files of every kind: slices, heads in one file, reports, captures, a DICOMDIR."""
    one = _head(make)[10]
    rich = _rich(copy.deepcopy(one))
    files = [written(image, syntax) for image in (one, rich) for syntax in (*_PLAIN, *_CODECS)]
    files += [written(undefined_lengths(rich), syntax) for syntax in _PLAIN]
    files += [
        written(_unsigned(one, bits), syntax) for bits in (12, 16) for syntax in (RLELossless, *_CODECS)
    ]
    files.append(written(_named(one)))
    slices = [_rich(slice_) if place == 3 else slice_ for place, slice_ in enumerate(_head(make))]
    for enhanced in (
        enhanced_dataset(slices),
        enhanced_dataset(slices, shared=False),
        legacy_dataset(slices),
        undefined_lengths(enhanced_dataset(slices)),
        enhanced_dataset(slices[:1]),
    ):
        files += [written(enhanced, syntax) for syntax in _PLAIN]
    for syntax in _CODECS:
        enhanced = enhanced_dataset(slices)
        files += [_framed(enhanced, slices, syntax, parts) for parts in (1, 3)]
    files += [written(other) for other in (_report(make), _capture(one), _directory(one), _bare_frames(one))]
    return files


def written(dataset: Dataset, syntax: UID = ExplicitVRLittleEndian) -> Base:
    """The data set as a file in a transfer syntax; one of many frames only in one that is not compressed."""
    dataset = copy.deepcopy(dataset)
    if syntax in _CODECS:
        dataset.PixelData = encapsulate([codestream(dataset, syntax)], has_bot=False)
        dataset["PixelData"].VR = "OB"
        dataset["PixelData"].is_undefined_length = True
    elif syntax == ExplicitVRBigEndian and "PixelData" in dataset and dataset.get("BitsAllocated") == 16:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
    dataset.file_meta.TransferSyntaxUID = syntax
    return base_of(_bytes(dataset))


def codestream(image: Dataset, syntax: UID) -> bytes:
    """The pixels of a data set of one frame, compressed by GDCM."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "image")
        image.save_as(path, enforce_file_format=True)
        reader = gdcm.ImageReader()
        reader.SetFileName(path)
        assert reader.Read()
        change = gdcm.ImageChangeTransferSyntax()
        change.SetTransferSyntax(gdcm.TransferSyntax(_CODECS[syntax]))
        change.SetInput(reader.GetImage())
        assert change.Change()
        writer = gdcm.ImageWriter()
        writer.SetFileName(path)
        writer.SetFile(reader.GetFile())
        writer.SetImage(change.GetOutput())
        assert writer.Write()
        return next(generate_frames(dcmread(path).PixelData, number_of_frames=1))


def _bytes(dataset: Dataset) -> bytes:
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _head(make: Series, **options: Any) -> list[Dataset]:
    """A head with some noise, so that compressed frames are no shorter than those of scanners."""
    slices = make(**{"study": _STUDY, "series": f"{_STUDY}.1", **_LOOK, **options})
    for number, slice_ in enumerate(slices):
        noise = np.rint(stream(1, "noise", number).normal(0, 4, slice_.Rows * slice_.Columns))
        slice_.PixelData = (np.frombuffer(slice_.PixelData, "<i2") + noise).astype("<i2").tobytes()
    return slices


def _unsigned(image: Dataset, bits: int) -> Dataset:
    image = copy.deepcopy(image)
    image.BitsStored, image.HighBit, image.PixelRepresentation = bits, bits - 1, 0
    return image


def _rich(image: Dataset) -> Dataset:
    """The image with sequences, private elements, unknown and long ones."""
    image = copy.deepcopy(image)
    image.SpecificCharacterSet = ["", "ISO 2022 IR 87"]
    image.add_new(0x00090010, "LO", "SOME VENDOR 01")
    image.add_new(0x00091001, "UN", b"unknown \x00\x01\x02")
    image.add_new(0x00091002, "OB", bytes(range(256)) * 40)
    image.add_new(0x00091003, "UT", "long text " * 300)
    image.PatientAge, image.PatientBirthDate, image.StudyTime = "061Y", "19580304", "101010.123456"
    image.ReferencedImageSequence = [
        group(ReferencedSOPClassUID="1.2.3", ReferencedSOPInstanceUID=f"{_STUDY}.9.{number}")[0]
        for number in range(3)
    ]
    image.RequestAttributesSequence = group(
        RequestedProcedureID="7",
        ScheduledProtocolCodeSequence=group(CodeValue="1", CodeMeaning="CT of the head"),
    )
    image.PixelPaddingValue, image.WindowCenter, image.WindowWidth = 0, [40, 600], [80, 2800]
    image.AcquisitionNumber, image.SeriesNumber, image.InstanceNumber = 1, 2, 11
    image.FrameOfReferenceUID = f"{_STUDY}.7"
    image.add_new(0x60003000, "OW", bytes(512))
    return image


def _named(image: Dataset) -> Dataset:
    image = copy.deepcopy(image)
    image.SpecificCharacterSet = "ISO_IR 192"
    image.PatientName, image.InstitutionName = "Ümläut^山田=X", "Klinik Ödland"
    image.SeriesDescription = "Schädel nativ 5 mm"
    return image


def _framed(enhanced: Dataset, slices: Sequence[Dataset], syntax: UID, parts: int) -> Base:
    """An enhanced file whose frames are compressed, each in ``parts`` fragments."""
    whole = copy.deepcopy(enhanced)
    frames = [codestream(slice_, syntax) for slice_ in slices]
    whole.PixelData = encapsulate(frames, fragments_per_frame=parts)
    whole["PixelData"].VR = "OB"
    whole["PixelData"].is_undefined_length = True
    whole.file_meta.TransferSyntaxUID = syntax
    return base_of(_bytes(whole))


def _report(make: Series) -> Dataset:
    report = _head(make, count=1, series=f"{_STUDY}.3", Modality="SR")[0]
    for name in ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit"):
        delattr(report, name)
    report.SOPClassUID = report.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.88.11")
    report.ContentSequence = group(TextValue="Findings: none. " * 40, RelationshipType="CONTAINS")
    return report


def _capture(image: Dataset) -> Dataset:
    capture = copy.deepcopy(image)
    capture.SOPClassUID = capture.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
    capture.SamplesPerPixel, capture.PhotometricInterpretation, capture.PlanarConfiguration = 3, "RGB", 0
    capture.BitsAllocated = capture.BitsStored = 8
    capture.HighBit, capture.PixelRepresentation = 7, 0
    capture.PixelData = bytes(64 * 64 * 3)
    return capture


def _directory(image: Dataset) -> Dataset:
    directory = Dataset()
    directory.file_meta = copy.deepcopy(image.file_meta)
    directory.file_meta.MediaStorageSOPClassUID = UID("1.2.840.10008.1.3.10")
    directory.FileSetID = "DISC"
    directory.DirectoryRecordSequence = [
        group(DirectoryRecordType="IMAGE", ReferencedFileID=["A", f"{number:08d}"])[0] for number in range(20)
    ]
    return directory


def _bare_frames(image: Dataset) -> Dataset:
    """Frames without anything that describes each of them."""
    frames = copy.deepcopy(image)
    frames.NumberOfFrames = 4
    frames.PixelData = image.PixelData * 4
    return frames
