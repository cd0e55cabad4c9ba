from pathlib import Path

import pytest
from tests.services.ingest.census.told import many

from nameplate.campaign import Campaign, load_campaign
from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.factor import FactorSettings, FieldLevels
from nameplate.campaign.sources import DicomwebSource, FolderSource
from nameplate.campaign.sources.query import LimitSettings
from nameplate.plan.summary import power_lines
from nameplate.steps.ingest import Exam
from nameplate_ingest.census.prospect import effect_lines, fetching_of, matched_groups, paper_effect
from nameplate_ingest.census.surveyed import Surveyed

GE = {"Manufacturer": "GE MEDICAL SYSTEMS", "ManufacturerModelName": "LightSpeed VCT"}
FACTOR = FactorSettings()
DEMO = Path(__file__).resolve().parents[4] / "campaigns" / "demo.yaml"


def exams(*groups: list[Surveyed]) -> list[Exam]:
    return [study.exam for group in groups for study in group if study.exam is not None]


def test_pairs_agree_in_sex_and_age() -> None:
    ge = exams(many(4, 0, **GE), many(3, 10, **GE, PatientSex="M"), many(2, 20, **GE, PatientAge="020Y"))
    siemens = exams(many(3, 30), many(5, 40, PatientSex="M"), many(2, 50, PatientAge="080Y"))
    assert matched_groups([*ge, *siemens], FACTOR, MatchSettings()) == 6
    assert matched_groups([*ge, *siemens], FACTOR, MatchSettings(sex=False)) == 7
    assert matched_groups([*ge, *siemens], FACTOR, MatchSettings(age_years=100)) == 8
    assert matched_groups([*ge, *siemens], FACTOR, None) == 9


def test_pairs_agree_in_further_fields() -> None:
    same = MatchSettings(same=(FieldLevels(name="thickness_mm", bins=(3.0,)),))
    ge = exams(
        many(4, 0, **GE), many(3, 10, **GE, SliceThickness="2.5"), many(2, 20, **GE, SliceThickness="")
    )
    siemens = exams(many(3, 30), many(5, 40, SliceThickness="1"), many(2, 50, SliceThickness=""))
    assert matched_groups([*ge, *siemens], FACTOR, same) == 6


def test_what_cannot_be_matched_is_left_out() -> None:
    found = exams(many(4, 0, **GE, PatientAge=""), many(4, 10, **GE, PatientSex=""), many(9, 20))
    assert matched_groups(found, FACTOR, MatchSettings()) == 0
    assert matched_groups(found, FACTOR, MatchSettings(sex=False)) == 4


def test_any_field_may_be_the_factor() -> None:
    factor = FactorSettings(name="kernel_class", levels=("soft", "sharp"))
    found = exams(many(6, 0), many(4, 10, ConvolutionKernel="H70h"))
    assert matched_groups(found, factor, MatchSettings()) == 4


def campaign_of(**cohort: object) -> Campaign:
    campaign = load_campaign(DEMO)
    study = campaign.cohorts["study"].model_copy(
        update={"source": FolderSource(path="x"), "match": MatchSettings(), **cohort}
    )
    return campaign.model_copy(update={"cohorts": {**campaign.cohorts, "study": study}})


def test_effects_are_those_of_the_plan_with_so_many_exams() -> None:
    campaign = campaign_of()
    study = campaign.cohorts["study"]
    fixed = study.model_copy(update={"match": MatchSettings(exams_per_level=60)})
    planned = power_lines(campaign.model_copy(update={"cohorts": {**campaign.cohorts, "study": fixed}}))
    assert planned
    assert effect_lines(campaign, "study", 60) == planned
    assert effect_lines(campaign, "study", 40) != planned
    wanted = campaign_of(match=MatchSettings(exams_per_level=60))
    assert effect_lines(wanted, "study", 500) == planned


def test_too_few_exams_for_the_split() -> None:
    few = "5 exams of each manufacturer are too few for the cohort's split"
    assert effect_lines(campaign_of(split=SplitSettings()), "study", 5) == [few]


def test_a_campaign_without_an_experiment_on_the_cohort_says_nothing() -> None:
    campaign = campaign_of()
    other = campaign.model_copy(update={"cohorts": {**campaign.cohorts, "more": campaign.cohorts["study"]}})
    assert effect_lines(other, "more", 60) == []


def test_more_exams_show_less() -> None:
    effects = [paper_effect(groups, 2) for groups in (40, 100, 391, 2000)]
    known = [effect for effect in effects if effect is not None]
    assert len(known) == 4
    assert known == sorted(known, reverse=True)
    assert paper_effect(5, 2) is None


@pytest.mark.parametrize(
    ("limits", "hours", "spans"),
    [
        ({"studies_per_hour": 200.0}, 25, None),
        ({"studies_per_hour": 200.0, "hours": "20:00-06:00"}, 25, 3),
        ({"studies_per_hour": 200.0, "hours": "01:00-06:00"}, 25, 5),
        ({"studies_per_hour": 1e6, "hours": "01:00-06:00"}, 0.005, 1),
    ],
)
def test_time_at_the_allowed_rate(limits: dict[str, object], hours: float, spans: int | None) -> None:
    source = DicomwebSource(
        url="https://p.example.org/w", since="2024-01-01", until="2024-01-02", limits=LimitSettings(**limits)
    )
    found = fetching_of(5000, source)
    assert found is not None
    assert (found.hours, found.spans) == (pytest.approx(hours), spans)


def test_without_a_rate_there_is_no_time() -> None:
    assert fetching_of(5000, FolderSource(path="x")) is None
