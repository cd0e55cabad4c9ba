"""Values in what a PACS answers: texts of what is there, and nothing of what cannot be read."""

from typing import Any

import pytest
from pydicom.dataset import Dataset

from nameplate_ingest.sources.answers import (
    count_in_dataset,
    count_in_json,
    texts_in_dataset,
    texts_in_json,
)


@pytest.mark.parametrize(
    ("element", "texts"),
    [
        ({"vr": "CS", "Value": [" CT ", "SR", ""]}, ["CT", "SR", ""]),
        ({"vr": "IS", "Value": [30, 2.5]}, ["30", "2.5"]),
        ({"vr": "PN", "Value": [{"Ideographic": "other", "Alphabetic": "Doe^Jane"}]}, ["Doe^Jane"]),
        ({"vr": "PN", "Value": [{"Ideographic": "other"}]}, ["other"]),
        ({"vr": "SQ", "Value": [{"00080050": {"vr": "SH", "Value": ["1"]}}, None, ["x"]]}, []),
        ({"vr": "CS"}, []),
        ({"Value": "CT"}, []),
        ("CT", []),
        (None, []),
    ],
)
def test_texts_in_json(element: Any, texts: list[str]) -> None:
    assert list(texts_in_json({"00080060": element}, "00080060")) == texts


def test_texts_in_a_dataset() -> None:
    told = Dataset()
    told.ModalitiesInStudy = ["CT", "", "SR"]
    told.StudyDescription = " Head "
    told.NumberOfStudyRelatedInstances = None
    assert list(texts_in_dataset(told, "ModalitiesInStudy")) == ["CT", "SR"]
    assert list(texts_in_dataset(told, "StudyDescription")) == ["Head"]
    assert list(texts_in_dataset(told, "NumberOfStudyRelatedInstances")) == []
    assert list(texts_in_dataset(told, "PatientID")) == []


@pytest.mark.parametrize(
    ("text", "count"), [("30", 30), ("30.0", 30), ("", None), ("-1", None), ("1" * 10, None)]
)
def test_counts_in_json(text: str, count: int | None) -> None:
    assert count_in_json({"00201208": {"vr": "IS", "Value": [text]}}, "00201208") == count


def test_counts_in_a_dataset() -> None:
    told = Dataset()
    told.NumberOfStudyRelatedInstances = 28
    assert count_in_dataset(told, "NumberOfStudyRelatedInstances") == 28
    assert count_in_dataset(told, "NumberOfStudyRelatedSeries") is None
