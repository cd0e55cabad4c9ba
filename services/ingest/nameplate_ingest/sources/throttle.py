"""No more of a PACS than its owner allows: so many studies an hour, at stated hours."""

import logging
import time as clock
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from nameplate.campaign.sources.query import LimitSettings
from nameplate_ingest.sources.patience import rest

logger = logging.getLogger(__name__)

_LONGEST_REST_S = 60.0
"""After so long the clock is looked at again: it may have been set, or summer time may have begun."""


def interval_s(limits: LimitSettings) -> float:
    """Seconds from the start of one fetch to the next in each of the lanes that go on at once.

    >>> interval_s(LimitSettings(studies_per_hour=60, at_once=2))
    120.0
    """
    return limits.at_once * 3600 / limits.studies_per_hour if limits.studies_per_hour else 0.0


def seconds_until_open(limits: LimitSettings, now: datetime) -> float:
    """How long until the stated hours; 0 within them. ``now`` knows its time zone."""
    if limits.span is None:
        return 0.0
    zone = ZoneInfo(limits.timezone)
    local = now.astimezone(zone)
    begin, end = limits.span
    if _is_open(local.time(), begin, end):
        return 0.0
    for days in (0, 1):
        opens = datetime.combine(local.date() + timedelta(days=days), begin, zone)
        # In UTC: a difference of two times of one zone would leave out a change to summer time.
        wait = (opens.astimezone(UTC) - now.astimezone(UTC)).total_seconds()
        if wait > 0:
            return wait
    raise AssertionError("hours begin every day")


def _is_open(at: time, begin: time, end: time) -> bool:
    """Whether a time of day is in the span, which may go over midnight."""
    return begin <= at < end if begin < end else at >= begin or at < end


class Throttle:
    """The turns of one process, one of as many lanes as fetches may go on at once.

    It waits before the first fetch, too: however often a process is started again, the rate is kept.
    """

    def __init__(self, limits: LimitSettings) -> None:
        self._limits = limits
        self._interval = interval_s(limits)
        self._next: float | None = None

    def pause_s(self, at: float, now: datetime) -> float:
        """Seconds until the next turn; ``at`` is of a clock that only goes on, ``now`` the time of day."""
        if self._next is None:
            self._next = at + self._interval
        return max(self._next - at, seconds_until_open(self._limits, now), 0.0)

    def begin(self, at: float) -> None:
        """A fetch begins: the next turn is an interval later."""
        self._next = at + self._interval

    def wait(self, should_stop: Callable[[], bool]) -> None:
        """Return when a fetch may begin, as which this counts; TryAgain when we are asked to stop."""
        told = False
        while pause := self.pause_s(clock.monotonic(), datetime.now(UTC)):
            if not told and pause > self._interval:
                logger.info("waiting for the hours of the source", extra={"seconds": round(pause)})
                told = True
            rest(min(pause, _LONGEST_REST_S), should_stop)
        self.begin(clock.monotonic())
