import math

import pytest
from tests.services.ingest.census.told import many, surveyed, told_series

from nameplate_ingest.census.counts import Table, at_least, refusals_of, tables_of
from nameplate_ingest.census.suppress import SMALL, WITHHELD

LEVELS = ("GE", "Siemens")
GE = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "LightSpeed VCT"}
CANON = {"Manufacturer": "TOSHIBA", "ManufacturerModelName": "Aquilion ONE"}


def rows(table: Table) -> dict[str, str]:
    return {row.value: row.shown for row in table.rows}


def of(tables: tuple[Table, ...], title: str) -> dict[str, str]:
    return rows(next(table for table in tables if table.title == title))


def test_counts_by_every_field() -> None:
    studies = [
        *many(6, 0, **GE, ConvolutionKernel="STANDARD", SliceThickness="2.5", StudyDate="20210101"),
        *many(7, 10, PatientAge="095Y", PatientSex="M"),
        *many(8, 20, PatientAge="", PatientSex="", ConvolutionKernel="mine", SliceThickness="", StudyDate=""),
    ]
    tables = tables_of(studies, LEVELS)
    assert [table.title for table in tables] == [
        *("manufacturer", "scanner model", "kernel class", "slice thickness", "year of study", "age", "sex"),
    ]
    assert of(tables, "manufacturer") == {"GE": "6", "Siemens": "15"}
    assert of(tables, "scanner model") == {"GE: LightSpeed VCT": "6", "Siemens: Emotion 16": "15"}
    assert of(tables, "kernel class") == {"soft": "13", "not known": "8"}
    assert of(tables, "slice thickness") == {"2 to 3 mm": "6", "5 to 6 mm": "7", "not known": "8"}
    assert of(tables, "year of study") == {"2021": "6", "2023": "7", "not known": "8"}
    assert of(tables, "age") == {"60 to 69": "6", "90 and more": "7", "not known": "8"}
    assert of(tables, "sex") == {"female": "6", "male": "7", "other or not known": "8"}


@pytest.mark.parametrize(
    ("age", "bin_"), [("007D", "0 to 9"), ("009Y", "0 to 9"), ("010Y", "10 to 19"), ("089Y", "80 to 89")]
)
def test_ages_are_in_bins_of_ten_years(age: str, bin_: str) -> None:
    assert of(tables_of(many(5, PatientAge=age), LEVELS), "age") == {bin_: "5"}


@pytest.mark.parametrize(
    ("mm", "bin_"),
    [("0.625", "below 1 mm"), ("1", "1 to 2 mm"), ("4.9996", "5 to 6 mm"), ("7", "6 mm and more")],
)
def test_thickness_is_in_bins_of_one_millimetre(mm: str, bin_: str) -> None:
    assert of(tables_of(many(5, SliceThickness=mm), LEVELS), "slice thickness") == {bin_: "5"}


def test_what_the_question_is_not_about_is_withheld_first() -> None:
    studies = [
        *many(30, 0, **GE),
        *many(20, 40),
        *many(40, 70, **CANON),
        *many(2, 120, Manufacturer="Neusoft"),
    ]
    assert of(tables_of(studies, LEVELS), "manufacturer") == {
        "Canon": WITHHELD,
        "GE": "30",
        "Neusoft": SMALL,
        "Siemens": "20",
    }


def test_models_do_not_give_a_manufacturer_away() -> None:
    """Nothing is said of the models of one whose count is hidden; of another, none gives another one away."""
    studies = [
        *many(30, 0, **{**GE, "ManufacturerModelName": "LightSpeed VCT"}),
        *many(20, 40, **{**GE, "ManufacturerModelName": "Revolution CT"}),
        *many(3, 70, **{**GE, "ManufacturerModelName": "Optima CT660"}),
        *many(40, 80, **CANON),
        *many(2, 130),
    ]
    tables = tables_of(studies, LEVELS)
    assert of(tables, "manufacturer") == {"Canon": WITHHELD, "GE": "53", "Siemens": SMALL}
    assert of(tables, "scanner model") == {
        "GE: LightSpeed VCT": "30",
        "GE: Optima CT660": SMALL,
        "GE: Revolution CT": WITHHELD,
    }


def test_a_text_that_no_table_knows_is_not_shown() -> None:
    studies = many(6, ManufacturerModelName="Dr Quax' machine", ConvolutionKernel="Quax")
    tables = tables_of(studies, LEVELS)
    assert of(tables, "scanner model") == {"Siemens: no model that is known": "6"}
    assert of(tables, "kernel class") == {"not known": "6"}


def test_a_name_of_the_users_list_that_is_no_manufacturer_is_not_shown() -> None:
    told = [
        surveyed(
            told_series(f"1.2.{number}", Manufacturer="", ManufacturerModelName=""),
            listed=frozenset({"Quax"}),
        )
        for number in range(6)
    ]
    assert of(tables_of(told, LEVELS), "manufacturer") == {"another one": "6"}
    assert of(tables_of(told, ("Quax", "GE")), "manufacturer") == {"Quax": "6"}


def test_a_table_that_can_show_nothing_says_so() -> None:
    (table,) = [table for table in tables_of(many(3), LEVELS) if table.title == "sex"]
    assert (table.rows, table.hidden, table.without_rows) == ((), True, "too few to show any")
    none = refusals_of(many(6))
    assert (none.rows, none.hidden, none.without_rows) == ((), False, "none")


def test_refusals_by_rule() -> None:
    studies = [*many(6, SeriesDescription="Scout"), *many(5, 10, Modality="SR"), *many(9, 20)]
    table = refusals_of(studies)
    assert rows(table) == {"description: series says localizer": "6", "modality: SR": "5"}
    assert table.unit == "series"


def test_counts_are_for_bars_only_where_they_are_shown() -> None:
    (table, *_) = tables_of([*many(30, 0, **GE), *many(20, 40), *many(2, 90, **CANON)], LEVELS)
    assert {row.value: row.count for row in table.rows} == {"Canon": None, "GE": 30, "Siemens": None}


def test_numbers_of_pairs_stay_below_the_real_one() -> None:
    assert [at_least(count) for count in (0, 9, 10, 12, 13, 17, 18, 103)] == [0, 0, 5, 5, 10, 10, 15, 100]
    for count in range(10, 200):
        assert 3 <= count - at_least(count) <= 7


def test_an_unknown_thickness_is_no_number() -> None:
    (study,) = many(1, SliceThickness="")
    assert study.exam is not None
    assert math.isnan(study.exam.thickness_mm)
