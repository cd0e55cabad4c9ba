"""A source that is silent is asked again for a while, and whoever is asked to stop does not wait for it."""

from collections.abc import Callable

import pytest

from nameplate.errors import TryAgain, UserError
from nameplate_ingest.sources import patience
from nameplate_ingest.sources.patience import Unanswered, patiently


class Clock:
    """A time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(patience, "time", one)
    return one


def silent(clock: Clock, seconds: float, wait_s: float = 0.0) -> Callable[[], float]:
    """A source that answers only after so long."""
    since = clock.now

    def call() -> float:
        if clock.now - since < seconds:
            raise Unanswered("source.url: does not answer", wait_s)
        return clock.now - since

    return call


def test_a_minute_of_silence_is_waited_for_and_two_are_not(clock: Clock) -> None:
    assert 60 <= patiently(silent(clock, 60), lambda: False) < 76
    with pytest.raises(TryAgain, match=r"source\.url: does not answer; the same command goes on"):
        patiently(silent(clock, 1e6), lambda: False)


def test_what_the_source_asks_for_is_waited_and_no_longer_than_patience_lasts(clock: Clock) -> None:
    assert 30 <= patiently(silent(clock, 30, wait_s=30), lambda: False) < 31
    before = clock.now
    with pytest.raises(TryAgain):
        patiently(silent(clock, 1e6, wait_s=600), lambda: False)
    assert clock.now == before


def test_the_time_that_a_call_itself_takes_is_not_silence(clock: Clock) -> None:
    calls: list[float] = []

    def call() -> str:
        calls.append(clock.now)
        clock.now += 400  # it waited for its turn
        if len(calls) == 1:
            raise Unanswered("source.url: does not answer")
        return "here"

    assert patiently(call, lambda: False) == "here"


def test_who_is_asked_to_stop_stops_and_other_errors_pass(clock: Clock) -> None:
    with pytest.raises(TryAgain, match="stopped while waiting"):
        patiently(silent(clock, 60), lambda: clock.now > 1005)
    assert clock.now < 1010

    def refused() -> None:
        raise UserError("source.url: does not let us in")

    with pytest.raises(UserError, match="does not let us in"):
        patiently(refused, lambda: False)
