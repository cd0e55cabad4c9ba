"""The record of what was measured in one exam at one stage of the chain."""

from pydantic import Field

from nameplate.image.fingerprint.catalogue import Stage
from nameplate.records import Record


class MeasuredExam(Record):
    """The numbers of one exam at one stage; the units stand in ``nameplate.image.fingerprint.catalogue``."""

    exam: str
    stage: Stage
    numbers: dict[str, float | None]
    """By name of the measure; None where there is none."""
    missing: dict[str, str] = Field(default_factory=dict)
    """For each None, why."""
