import random
from itertools import pairwise

import pytest
from tests.services.ingest.census.told import collected, many

from nameplate.campaign.cohort import MatchSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.sources import DicomwebSource, FolderSource
from nameplate.campaign.sources.query import LimitSettings
from nameplate_ingest.census.section import Question, Section, section_of
from nameplate_ingest.census.surveyed import Surveyed
from nameplate_ingest.fields.age import OLDEST

GE = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "LightSpeed VCT"}
QUESTION = Question(FactorSettings(), MatchSettings())
USED, REST = "studies with a series that would be used", "studies without one"


def section(*groups: list[Surveyed], source: object = None, headers: bool = False, files: int = 0) -> Section:
    settings = source or FolderSource(path="/data/of/dr/quax")
    return section_of("all", collected(*groups, headers=headers, files=files), settings, QUESTION)


def lines(found: Section) -> dict[str, str]:
    return dict(found.lines)


@pytest.mark.parametrize(
    ("used", "refused", "shown"),
    [
        (60, 0, ("60", "60", "0")),
        (60, 5, ("65", "60", "5")),
        (60, 3, ("withheld", "60", "<5")),
        (3, 60, ("63", "<5", "withheld")),
        (0, 60, ("60", "0", "60")),
        (2, 2, ("<5", "not shown", "not shown")),
        (0, 0, ("0", "0", "0")),
    ],
)
def test_of_three_counts_no_two_give_a_small_third_away(
    used: int, refused: int, shown: tuple[str, str, str]
) -> None:
    told = lines(section(many(used), many(refused, 100, Modality="SR")))
    assert (told["studies"], told[USED], told[REST]) == shown


def test_a_source_without_studies_has_no_tables() -> None:
    assert section().tables == ()
    assert section(many(3)).tables == ()


def test_bytes_and_hours_of_hidden_studies_are_not_counted() -> None:
    """Of 60 studies at one an hour, 63 hours would tell that three are refused."""
    source = DicomwebSource(
        url="https://p.example.org/w",
        since="2023-01-01",
        until="2023-12-31",
        limits=LimitSettings(studies_per_hour=1.0, hours="20:00-06:00"),
    )
    told = lines(section(many(60), many(3, 100, Modality="SR"), source=source))
    assert told["time to fetch at 1 studies an hour"] == "60 hours, 6 spans of 20:00-06:00"
    assert told["bytes, about"] == "940 MB, not compressed"
    assert "files, about" not in told


def test_files_are_rounded() -> None:
    assert lines(section(many(60), headers=True, files=1834))["files, about"] == "1,800"


def test_a_source_is_named_by_its_kind_alone() -> None:
    found = section(many(6))
    assert lines(found)["source"] == "a folder of DICOM files"
    assert "quax" not in repr(found).lower()


def test_pairs_and_what_they_could_show() -> None:
    told = lines(section(many(80, 0, **GE), many(60, 100)))
    assert told["matched pairs (GE, Siemens; same sex, age within 5 years)"] == "55 or more"
    effect = next(value for name, value in told.items() if name.startswith("least advantage"))
    assert effect.endswith("AUROC points")
    few = lines(section(many(80, 0, **GE), many(9, 100)))
    assert few["matched pairs (GE, Siemens; same sex, age within 5 years)"] == "fewer than 10"
    assert not any(name.startswith("least advantage") for name in few)


def test_what_is_not_known_is_said() -> None:
    asked, read = section(many(6)).notes, section(many(6), headers=True).notes
    assert len(asked) == len(read) + 1
    assert any("No header" in note for note in asked)
    assert all("No header" not in note for note in read)


def _random_studies(seed: int) -> list[Surveyed]:
    """Few people of many kinds, so that almost every table has small counts."""
    drawn, studies = random.Random(seed), []
    for number in range(drawn.randint(5, 40)):
        texts = {
            "Manufacturer": drawn.choice(("GE MEDICAL SYSTEMS", "SIEMENS", "SIEMENS", "TOSHIBA", "")),
            "ManufacturerModelName": "",
            "ConvolutionKernel": drawn.choice(("STANDARD", "H31s", "H45s", "")),
            "SliceThickness": drawn.choice(("5", "5", "2.5", "")),
            "StudyDate": drawn.choice(("20210101", "20220101", "")),
            "PatientAge": f"{drawn.randint(1, 110):03d}Y",
            "PatientSex": drawn.choice("FFMMO"),
            "Modality": drawn.choice(("CT", "CT", "CT", "SR")),
        }
        studies += many(1, number, **texts)
    return studies


@pytest.mark.parametrize("seed", range(60))
def test_margins_do_not_undo_what_is_hidden(seed: int) -> None:
    """Every hidden count can still be of two sizes or more, given all that is shown beside it."""
    found = section(_random_studies(seed))
    told = lines(found)
    whole, used, rest = (told[name] for name in ("studies", USED, REST))
    assert [whole, used, rest].count("<5") + [whole, used, rest].count("withheld") != 1
    total = int(used) if used.isdigit() else None
    for table in found.tables:
        hidden = [row.shown for row in table.rows if row.count is None]
        shown = sum(row.count for row in table.rows if row.count is not None)
        assert all((row.count is None) == (not row.shown.replace(",", "").isdigit()) for row in table.rows)
        assert all(row.count is None or row.count >= 5 for row in table.rows)
        if not hidden:
            continue
        assert len(hidden) >= 2, table
        if table.title in ("scanner model", "refused, by rule") or total is None:
            continue
        spare = total - shown
        least = [1 if text == "<5" else 5 for text in hidden]
        for place, text in enumerate(hidden):
            if text == "<5":
                # One person more in it, or one fewer, is one fewer or more in a withheld one.
                most = spare - (sum(least) - least[place])
                assert most >= 4, table


def test_ages_are_clamped_as_everywhere() -> None:
    tables = section(many(6, PatientAge="104Y")).tables
    (ages,) = [table for table in tables if table.title == "age"]
    assert [row.value for row in ages.rows] == [f"{OLDEST:g} and more"]


def test_rows_are_never_in_the_order_of_their_counts_alone() -> None:
    """Where a row stands tells nothing of how many there are in it."""
    tables = section(many(30, 0, **GE), many(60, 100), many(9, 300, Manufacturer="TOSHIBA")).tables
    (makers,) = [table for table in tables if table.title == "manufacturer"]
    assert all(one.value < other.value for one, other in pairwise(makers.rows))
