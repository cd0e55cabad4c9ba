"""What a row says, in the words of a header."""

from pathlib import Path

import pytest

from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.dicom.header import EXPLICIT
from nameplate_ingest.dicom.slice import Slice, Storage
from nameplate_ingest.sources.volume_exam import slices_of

GRID = SliceGeometry(64, 64, (0.0, 0.0, 5.0), (1.0, 0.0, 0.0, 0.0, 1.0, 0.0), (1.0, 1.0))
STORAGE = Storage(EXPLICIT, True, False, 0, 64 * 64 * 4, 16, 16, 15, True, 1.0, 0.0, frames=2)


def first(exam: str = "a", **values: str) -> Slice:
    slices = slices_of(exam, values, Path("words"), (GRID, GRID), STORAGE)
    assert [slice_.storage.frame for slice_ in slices if slice_.storage] == [0, 1]
    assert len({slice_.instance for slice_ in slices}) == 2
    return slices[0]


@pytest.mark.parametrize(
    ("stated", "age"),
    [
        *(("63", 63.0), ("63.0", 63.0), ("063Y", 63.0), ("006M", 0.5), ("97", 90.0), ("0.25", 0.25)),
        *(("0", None), ("", None), ("131", None), ("-4", None), ("1e9", None), ("old", None), ("nan", None)),
    ],
)
def test_ages(stated: str, age: float | None) -> None:
    assert first(age=stated).person.age == age


@pytest.mark.parametrize(
    ("stated", "sex"), [("f", "F"), ("male", "M"), ("Mujer", "F"), ("?", None), ("", None)]
)
def test_sexes(stated: str, sex: str | None) -> None:
    assert first(sex=stated).person.sex == sex


@pytest.mark.parametrize(
    ("stated", "thickness"),
    [("5.0", 5.0), ("0", None), ("-1", None), ("5 mm", None), ("inf", None), ("500", None), ("", None)],
)
def test_numbers(stated: str, thickness: float | None) -> None:
    assert first(thickness_mm=stated).thickness == thickness


def test_words_of_the_exam_are_kept_from_leaving_but_its_numbers_are_not() -> None:
    assert first("Quaxton_16_ct", institution="Clinic").device.names == ("Clinic", "Quaxton")


def test_an_exam_that_is_called_by_a_uid_names_no_manufacturer() -> None:
    slice_ = first("1.2.840.113619.2.55.3")  # GE's root
    assert not any(uid.startswith("1.2.840.") for uid in (slice_.series, slice_.instance))
