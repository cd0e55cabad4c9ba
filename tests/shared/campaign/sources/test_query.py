"""Questions to a PACS: days, what may be matched, and how much may be asked of it."""

from datetime import time
from typing import Any

import pytest
import yaml

from nameplate.campaign import parse_campaign
from nameplate.campaign.sources import DicomwebSource, DimseSource, FolderSource
from nameplate.errors import CampaignError

WEB = {"kind": "dicomweb", "url": "https://pacs.example.org/dicom-web"}
DIMSE = {"kind": "dimse", "host": "pacs.example.org", "called": "PACS"}
DAYS = {"since": "2024-01-01", "until": "2024-12-31"}


def parsed(tiny_text: str, source: dict[str, Any]) -> Any:
    """A source as a campaign file has it."""
    raw = yaml.safe_load(tiny_text)
    del raw["cohorts"]["study"]["phantom"]
    raw["cohorts"]["study"]["source"] = source
    return parse_campaign(yaml.safe_dump(raw), "tiny.yaml").cohorts["study"].source


def test_days_may_be_dates_of_yaml_and_usual_settings_are_gentle(tiny_text: str) -> None:
    text = yaml.safe_dump(WEB | DAYS).replace("'", "")
    source = parsed(tiny_text, yaml.safe_load(text))
    assert isinstance(source, DicomwebSource)
    assert (source.since, source.until, source.modality) == ("2024-01-01", "2024-12-31", "CT")
    assert (source.at_once, source.window_days, source.limits.studies_per_hour) == (1, 31, None)
    dimse = parsed(
        tiny_text, DIMSE | DAYS | {"limits": {"hours": "20:00-06:00", "timezone": "Europe/Berlin"}}
    )
    assert isinstance(dimse, DimseSource)
    assert (dimse.retrieve, dimse.port, dimse.calling) == ("get", 104, "NAMEPLATE")
    assert dimse.limits.span == (time(20), time(6))
    assert FolderSource(path="dicom").at_once is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"since": "2025-01-01"}, "until .2024-12-31. is before since"),
        ({"since": "2024-02-30"}, "expected a day as 2024-01-31"),
        ({"since": "20240101"}, "expected a day as 2024-01-31"),
        ({"since": None}, "since"),
        ({"match": {"StudyDate": "20240101"}}, "asked for by since, until and modality"),
        ({"match": {"PatientName": "DOE*"}}, "'PatientName' names a patient"),
        ({"match": {"PatientBirthDate": "19600101"}}, "names a patient"),
        ({"match": {"study description": "x"}}, "no DICOM keyword"),
        ({"window_days": 0}, "window_days"),
        ({"limits": {"at_once": 0}}, "at_once"),
        ({"limits": {"studies_per_hour": 0}}, "studies_per_hour"),
        ({"limits": {"hours": "20-6"}}, "expected hours as 20:00-06:00"),
        ({"limits": {"hours": "06:00-06:00"}}, "expected hours as 20:00-06:00"),
        ({"limits": {"timezone": "Europe/Nowhere"}}, "no time zone"),
        ({"account": "The PACS"}, "lower-case letters"),
        ({"password": "x"}, "password"),
        ({"url": "https://user:gjkmpqvw@pacs.example.org/"}, r"source.url: expected http\(s\)://HOST/BASE"),
        ({"url": "ftp://pacs.example.org/"}, "source.url: expected"),
    ],
)
def test_each_mistake_is_told_by_its_setting(tiny_text: str, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(CampaignError, match=told):
        parsed(
            tiny_text, {name: value for name, value in (WEB | DAYS | changed).items() if value is not None}
        )


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"retrieve": "move", "limits": {"at_once": 2}}, "limits.at_once must be 1"),
        ({"called": "A TITLE THAT IS TOO LONG"}, "called"),
        ({"calling": "BACK\\SLASH"}, "calling"),
        ({"retrieve": "take"}, "retrieve"),
        ({"url": "https://x/"}, "url"),
    ],
)
def test_each_mistake_of_dimse_too(tiny_text: str, changed: dict[str, Any], told: str) -> None:
    with pytest.raises(CampaignError, match=told):
        parsed(tiny_text, DIMSE | DAYS | changed)


def test_what_names_places_and_people_is_not_shown(tiny_text: str) -> None:
    web = parsed(tiny_text, WEB | DAYS | {"account": "pacs", "match": {"PatientID": "TRIAL*"}})
    dimse = parsed(tiny_text, DIMSE | DAYS)
    shown = f"{web.shown().model_dump()}{dimse.shown().model_dump()}"
    assert not any(secret in shown for secret in ("pacs.example.org", "TRIAL", "'PACS'", "NAMEPLATE"))
