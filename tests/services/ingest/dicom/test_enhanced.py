"""Frames of an enhanced file are held against the same slices as classical files, one image each."""

import copy
import random
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from enhanced_maker import (
    Make,
    elements_of,
    enhanced_dataset,
    images_of,
    legacy_dataset,
    save,
    undefined_lengths,
)
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended, generate_frames
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
)

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.enhanced import frames_of
from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.dicom.slice import Slice, slice_of
from nameplate_ingest.dicom.values import number, numbers

COMPRESSED = {
    RLELossless: gdcm.TransferSyntax.RLELossless,
    JPEGLSLossless: gdcm.TransferSyntax.JPEGLSLossless,
    JPEG2000Lossless: gdcm.TransferSyntax.JPEG2000Lossless,
}


def classical_of(slices: Sequence[Dataset], folder: Path) -> list[Slice]:
    folder.mkdir()
    paths = [save(dataset, folder / f"{place}") for place, dataset in enumerate(slices)]
    return [slice_of(path, elements_of(path)) for path in paths]


_FILE: dict[str, Any] = {
    "offset": 0,
    "length": 0,
    "frame": 0,
    "frames": 1,
    "syntax": "",
    "little": True,
    "deflated": False,
}
"""What differs between the two kinds of file."""


def assert_same_images(frames: Sequence[Slice], classical: Sequence[Slice]) -> None:
    """Equal in all that is typed, but for where the pixels are and what the two kinds of file name."""
    assert len(frames) == len(classical)
    for frame, plain in zip(frames, classical, strict=True):
        assert frame.refusal is plain.refusal is None
        assert frame.grid == plain.grid
        assert frame.storage is not None
        assert plain.storage is not None
        assert replace(frame.storage, **_FILE) == replace(plain.storage, **_FILE)
        assert frame.device == plain.device
        assert frame.person == plain.person
        assert frame.says.image_type[:3] == plain.says.image_type[:3]
        assert replace(frame.says, image_type=()) == replace(plain.says, image_type=())
        assert (frame.study, frame.series, frame.thickness) == (plain.study, plain.series, plain.thickness)
        assert frame.acquisition == plain.acquisition
        assert (frame.time, frame.temporal_position) == (plain.time, plain.temporal_position)
        assert np.array_equal(hounsfield(frame), hounsfield(plain))


def varied(make_series: Make) -> list[Dataset]:
    """A tilted head, thin at the base, with slopes, exposures and acquisitions of each slice."""
    tilt = (1.0, 0.0, 0.0, 0.0, 0.9455, -0.3256)
    slices = make_series(12, 6.0, -33.0, orientation=tilt)
    for place, dataset in enumerate(slices):
        dataset.SliceThickness = 3.0 if place < 5 else 6.0
        dataset.RescaleSlope, dataset.RescaleIntercept = 1 + place / 8, -1024 - place
        dataset.RescaleType = "HU"
        dataset.Exposure = 200 + place
        dataset.AcquisitionNumber = place // 4 + 1
        dataset.AcquisitionTime = f"1015{place:02d}.25"
        dataset.ReconstructionDiameter = 200.0
        dataset.BodyPartExamined = "HEAD"
    return slices


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("delimited", [True, False])
@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        ExplicitVRBigEndian,
        DeflatedExplicitVRLittleEndian,
    ],
)
def test_each_frame_is_the_slice_it_was_made_of(
    tmp_path: Path, make_series: Make, shared: bool, delimited: bool, syntax: str
) -> None:
    slices = varied(make_series)
    random.Random(4).shuffle(slices)
    classical = classical_of(slices, tmp_path / "classical")
    dataset = enhanced_dataset(slices, shared=shared)
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").astype(">u2").tobytes()
        dataset["PixelData"].VR = "OW"
    if delimited:
        undefined_lengths(dataset)
    dataset.file_meta.TransferSyntaxUID = syntax
    path = save(dataset, tmp_path / "enhanced")
    frames = images_of(path)
    assert_same_images(frames, classical)
    assert len({frame.instance for frame in frames}) == len(frames)
    assert [frame.number for frame in frames] == list(range(1, 13))


def test_legacy_converted_files_keep_elements_among_the_unassigned(tmp_path: Path, make_series: Make) -> None:
    slices = varied(make_series)
    classical = classical_of(slices, tmp_path / "classical")
    path = save(legacy_dataset(slices), tmp_path / "legacy")
    assert b"Unassigned" not in path.read_bytes()
    for frame, plain in zip(images_of(path), classical, strict=True):
        assert frame.refusal is None
        assert (frame.device, frame.acquisition) == (plain.device, plain.acquisition)
        assert (frame.grid, frame.thickness) == (plain.grid, plain.thickness)
        assert np.array_equal(hounsfield(frame), hounsfield(plain))


def test_reads_what_pydicom_reads(tmp_path: Path, make_series: Make) -> None:
    path = save(enhanced_dataset(varied(make_series)), tmp_path / "enhanced")
    theirs = pydicom.dcmread(path)
    shared = theirs.SharedFunctionalGroupsSequence[0]
    frames = frames_of(path, elements_of(path))
    for frame, item in zip(frames, theirs.PerFrameFunctionalGroupsSequence, strict=True):
        assert numbers(frame.values[tags.POSITION], 3) == tuple(
            item.PlanePositionSequence[0].ImagePositionPatient
        )
        assert numbers(frame.values[tags.ORIENTATION], 6) == tuple(
            shared.PlaneOrientationSequence[0].ImageOrientationPatient
        )
        assert number(frame.values[tags.EXPOSURE]) == item.CTExposureSequence[0].ExposureInmAs
        assert number(frame.values[tags.SLOPE]) == item.PixelValueTransformationSequence[0].RescaleSlope


@pytest.mark.parametrize(
    ("syntax", "table", "pieces"),
    [
        *((syntax, table, 1) for syntax in COMPRESSED for table in (True, False)),
        *((syntax, True, 3) for syntax in COMPRESSED),
        # Without a table, only the mark at the end of a JPEG image tells which fragments make up a frame.
        (JPEGLSLossless, False, 3),
    ],
)
def test_compressed_frames(tmp_path: Path, make_series: Make, syntax: UID, table: bool, pieces: int) -> None:
    slices = varied(make_series)
    classical = classical_of(slices, tmp_path / "classical")
    dataset = enhanced_dataset(slices)
    streams = [codestream(slice_, syntax, tmp_path / "one") for slice_ in slices]
    dataset.PixelData = encapsulate(streams, fragments_per_frame=pieces, has_bot=table)
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = syntax
    assert_same_images(images_of(save(dataset, tmp_path / "enhanced")), classical)


def test_extended_offset_table(tmp_path: Path, make_series: Make) -> None:
    slices = varied(make_series)
    classical = classical_of(slices, tmp_path / "classical")
    dataset = enhanced_dataset(slices)
    dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
        [codestream(slice_, RLELossless, tmp_path / "one") for slice_ in slices]
    )
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.file_meta.TransferSyntaxUID = RLELossless
    assert_same_images(images_of(save(dataset, tmp_path / "enhanced")), classical)


def codestream(slice_: Dataset, syntax: UID, path: Path) -> bytes:
    """One slice's pixels, compressed by GDCM; ``path`` is for its files."""
    save(slice_, path)
    reader = gdcm.ImageReader()
    reader.SetFileName(str(path))
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(COMPRESSED[syntax]))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(str(path))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    return next(generate_frames(pydicom.dcmread(path).PixelData, number_of_frames=1))


@pytest.mark.parametrize("per_frame", [True, False])
def test_one_frame(tmp_path: Path, make_series: Make, per_frame: bool) -> None:
    slices = make_series(1)
    dataset = enhanced_dataset(slices, shared=not per_frame)
    if not per_frame:
        del dataset.PerFrameFunctionalGroupsSequence
    image = images_of(save(dataset, tmp_path / "e"))[0]
    assert image.refusal is None
    assert image.grid == classical_of(slices, tmp_path / "classical")[0].grid


def test_one_image_without_groups_is_left_as_it_is(tmp_path: Path, make_series: Make) -> None:
    elements = elements_of(save(make_series(1)[0], tmp_path / "a"))
    assert frames_of(tmp_path / "a", elements) == [elements]


def test_many_frames_take_little_time(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(1) * 2, shared=False)
    item = dataset.PerFrameFunctionalGroupsSequence[0]
    dataset.PerFrameFunctionalGroupsSequence = [copy.copy(item) for _ in range(2000)]
    dataset.NumberOfFrames = 2000
    path = save(dataset, tmp_path / "e")
    elements = elements_of(path)
    started = time.process_time()
    assert len(frames_of(path, elements)) == 2000
    assert time.process_time() - started < 3.0
