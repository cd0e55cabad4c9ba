"""What a header says in words and codes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset

from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.statements import Statements, statements_of
from nameplate_ingest.dicom.tags import WANTED


@pytest.fixture
def said(tmp_path: Path, make_slice: Callable[..., Dataset]) -> Callable[..., Statements]:
    def write_and_read(**tags: Any) -> Statements:
        make_slice(**tags).save_as(tmp_path / "slice", enforce_file_format=True)
        elements = read_elements(tmp_path / "slice", WANTED)
        assert elements is not None
        return statements_of(elements.values)

    return write_and_read


def test_words_and_codes(said: Callable[..., Statements]) -> None:
    one = said(StudyDescription="CT head", ProtocolName="Routine", BodyPartExamined="HEAD", RescaleType="hu ")
    assert (one.series, one.study, one.protocol, one.body_part) == (
        *("Head 5.0 H31s", "CT head", "Routine"),
        "HEAD",
    )
    assert (one.units, one.times, one.kvp, one.diameter_mm, one.multienergy) == ("HU", 1, 120, None, False)
    assert one.image_type == ("ORIGINAL", "PRIMARY", "AXIAL")


@pytest.mark.parametrize(
    ("stated", "units"),
    [
        ("HU", "HU"),
        ("[HU]", "HU"),
        ("H.U.", "HU"),
        ("Hounsfield", "HU"),
        ("HOUNSFIELD UNITS", "HU"),
        ("US", "US"),
        ("UNSPECIFIED", "US"),
        ("", ""),
        ("HU_MOD", "HU_MOD"),
        ("mg/ml", "MG/ML"),
    ],
)
def test_units_however_they_are_spelled(said: Callable[..., Statements], stated: str, units: str) -> None:
    assert said(RescaleType=stated).units == units


def test_the_study_is_what_describes_the_procedure(said: Callable[..., Statements]) -> None:
    one = said(
        StudyDescription="CT head",
        RequestedProcedureDescription="CT head",
        PerformedProcedureStepDescription="CT HEAD W",
    )
    assert one.study == "CT head\nCT HEAD W"
    assert said(StudyDescription="").study == ""


def coded(meaning: str) -> list[Dataset]:
    code = Dataset()
    code.CodeMeaning = meaning
    return [code]


@pytest.mark.parametrize(
    ("tags", "contrast"),
    [
        ({}, ()),
        ({"ContrastBolusVolume": "80"}, ("volume",)),
        ({"ContrastBolusVolume": "0"}, ()),
        ({"ContrastBolusVolume": ""}, ()),
        ({"ContrastBolusRoute": "NONE"}, ()),
        ({"ContrastBolusRoute": "IV", "ContrastFlowRate": "4"}, ("route", "flow rate")),
        ({"ContrastBolusStartTime": "101500"}, ("start",)),
        ({"ContrastBolusStopTime": "101600"}, ("stop",)),
        ({"ContrastBolusAgentSequence": coded("Iohexol")}, ("sequence",)),
        ({"ContrastBolusAgentSequence": []}, ()),
    ],
)
def test_elements_that_tell_of_contrast(
    said: Callable[..., Statements], tags: dict[str, Any], contrast: tuple[str, ...]
) -> None:
    assert said(**tags).contrast == contrast


@pytest.mark.parametrize(("meanings", "contrast"), [(["Iohexol"], ("sequence",)), ([], ())])
def test_a_sequence_that_ends_with_a_delimiter_tells_the_same(
    tmp_path: Path, make_slice: Callable[..., Dataset], meanings: list[str], contrast: tuple[str, ...]
) -> None:
    dataset = make_slice(ContrastBolusAgentSequence=[one for text in meanings for one in coded(text)])
    dataset["ContrastBolusAgentSequence"].is_undefined_length = True
    dataset.save_as(tmp_path / "slice", enforce_file_format=True)
    elements = read_elements(tmp_path / "slice", WANTED)
    assert elements is not None
    assert statements_of(elements.values).contrast == contrast
