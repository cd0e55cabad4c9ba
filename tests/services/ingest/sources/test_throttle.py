"""Turns at a PACS: a rate that no restart exceeds, and hours over midnight and over changes of the clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.sources.query import LimitSettings
from nameplate.errors import TryAgain
from nameplate_ingest.sources.throttle import Throttle, interval_s, seconds_until_open

_MOMENTS = st.datetimes(datetime(2023, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC))
_TIMES = st.integers(0, 24 * 60 - 1).map(lambda minute: f"{minute // 60:02d}:{minute % 60:02d}")
_ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
_NEVER_OPEN_FOR = timedelta(hours=26)
"""A night without hours: with a change of the clock, or two half hours at Lord Howe, a bit over a day."""


def _hours(begin: str, end: str, zone: str) -> LimitSettings:
    return LimitSettings(hours=f"{begin}-{end}", timezone=zone)


@given(now=_MOMENTS, begin=_TIMES, end=_TIMES, zone=_ZONES)
def test_after_waiting_it_is_open_and_a_moment_before_it_was_not(
    now: datetime, begin: str, end: str, zone: str
) -> None:
    if begin == end:
        return
    limits = _hours(begin, end, zone)
    wait = timedelta(seconds=seconds_until_open(limits, now))
    assert timedelta() <= wait <= _NEVER_OPEN_FOR
    then = now + wait
    if wait and (then.astimezone(ZoneInfo(zone)).utcoffset() == now.astimezone(ZoneInfo(zone)).utcoffset()):
        assert seconds_until_open(limits, then) == 0
        assert seconds_until_open(limits, then - timedelta(microseconds=1)) > 0
    # A time that the clock leaves out, as it does once a year, is looked for once more.
    assert seconds_until_open(limits, then) <= 24 * 3600


@given(now=_MOMENTS, begin=_TIMES, end=_TIMES)
def test_hours_and_the_rest_of_the_day_are_never_open_together(now: datetime, begin: str, end: str) -> None:
    if begin == end:
        return
    within, without = _hours(begin, end, "UTC"), _hours(end, begin, "UTC")
    assert (seconds_until_open(within, now) == 0) != (seconds_until_open(without, now) == 0)


def test_hours_over_midnight_and_over_the_night_when_summer_time_begins() -> None:
    limits = _hours("20:00", "06:00", "Europe/Berlin")
    berlin = ZoneInfo("Europe/Berlin")
    assert seconds_until_open(limits, datetime(2024, 1, 10, 23, 30, tzinfo=berlin)) == 0
    assert seconds_until_open(limits, datetime(2024, 1, 10, 5, 59, tzinfo=berlin)) == 0
    assert seconds_until_open(limits, datetime(2024, 1, 10, 6, 0, tzinfo=berlin)) == 14 * 3600
    # On 31 March 2024 the clock goes from 2 to 3.
    early = _hours("04:00", "05:00", "Europe/Berlin")
    assert seconds_until_open(early, datetime(2024, 3, 31, 1, 0, tzinfo=berlin)) == 2 * 3600
    assert seconds_until_open(LimitSettings(), datetime(2024, 1, 10, 6, 0, tzinfo=berlin)) == 0


@given(
    rate=st.floats(1, 1e5),
    lanes=st.integers(1, 8),
    restarts=st.lists(st.tuples(st.floats(0, 5000), st.integers(1, 20)), min_size=1, max_size=6),
    takes=st.floats(0, 50),
)
def test_no_lane_begins_two_fetches_within_an_interval_however_often_it_is_started_again(
    rate: float, lanes: int, restarts: list[tuple[float, int]], takes: float
) -> None:
    limits = LimitSettings(studies_per_hour=rate, at_once=lanes)
    noon, at, begun = datetime(2024, 1, 10, 12, tzinfo=UTC), 0.0, []
    for later, fetches in restarts:
        at += later
        throttle = Throttle(limits)
        for _ in range(fetches):
            at += throttle.pause_s(at, noon)
            assert throttle.pause_s(at, noon) < 1e-6
            throttle.begin(at)
            begun.append(at)
            at += takes
    interval = interval_s(limits)
    assert interval == lanes * 3600 / rate
    assert begun[0] - restarts[0][0] >= interval - 1e-6
    assert all(second - first >= interval - 1e-6 for first, second in pairwise(begun))


def test_without_limits_nobody_waits_and_who_is_asked_to_stop_does_not_wait() -> None:
    Throttle(LimitSettings()).wait(lambda: True)
    with pytest.raises(TryAgain, match="goes on from here"):
        Throttle(LimitSettings(studies_per_hour=0.001)).wait(lambda: True)
    now = datetime.now(UTC)
    hour = (now + timedelta(hours=3)).hour
    closed = LimitSettings(hours=f"{hour:02d}:00-{hour:02d}:30")
    with pytest.raises(TryAgain, match="goes on from here"):
        Throttle(closed).wait(lambda: True)
