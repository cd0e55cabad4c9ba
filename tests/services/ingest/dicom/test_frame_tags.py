"""What the functional groups of a frame say, element by element."""

from pathlib import Path
from typing import Any

import pytest
from enhanced_maker import (
    Make,
    enhanced_dataset,
    group,
    images_of,
    legacy_dataset,
    save,
    undefined_lengths,
    values_of,
)

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.values import number, text


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


def test_anatomy_of_the_file_where_the_body_part_is_blank(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2, BodyPartExamined=""))
    dataset.AnatomicRegionSequence = group(CodeValue="69536005", CodeMeaning="Head")
    assert text(values_of(dataset, tmp_path / "e")[1][tags.BODY_PART]) == "Head"


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


def test_elements_of_one_group_may_stand_in_both_places(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2))
    item = dataset.PerFrameFunctionalGroupsSequence[1]
    item.PixelMeasuresSequence = group(SliceThickness=2.0)  # the pixel spacing is among the shared groups
    images = images_of(save(dataset, tmp_path / "e"))
    assert [image.thickness for image in images] == [5.0, 2.0]
    assert images[0].grid is not None
    assert images[1].grid is not None
    assert images[0].grid.spacing == images[1].grid.spacing == (3.125, 3.125)


def test_a_blank_element_of_a_frame_says_nothing(tmp_path: Path, make_series: Make) -> None:
    dataset = enhanced_dataset(make_series(2, BodyPartExamined="HEAD"))
    dataset.PerFrameFunctionalGroupsSequence[0].CTXRayDetailsSequence = group(KVP=None)
    dataset.PerFrameFunctionalGroupsSequence[0].BodyPartExamined = ""
    values = values_of(dataset, tmp_path / "e")[0]
    assert (number(values[tags.KVP]), text(values[tags.BODY_PART])) == (120, "HEAD")


def test_bytes_outside_ascii_in_a_code(tmp_path: Path, make_series: Make) -> None:
    path = save(enhanced_dataset(make_series(2), shared=False), tmp_path / "e")
    data = path.read_bytes()
    mark = b"\x08\x00\x07\x92CS\x04\x00"
    assert mark + b"NONE" in data
    path.write_bytes(data.replace(mark + b"NONE", mark + b"\xffONE"))
    assert [image.refusal for image in images_of(path)] == [None, None]
