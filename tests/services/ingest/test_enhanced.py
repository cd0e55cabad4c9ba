"""Frames of an enhanced file are held against the same slices as classical files, one image each."""

import contextlib
import copy
import random
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gdcm
import numpy as np
import pydicom
import pytest
from enhanced_maker import ENHANCED, enhanced_dataset, group, legacy_dataset, undefined_lengths
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
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

from nameplate_ingest import tags
from nameplate_ingest.enhanced import MOST_FRAMES, frames_of
from nameplate_ingest.header import Elements, read_elements
from nameplate_ingest.pixels import hounsfield
from nameplate_ingest.refusal import Refused
from nameplate_ingest.slice import Slice, slice_of
from nameplate_ingest.values import number, numbers, text

Make = Callable[..., list[Dataset]]
COMPRESSED = {
    RLELossless: gdcm.TransferSyntax.RLELossless,
    JPEGLSLossless: gdcm.TransferSyntax.JPEGLSLossless,
    JPEG2000Lossless: gdcm.TransferSyntax.JPEG2000Lossless,
}


def save(dataset: Dataset, path: Path) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def elements_of(path: Path) -> Elements:
    elements = read_elements(path, tags.WANTED)
    assert elements is not None
    return elements


def values_of(dataset: Dataset, path: Path) -> list[dict[int, bytes]]:
    save(dataset, path)
    return [frame.values for frame in frames_of(path, elements_of(path))]


def images_of(path: Path) -> list[Slice]:
    frames = frames_of(path, elements_of(path))
    return [slice_of(path, frame, place, len(frames)) for place, frame in enumerate(frames)]


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


def test_two_temporal_positions_are_told(tmp_path: Path, make_series: Make) -> None:
    slices = make_series(10) + make_series(10)
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place // 10 + 1
    random.Random(1).shuffle(slices)
    for values, slice_ in zip(values_of(enhanced_dataset(slices), tmp_path / "e"), slices, strict=True):
        assert text(values[tags.TEMPORAL_POSITION]) == str(slice_.TemporalPositionIdentifier)
        assert text(values[tags.TEMPORAL_POSITIONS]) == "2"


def test_one_place_at_many_times_is_dynamic(tmp_path: Path, make_series: Make) -> None:
    slices = [dataset for _ in range(8) for dataset in make_series(1)]
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place + 1
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert {text(frame[tags.TEMPORAL_POSITIONS]) for frame in values} == {"8"}


@pytest.mark.parametrize("slices_each", [1, 4])
def test_temporal_positions_that_count_rotations_leave_one_pass(
    tmp_path: Path, make_series: Make, slices_each: int
) -> None:
    slices = make_series(12)
    for place, dataset in enumerate(slices):
        dataset.TemporalPositionIdentifier = place // slices_each + 1
    for values in values_of(enhanced_dataset(slices), tmp_path / "e"):
        assert tags.TEMPORAL_POSITION not in values
        assert tags.TEMPORAL_POSITIONS not in values


def test_a_file_for_each_temporal_position_keeps_its_number(tmp_path: Path, make_series: Make) -> None:
    slices = make_series(5, TemporalPositionIdentifier=3)
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert [text(frame[tags.TEMPORAL_POSITION]) for frame in values] == ["3"] * 5


def test_stacks_over_the_same_places_become_acquisitions(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(8) + make_series(8), shared=False)
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        stack = place // 8 + 1
        item.FrameContentSequence[0].StackID = f"{stack}"
        item.FrameContentSequence[0].DimensionIndexValues = [stack, place % 8 + 1]
    values = values_of(dataset, tmp_path / "e")
    assert [text(frame[tags.ACQUISITION]) for frame in values] == ["1.0000"] * 8 + ["1.0001"] * 8


def test_another_dimension_over_the_same_places_becomes_acquisitions(
    tmp_path: Path, make_series: Make
) -> None:
    dataset = enhanced_dataset(make_series(8) + make_series(8), shared=False)
    dataset.DimensionIndexSequence[0].DimensionIndexPointer = 0x00209241  # percentage of the cardiac phase
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence[0].DimensionIndexValues = [place // 8 + 1, place % 8 + 1]
    values = values_of(dataset, tmp_path / "e")
    assert [text(frame[tags.ACQUISITION]) for frame in values] == ["1.0000"] * 8 + ["1.0001"] * 8


def test_stacks_at_different_places_stay_one_acquisition(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(8), shared=False)
    for place, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence[0].StackID = "base" if place < 4 else "vertex"
    values = values_of(dataset, tmp_path / "e")
    assert {text(frame[tags.ACQUISITION]) for frame in values} == {"1"}


def test_energies_and_kernels_of_one_file_stay_apart(tmp_path: Path, make_series: Make) -> None:
    slices = [*make_series(4), *make_series(4, KVP=80), *make_series(4, ConvolutionKernel="H70h")]
    values = values_of(enhanced_dataset(slices), tmp_path / "e")
    assert [number(frame[tags.KVP]) for frame in values] == [120] * 4 + [80] * 4 + [120] * 4
    assert [text(frame[tags.KERNEL]) for frame in values] == ["H31s"] * 8 + ["H70h"] * 4


def test_two_tubes_at_two_voltages_are_multienergy(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(3))
    details = dataset.SharedFunctionalGroupsSequence[0].CTXRayDetailsSequence
    assert tags.MULTIENERGY not in values_of(dataset, tmp_path / "e")[0]
    details.append(group(KVP=140)[0])
    assert text(values_of(dataset, tmp_path / "e")[0][tags.MULTIENERGY]) == "YES"


@pytest.mark.parametrize("where", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"])
def test_contrast_usage_decides_frame_by_frame(tmp_path: Path, make_series: Make, where: str) -> None:
    dataset = enhanced_dataset(make_series(4))
    agent = group(CodeValue="1", CodeMeaning="Iohexol", ContrastBolusAgentNumber=1, ContrastBolusVolume=60)
    dataset.ContrastBolusAgentSequence = agent
    for place, item in enumerate(dataset[where].value):
        given = "NO" if place < 2 and len(dataset[where].value) > 1 else "YES"
        item.ContrastBolusUsageSequence = group(
            ContrastBolusAgentNumber=1, ContrastBolusAgentAdministered=given
        )
    values = values_of(dataset, tmp_path / "e")
    agents = [text(frame[tags.AGENT]) for frame in values]
    filled = [bool(frame.get(tags.CONTRAST["sequence"])) for frame in values]
    if where.startswith("Shared"):
        assert (agents, filled) == (["Iohexol"] * 4, [True] * 4)
    else:
        assert (agents, filled) == (["NONE"] * 2 + ["Iohexol"] * 2, [False] * 2 + [True] * 2)


def test_an_agent_that_no_frame_has_is_left_doubtful(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2))
    dataset.ContrastBolusAgentSequence = group(CodeMeaning="Iohexol", ContrastBolusAgentNumber=1)
    usage = group(ContrastBolusAgentNumber=1, ContrastBolusAgentAdministered="NO")
    dataset.SharedFunctionalGroupsSequence[0].ContrastBolusUsageSequence = usage
    values = values_of(dataset, tmp_path / "e")[0]
    assert text(values[tags.AGENT]) == "NONE"
    assert values[tags.CONTRAST["sequence"]]


@pytest.mark.parametrize("delimited", [True, False])
def test_an_agent_without_usage_is_an_agent(tmp_path: Path, make_series: Make, delimited: bool) -> None:
    dataset = enhanced_dataset(make_series(2))
    dataset.ContrastBolusAgentSequence = group(CodeValue="1", CodeMeaning="Iohexol")
    if delimited:
        undefined_lengths(dataset)
    values = values_of(dataset, tmp_path / "e")[0]
    assert text(values[tags.AGENT]) == "Iohexol"
    assert values[tags.CONTRAST["sequence"]]


@pytest.mark.parametrize(
    ("said", "is_given"),
    [
        ({"ContrastBolusAgentDetected": "YES"}, True),
        ({"ContrastBolusAgentAdministered": "NO", "ContrastBolusAgentDetected": "YES"}, True),
        ({"ContrastBolusAgentPhase": "PRE_CONTRAST"}, False),
        ({"ContrastBolusAgentPhase": "POST_CONTRAST"}, True),
        ({"ContrastBolusAgentNumber": 1}, True),
        ({"ContrastBolusAgentAdministered": "NO"}, False),
    ],
)
def test_what_counts_as_a_contrast_agent(
    tmp_path: Path, make_series: Make, said: dict[str, Any], is_given: bool
) -> None:
    dataset = enhanced_dataset(make_series(2))
    dataset.SharedFunctionalGroupsSequence[0].ContrastBolusUsageSequence = group(**said)
    agent = text(values_of(dataset, tmp_path / "e")[0][tags.AGENT])
    assert agent == ("contrast agent" if is_given else "NONE")


def test_frame_type_and_what_other_elements_say_of_it(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(4), shared=False)
    items = dataset.PerFrameFunctionalGroupsSequence
    items[0].CTImageFrameTypeSequence[0].FrameType = ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
    items[1].CTImageFrameTypeSequence[0].VolumeBasedCalculationTechnique = "MAX_IP"
    items[2].CTAcquisitionTypeSequence = group(AcquisitionType="CONSTANT_ANGLE")
    images = [text(values[tags.IMAGE_TYPE]) for values in values_of(dataset, tmp_path / "e")]
    assert images == [
        "DERIVED\\PRIMARY\\VOLUME\\RESAMPLED",
        "ORIGINAL\\PRIMARY\\AXIAL\\NONE\\MIP",
        "ORIGINAL\\PRIMARY\\AXIAL\\NONE\\LOCALIZER",
        "ORIGINAL\\PRIMARY\\AXIAL\\NONE",
    ]
    rules = [image.refusal and image.refusal[1] for image in images_of(tmp_path / "e")]
    assert rules == ["DERIVED", "MIP", "LOCALIZER", None]


def test_anatomy_of_the_frame(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2, BodyPartExamined="HEAD"))
    assert text(values_of(dataset, tmp_path / "e")[0][tags.BODY_PART]) == "HEAD"
    region = group(CodeValue="69536005", CodingSchemeDesignator="SCT", CodeMeaning="Neck")
    item = dataset.PerFrameFunctionalGroupsSequence[1]
    item.FrameAnatomySequence = group(FrameLaterality="U", AnatomicRegionSequence=region)
    assert [text(values[tags.BODY_PART]) for values in values_of(dataset, tmp_path / "e")] == ["HEAD", "Neck"]


@pytest.mark.parametrize(
    ("said", "unit", "units"),
    [(None, "mg/mL", "OTHER"), ("US", "[hnsf'U]", "HU"), ("HU", "mg/mL", "HU"), (None, "1", "")],
)
def test_units_of_a_real_world_mapping(
    tmp_path: Path, make_series: Make, said: str | None, unit: str, units: str
) -> None:
    slices = make_series(2, **({"RescaleType": said} if said else {}))
    dataset = enhanced_dataset(slices)
    code = group(CodeValue=unit, CodingSchemeDesignator="UCUM")
    dataset.SharedFunctionalGroupsSequence[0].RealWorldValueMappingSequence = group(
        MeasurementUnitsCodeSequence=code
    )
    assert text(values_of(dataset, tmp_path / "e")[0].get(tags.RESCALE_TYPE)) == units


def test_top_level_stands_in_for_missing_groups(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(3))
    shared = dataset.SharedFunctionalGroupsSequence[0]
    del shared.PixelMeasuresSequence, shared.CTXRayDetailsSequence, shared.CTReconstructionSequence
    dataset.PixelSpacing, dataset.SliceThickness, dataset.KVP = [3.125, 3.125], 4.0, 110
    shared.ImageOrientationPatient = shared.PlaneOrientationSequence[0].ImageOrientationPatient
    del shared.PlaneOrientationSequence  # the element without the sequence around it
    shared.CTReconstructionSequence = group(
        ConvolutionKernelGroup="BRAIN", ReconstructionFieldOfView=[190.0, 210.0]
    )
    for image in images_of(save(dataset, tmp_path / "e")):
        assert image.refusal is None
        assert (image.thickness, image.device.kvp, image.says.diameter_mm) == (4.0, 110.0, 210.0)
        assert image.device.kernel == "BRAIN"


def test_a_frame_that_lacks_its_place_is_refused_alone(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(3))
    del dataset.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence
    images = images_of(save(dataset, tmp_path / "e"))
    assert [image.refusal and image.refusal[0] for image in images] == [None, "geometry", None]


def test_parts_of_a_concatenation_number_their_frames_on(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(3), shared=False)
    dataset.ConcatenationFrameOffsetNumber = 40
    values = values_of(dataset, tmp_path / "e")
    assert [text(frame[tags.INSTANCE]) for frame in values] == ["41", "42", "43"]


def test_nobody_else_s_patient_comes_from_a_frame(tmp_path: Path, make_series: Make) -> None:
    dataset = legacy_dataset(make_series(2))
    for item in dataset.PerFrameFunctionalGroupsSequence:
        unassigned = item.UnassignedPerFrameConvertedAttributesSequence[0]
        unassigned.PatientID, unassigned.StudyInstanceUID, unassigned.Rows = "OTHER", "1.2.9", 7
    image = images_of(save(dataset, tmp_path / "e"))[0]
    assert (image.person.id, image.study, image.refusal) == ("PATIENTKEY77", "1.2.3.1", None)


def refusal_of(dataset: Dataset, path: Path) -> tuple[str, str]:
    save(dataset, path)
    with pytest.raises(Refused) as refused:
        frames_of(path, elements_of(path))
    return refused.value.rule, refused.value.seen


def test_wrong_counts_are_refused(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(5))
    dataset.NumberOfFrames = 6
    assert refusal_of(dataset, tmp_path / "a") == ("multi-frame", "6 frames, 5 described")
    dataset.NumberOfFrames = 10_000_000
    seen = f"10000000 frames, more than {MOST_FRAMES}"
    assert refusal_of(dataset, tmp_path / "b") == ("multi-frame", seen)
    dataset.NumberOfFrames = 5
    del dataset.PerFrameFunctionalGroupsSequence
    assert refusal_of(dataset, tmp_path / "c") == ("multi-frame", "5 frames, 0 described")


def test_frames_without_functional_groups_are_refused(tmp_path: Path, make_series: Make) -> None:
    dataset = make_series(1)[0]
    dataset.NumberOfFrames = 3
    dataset.PixelData *= 3
    seen = "3 frames without functional groups"
    assert refusal_of(dataset, tmp_path / "a") == ("multi-frame", seen)


def test_a_file_without_pixels_is_refused(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2))
    del dataset.PixelData
    assert refusal_of(dataset, tmp_path / "a")[0] == "no-pixels"


def test_one_image_without_groups_is_left_as_it_is(tmp_path: Path, make_series: Make) -> None:
    elements = elements_of(save(make_series(1)[0], tmp_path / "a"))
    assert frames_of(tmp_path / "a", elements) == [elements]


@pytest.mark.parametrize("per_frame", [True, False])
def test_one_frame(tmp_path: Path, make_series: Make, per_frame: bool) -> None:
    slices = make_series(1)
    dataset = enhanced_dataset(slices, shared=not per_frame)
    if not per_frame:
        del dataset.PerFrameFunctionalGroupsSequence
    image = images_of(save(dataset, tmp_path / "e"))[0]
    assert image.refusal is None
    assert image.grid == classical_of(slices, tmp_path / "classical")[0].grid


@pytest.mark.parametrize("explicit", [True, False])
def test_groups_of_unknown_vr(tmp_path: Path, make_series: Make, explicit: bool) -> None:
    dataset = undefined_lengths(enhanced_dataset(make_series(3)))
    data = save(dataset, tmp_path / "e").read_bytes()
    mark = b"\x00\x52\x30\x92SQ"
    assert data.count(mark) == 1
    head, _, tail = data.partition(mark)
    if not explicit:
        end = tail.index(b"\xe0\x7f\x10\x00")
        tail = tail[:6] + implicit(tail[6:end]) + tail[end:]
    (tmp_path / "e").write_bytes(head + b"\x00\x52\x30\x92UN" + tail)
    assert [image.refusal for image in images_of(tmp_path / "e")] == [None] * 3


def implicit(data: bytes) -> bytes:
    """Elements whose sequences are delimited, without their VRs."""
    out, at = b"", 0
    while at < len(data):
        if data[at : at + 2] == b"\xfe\xff":
            out, at = out + data[at : at + 8], at + 8
        elif data[at + 4 : at + 6] == b"SQ":
            out, at = out + data[at : at + 4] + data[at + 8 : at + 12], at + 12
        else:
            length = int.from_bytes(data[at + 6 : at + 8], "little")
            out += data[at : at + 4] + length.to_bytes(4, "little") + data[at + 8 : at + 8 + length]
            at += 8 + length
    return out


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


@pytest.fixture
def whole(tmp_path: Path, make_series: Make) -> list[bytes]:
    """The bytes of small enhanced files in several syntaxes."""
    path = tmp_path / "whole"
    files = []
    for syntax in (ExplicitVRLittleEndian, ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian):
        dataset = enhanced_dataset(make_series(3, size=(8, 8)))
        dataset.file_meta.TransferSyntaxUID = syntax
        files += [save(dataset, path).read_bytes(), save(undefined_lengths(dataset), path).read_bytes()]
    return files


@settings(max_examples=400, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.integers(0, 5),
    flips=st.lists(st.tuples(st.floats(0, 1), st.sampled_from((0, 1, 2, 0x7F, 0xFE, 0xFF))), max_size=6),
    cut=st.integers(0, 40),
)
def test_damaged_files_are_refused_or_read(
    tmp_path: Path, whole: list[bytes], kind: int, flips: list[tuple[float, int]], cut: int
) -> None:
    damaged = bytearray(whole[kind])
    for share, value in flips:
        damaged[132 + int(share * (len(damaged) - 133))] = value
    path = tmp_path / "damaged"
    path.write_bytes(bytes(damaged[: len(damaged) - cut]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frames: list[Elements] = []
        with contextlib.suppress(Refused):
            elements = read_elements(path, tags.WANTED)
            assert elements is not None
            frames = frames_of(path, elements)
        assert all(isinstance(value, bytes) for frame in frames for value in frame.values.values())


@given(
    noise=st.binary(max_size=600), syntax=st.sampled_from(["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", ""])
)
@settings(deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes(tmp_path: Path, noise: bytes, syntax: str) -> None:
    path = tmp_path / "noise"
    for groups in (b"", b"\x00\x52\x30\x92SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"):
        path.write_bytes(groups + noise)
        elements = Elements({tags.FRAMES: b"2"}, syntax, True, len(groups + noise), 0)
        with contextlib.suppress(Refused):
            assert isinstance(frames_of(path, elements), list)


def test_nesting_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "deep"
    level = b"\x18\x00\x41\x93SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    path.write_bytes(b"\x00\x52\x30\x92" + level[4:] + level * 5000)
    elements = Elements({tags.FRAMES: b"2"}, str(ExplicitVRLittleEndian), True, path.stat().st_size, 0)
    with pytest.raises(Refused) as refused:
        frames_of(path, elements)
    assert refused.value.rule == "multi-frame"


def test_the_maker_writes_enhanced_files(make_series: Make) -> None:
    assert enhanced_dataset(make_series(2)).SOPClassUID == ENHANCED
