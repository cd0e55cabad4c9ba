"""What of a listing was asked for: servers that filter, servers that do not, and what they leave out."""

from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.sources import DicomwebSource
from nameplate_ingest.sources.entry import Entry, halves, is_wanted, windows

_DAYS = st.dates(date(1990, 1, 1), date(2040, 1, 1))


def _asked(**settings: Any) -> DicomwebSource:
    spans = {"since": "2024-01-01", "until": "2024-12-31"} | settings
    return DicomwebSource(url="http://pacs.example/dicom-web", **spans)


@given(first=_DAYS, length=st.integers(0, 2000), days=st.integers(1, 366))
def test_windows_hold_every_day_once(first: date, length: int, days: int) -> None:
    last = first + timedelta(days=length)
    spans = list(windows(str(first), str(last), days))
    assert spans[0][0] == first
    assert spans[-1][1] == last
    assert all((end - begin).days < days for begin, end in spans)
    assert all(end + timedelta(days=1) == begin for (_, end), (begin, _) in pairwise(spans))


@given(first=_DAYS, length=st.integers(1, 400))
def test_halves_are_shorter_and_hold_the_same_days(first: date, length: int) -> None:
    (begin, middle), (after, end) = halves(first, first + timedelta(days=length))
    assert (begin, end) == (first, first + timedelta(days=length))
    assert after - middle == timedelta(days=1)
    assert begin <= middle < after <= end


@pytest.mark.parametrize(
    ("date", "modalities", "wanted"),
    [
        ("20240101", ("CT",), True),
        ("20241231", ("SR", "CT"), True),
        ("2024.06.01", (), True),
        ("20231231", ("CT",), False),
        ("20250101", ("CT",), False),
        ("20240601", ("MR",), False),
        ("", ("CT",), False),
    ],
)
def test_dates_and_modality_are_looked_at_again(date: str, modalities: tuple[str, ...], wanted: bool) -> None:
    assert is_wanted(Entry("1.2", date, modalities), _asked()) is wanted


@pytest.mark.parametrize(
    ("pattern", "values", "wanted"),
    [
        ("*HEAD*", ("CT head plain",), True),
        ("*HEAD*", ("CT abdomen",), False),
        ("*HEAD*", (), True),  # it was asked for, and the server says nothing of it
        ("HEA?", ("HEAD",), True),
        ("[HEAD]", ("[head]",), True),
        ("[HEAD]", ("h",), False),
        ("HEAD", ("ABDOMEN", "HEAD"), True),
    ],
)
def test_wildcards_are_those_of_dicom(pattern: str, values: tuple[str, ...], wanted: bool) -> None:
    entry = Entry("1.2", "20240601", ("CT",), values={"StudyDescription": values})
    assert is_wanted(entry, _asked(match={"StudyDescription": pattern})) is wanted


def test_what_no_server_searches_by_has_to_be_told() -> None:
    asked = _asked(match={"Manufacturer": "SIEMENS"})
    assert is_wanted(Entry("1.2", "20240601", values={"Manufacturer": ("Siemens",)}), asked)
    assert not is_wanted(Entry("1.2", "20240601", values={"Manufacturer": ("GE",)}), asked)
    assert not is_wanted(Entry("1.2", "20240601"), asked)
    assert is_wanted(Entry("1.2", "20240601"), _asked(match={"Manufacturer": "*"}))


def test_only_a_uid_names_a_study() -> None:
    assert Entry("1.2.840.1").is_named
    assert not any(Entry(name).is_named for name in ("", "../1.2", "1.2/3", "1." * 40, "a.b"))
