"""The record of what was measured in one exam at one stage of the chain."""

import math

from pydantic import Field

from nameplate.image.fingerprint.catalogue import Stage
from nameplate.image.fingerprint.slices import Missing, Numbers
from nameplate.records import Record

_DIGITS = 6
"""Significant digits that are kept; processors differ in later ones."""


class MeasuredExam(Record):
    """The numbers of one exam at one stage; the units stand in ``nameplate.image.fingerprint.catalogue``."""

    exam: str
    stage: Stage
    numbers: dict[str, float | None]
    """By name of the measure; None where there is none."""
    missing: dict[str, str] = Field(default_factory=dict)
    """For each None, why."""


def as_record(exam: str, stage: Stage, numbers: Numbers) -> MeasuredExam:
    """Numbers as the record of an exam, rounded; one that is not finite is recorded as missing."""
    kept: dict[str, float | None] = {}
    missing: dict[str, str] = {}
    for name, number in numbers.items():
        if isinstance(number, Missing):
            kept[name], missing[name] = None, number.reason
        elif math.isfinite(number):
            kept[name] = rounded(number)
        else:
            kept[name], missing[name] = None, "not a finite number"
    return MeasuredExam(exam=exam, stage=stage, numbers=kept, missing=missing)


def rounded(number: float) -> float:
    """A number to six significant digits; a negative zero becomes zero."""
    return float(f"{float(number):.{_DIGITS}g}") + 0.0
