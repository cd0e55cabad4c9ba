import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.fields.age import OLDEST, age_of, birth_date, stated_age


@pytest.mark.parametrize(
    ("stated", "years"),
    [
        *(("065Y", 65.0), ("65  ", 65.0), ("65", 65.0), ("065", 65.0), ("65Y", 65.0), ("65 Y", 65.0)),
        *(
            ("065y", 65.0),
            ("Y065", 65.0),
            ("65 years", 65.0),
            ("65 Jahre", 65.0),
            ("65岁", 65.0),
            ("65YR", 65.0),
            ("065A", 65.0),
        ),
        *(("006M", 0.5), ("6 mois", 0.5), ("M006", 0.5), ("052W", 0.9966), ("010D", 0.0274), ("000D", 0.0)),
        *(("102Y", 102.0), ("65\0", 65.0)),
    ],
)
def test_ages_as_headers_state_them(stated: str, years: float) -> None:
    assert stated_age(stated) == pytest.approx(years, abs=1e-4)


@pytest.mark.parametrize(
    "stated",
    ["", "000Y", "0", "6.5", "6,5Y", "999", "131Y", "Y", "65Q", "Y65Y", "-5", "sixty", "1955", "65Y 3M"],
)
def test_what_is_no_age_states_none(stated: str) -> None:
    assert stated_age(stated) is None


def test_the_oldest_are_one_group() -> None:
    assert age_of("102Y", "", "") == OLDEST
    assert age_of("", "19100305", "20190305") == OLDEST


@pytest.mark.parametrize(
    ("born", "years"),
    [
        *(
            ("19550131", 64.0),
            ("19550401", 63.0),
            ("1955-01-31", 64.0),
            ("1955.01.31", 64.0),
            ("19550101", 64.0),
        ),
        *(("19700101", 49.0), ("20180905", 0.5), ("20190304", 0.0)),
        *(("19000101", None), ("18000101", None), ("00010101", None), ("99991231", None), ("19010101", None)),
        *(("17530101", None), ("20190305", None), ("20190306", None), ("19080304", None), ("19550231", None)),
        *(("195501", None), ("", None), ("unknown", None), ("19550000", None)),
    ],
)
def test_dates_of_birth(born: str, years: float | None) -> None:
    assert age_of("", born, "20190305") == (None if years is None else pytest.approx(years, abs=0.01))


def test_a_filler_leaves_the_stated_age_and_a_date_that_contradicts_it_takes_it() -> None:
    assert age_of("040Y", "19000101", "20190305") == 40.0
    assert age_of("040Y", "19700101", "20190305") == 40.0
    assert age_of("040Y", "19700102", "20190305") is None
    assert age_of("000Y", "19550131", "20190305") == 64.0
    assert age_of("6.5", "19550131", "20190305") == 64.0
    assert age_of("062Y", "19550131", "20190305") == 62.0
    assert age_of("040Y", "19550131", "20190305") is None
    assert age_of("040Y", "19550131", "") == 40.0


DAYS = st.dates(min_value=datetime.date(1925, 1, 2), max_value=datetime.date(2025, 1, 1))


@given(DAYS, DAYS)
def test_an_age_counts_the_birthdays(born: datetime.date, studied: datetime.date) -> None:
    years = age_of("", f"{born:%Y%m%d}", f"{studied:%Y%m%d}")
    if born >= studied:
        assert years is None
    else:
        assert years is not None
        assert 0 <= years <= OLDEST
        assert min((studied - born).days / 365.25, OLDEST) == pytest.approx(years, abs=1.01)


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=12))
def test_any_text_has_an_answer(stated: str, born: str, studied: str) -> None:
    years = age_of(stated, born, studied)
    assert years is None or 0 <= years <= OLDEST


@given(st.text(alphabet="0123456789-./", max_size=11))
def test_a_date_of_birth_is_a_day_of_the_calendar(text: str) -> None:
    day = birth_date(text)
    assert day is None or f"{day:%d}" in text
