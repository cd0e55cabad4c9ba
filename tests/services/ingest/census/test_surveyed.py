from typing import Any

import pytest
from tests.services.ingest.census.told import PSEUDONYMS, surveyed, told_series

from nameplate.campaign.ingest import IngestSettings, SeriesRules
from nameplate_ingest.census.surveyed import by_facts, by_headers
from nameplate_ingest.ingest import ingest_folder
from nameplate_ingest.sources.folder import Folder
from nameplate_ingest.sources.index import Reading, Study
from nameplate_ingest.workers import Workers


def studies_in(folder: Any) -> dict[str, Study]:
    source = Folder(folder.path)
    reading = Reading(source.place, PSEUDONYMS)
    with Workers(0, reading) as alone:
        return source.index(reading, alone).studies


def test_headers_tell_what_the_ingest_will_write(folder: Any, tmp_path: Any, make_series: Any) -> None:
    """The same exam with the same record, but for what only pixels tell."""
    folder.add(*make_series())
    folder.add(*make_series(series="1.2.3.1.2", SeriesDescription="Thorax", FrameOfReferenceUID="9"))
    folder.add(*make_series(series="1.2.3.1.3", ConvolutionKernel="H70h", FrameOfReferenceUID="8"))
    ((_, study),) = studies_in(folder).items()
    found = by_headers(study, IngestSettings(), PSEUDONYMS)
    ingest_folder(folder.path, tmp_path / "out", IngestSettings(matrix=64), key=PSEUDONYMS.key)
    (line,) = (tmp_path / "out" / "exams.jsonl").read_text().splitlines()
    assert found.exam is not None
    written = type(found.exam).model_validate_json(line)
    assert found.exam == written.model_copy(update={"slices": found.exam.slices})
    assert found.refused == ("description: series names chest",)
    assert found.year == 2019
    assert found.size == sum(path.stat().st_size for path in folder.path.iterdir())


def test_a_study_that_headers_refuse(folder: Any, make_series: Any) -> None:
    folder.add(*make_series(count=5))
    ((_, study),) = studies_in(folder).items()
    found = by_headers(study, IngestSettings(), PSEUDONYMS)
    assert found.exam is None
    assert found.refused == ("coverage",)


def test_what_is_told_of_a_series_is_its_exam() -> None:
    found = surveyed(told_series(PatientSex="weiblich", KVP="120", Exposure="250"))
    exam = found.exam
    assert exam is not None
    assert (exam.manufacturer, exam.model, exam.kernel, exam.kernel_class) == (
        *("Siemens", "Emotion 16", "H31s", "soft"),
    )
    assert (exam.thickness_mm, exam.age, exam.sex, exam.kvp, exam.exposure_mas) == (5, 61, "F", 120, 250)
    assert (exam.exam, exam.value_of("pixel_mm")) == (PSEUDONYMS.of("e", "1.2.3"), None)
    assert found.year == 2023
    assert found.size == 30 * 512 * 512 * 2
    assert found.refused == ()


@pytest.mark.parametrize(
    ("texts", "refused"),
    [
        ({"Modality": "SR"}, "modality: SR"),
        ({"SeriesDescription": "Scout"}, "description: series says localizer"),
        ({"SeriesDescription": "CT Head C+"}, "description: series says contrast"),
        ({"ContrastBolusAgent": "ULTRAVIST"}, "contrast: a contrast agent is named"),
        ({"BodyPartExamined": "CHEST", "SeriesDescription": "5.0"}, "body-part: examined part is chest"),
        ({"ImageType": "ORIGINAL\\PRIMARY\\LOCALIZER"}, "image-type: LOCALIZER"),
        ({"ImageType": "DERIVED\\PRIMARY\\AXIAL"}, "image-type: DERIVED"),
        ({"SliceThickness": "10"}, "thickness"),
        ({"KVP": "40"}, "energy"),
        ({"Manufacturer": "Nobody", "ManufacturerModelName": ""}, "manufacturer"),
    ],
)
def test_what_is_refused_by_what_is_told(texts: dict[str, str], refused: str) -> None:
    found = surveyed(told_series(**texts))
    assert found.exam is None
    assert found.refused == (refused,)


def test_too_few_images_are_refused_and_an_unknown_number_is_not() -> None:
    assert surveyed(told_series(instances=2)).refused == ("slices",)
    assert surveyed(told_series(instances=None)).exam is not None


def test_the_best_series_is_chosen_as_the_ingest_would() -> None:
    bone = told_series(place=1, ConvolutionKernel="H70h")
    thin = told_series(place=2, SliceThickness="1")
    wanted = told_series(place=3)
    for order in ((bone, thin, wanted), (wanted, thin, bone)):
        exam = surveyed(*order).exam
        assert exam is not None
        assert (exam.thickness_mm, exam.kernel) == (5, "H31s")
    rules = IngestSettings(rules=SeriesRules(bone_kernel="refuse"))
    assert surveyed(bone, settings=rules).refused == ("bone-kernel",)


def test_the_users_tables_count() -> None:
    listed = surveyed(
        told_series(Manufacturer="", ManufacturerModelName=""),
        listed=frozenset({"GE"}),
        told=frozenset({("site", "north")}),
    )
    assert listed.exam is not None
    assert (listed.exam.manufacturer, listed.exam.value_of("site")) == ("GE", "north")


def test_a_study_without_a_word() -> None:
    found = by_facts("1.2.3", Study(), (), IngestSettings(), PSEUDONYMS)
    assert (found.exam, found.year, found.refused, found.size) == (None, 0, ("not-told",), 0)


@pytest.mark.parametrize("date", ["", "soon", "18990101", "20239901", "99991231"])
def test_a_date_that_is_none_has_no_year(date: str) -> None:
    assert surveyed(told_series(StudyDate=date)).year == 0
