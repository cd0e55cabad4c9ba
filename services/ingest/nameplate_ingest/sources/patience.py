"""A source that does not answer now may answer in a minute: it is asked again, within limits."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from nameplate.errors import TryAgain

Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)

PATIENCE_S = 120.0
"""How long a source may be silent before the job ends, to be tried again later."""
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 15.0
_STEP_S = 0.25
_GOES_ON = "; the same command goes on from here"


class RefusedForNow(TryAgain):
    """The source answers, but did not give one study: others it may give. ``told`` is what it said."""

    def __init__(self, told: str) -> None:
        super().__init__(f"{told}{_GOES_ON}")
        self.told = told


class Unanswered(Exception):
    """The source did not answer, or said that it cannot now; ``wait_s`` is what it asked us to wait."""

    def __init__(self, told: str, wait_s: float = 0.0) -> None:
        super().__init__(told)
        self.told = told
        self.wait_s = wait_s


class Unserved(Unanswered):
    """The source answers, but not with what it was asked for."""


def patiently(
    call: Callable[[], Answer], should_stop: Callable[[], bool], patience_s: float = PATIENCE_S
) -> Answer:
    """Call until it answers; TryAgain when we are asked to stop, or when it has not for ``patience_s``.

    That is counted from when it was silent for the first time: a call may take long, and wait for its turn.
    Where the last answer was Unserved, the error is RefusedForNow.
    """
    deadline, pause = 0.0, _FIRST_PAUSE_S
    while True:
        try:
            return call()
        except Unanswered as error:
            wait = max(pause, error.wait_s)
            deadline = deadline or time.monotonic() + patience_s
            if time.monotonic() + wait > deadline:
                if isinstance(error, Unserved):
                    raise RefusedForNow(error.told) from error
                raise TryAgain(f"{error.told}{_GOES_ON}") from error
            logger.warning(
                "the source did not answer; asked again", extra={"reason": error.told, "seconds": wait}
            )
        rest(wait, should_stop)
        pause = min(2 * pause, _LONGEST_PAUSE_S)


def rest(seconds: float, should_stop: Callable[[], bool]) -> None:
    """Sleep, with an eye on being asked to stop: TryAgain then."""
    until = time.monotonic() + seconds
    while True:
        if should_stop():
            raise TryAgain("stopped while waiting for the source; the same command goes on from here")
        left = until - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(_STEP_S, left))
