"""What every pod's process does around its work: logs, timing, SIGTERM, outputs."""

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from nameplate.campaign import Campaign
from nameplate.campaign.cohort_source import CohortSource, digests_of, sources_of
from nameplate.errors import NameplateError, TryAgain, UserError
from nameplate.job.timing import Outcome, Timing, seconds_since_start
from nameplate.plan.pipeline import step_named
from nameplate.service.log import log_to_stderr

logger = logging.getLogger(__name__)

OUTCOMES: dict[int, Outcome] = {UserError.exit_code: "mistake", TryAgain.exit_code: "try-again"}
"""By exit code."""


@contextmanager
def timed(file: Path | None) -> Iterator[Timing]:
    """Log as JSON from now on and, at the end, log where the time went; ``file`` gets it with the outcome."""
    log_to_stderr()
    timing = Timing(start_s=seconds_since_start())
    try:
        yield timing
    except BaseException as error:
        timing.outcome = outcome_of(error)
        raise
    finally:
        logger.info("time spent", extra=asdict(timing))
        if file is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(timing.json())


def outcome_of(error: BaseException) -> Outcome:
    """How a process ends that raises this, in the words of `nameplate_pods`."""
    if not isinstance(error, NameplateError):
        return "bug"
    return OUTCOMES.get(error.exit_code, "bug")


def stop_on_sigterm() -> Callable[[], bool]:
    """Catch SIGTERM from now on; the returned function says whether it has arrived."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    return stop.is_set


def sources_for(step: str, campaign: Campaign) -> Mapping[str, CohortSource]:
    """Where the exams of a campaign are, for a step that reads them.

    No other step's pod has these files or the key of the pseudonyms.
    """
    return sources_of(campaign, Path.cwd()) if step_named(step).reads_source else {}


def digests_for(step: str, sources: Mapping[str, CohortSource]) -> Mapping[str, str]:
    """The digests of sources, for the step that they decide: they cost a look at every file."""
    return digests_of(sources) if step_named(step).lists_source else {}


def write_outputs(folder: Path, **outputs: str) -> None:
    """Write one file per output, for the workflow to read."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in outputs.items():
        (folder / name).write_text(text)
