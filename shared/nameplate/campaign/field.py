"""Fields of an exam's record by which exams can be told apart, grouped and matched."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, Protocol

Value = float | str | None
"""Of a field: a number, a text that is not empty, or None where it is not known."""

_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_ .-]{0,38}[A-Za-z0-9]|[A-Za-z]")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Field:
    """What a field is called and measured in."""

    name: str
    """As campaign files and records spell it."""
    kind: Literal["number", "text"]
    unit: str
    """As printed; empty for a text or a count."""
    title: str
    """A noun in the singular, as the report prints it: "slice thickness"."""


class HasFields(Protocol):
    """An exam's record, which says the value of each of its fields."""

    def value_of(self, name: str) -> Value:
        """The value of the field; None where it is not known, and for a name that is no field."""


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        field.name: field
        for field in (
            Field("manufacturer", "text", "", "manufacturer"),
            Field("model", "text", "", "scanner model"),
            Field("software", "text", "", "software version"),
            Field("institution", "text", "", "institution"),
            Field("kernel", "text", "", "kernel"),
            Field("kernel_class", "text", "", "kernel class"),
            Field("kvp", "number", "kV", "tube voltage"),
            Field("exposure_mas", "number", "mAs", "exposure"),
            Field("thickness_mm", "number", "mm", "slice thickness"),
            Field("largest_gap_mm", "number", "mm", "largest slice distance"),
            Field("source_slices", "number", "", "number of slices"),
            Field("pixel_mm", "number", "mm", "pixel size"),
            Field("tilt_degrees", "number", "degrees", "signed gantry tilt"),
            Field("absolute_tilt_degrees", "number", "degrees", "gantry tilt"),
            Field("age", "number", "years", "age"),
            Field("sex", "text", "", "sex"),
        )
    }
)
"""Every field that ingest reads itself, in the order of tables. A cohort's own columns (``fields_csv``) come
beside them."""


def number_in(text: str) -> float | None:
    """The finite number that the text is, or None.

    >>> number_in("2.5"), number_in("1e3"), number_in("2,5"), number_in("nan"), number_in("3 mm")
    (2.5, 1000.0, None, None, None)
    """
    plain = text.strip()
    if not _NUMBER.fullmatch(plain):
        return None
    number = float(plain)
    return number if math.isfinite(number) else None


def is_column_name(name: str) -> bool:
    """Whether a user's column may have this name: up to 40 letters, digits, spaces and ``_ . -``, from a
    letter to a letter or digit, and none of ingest's own fields nor ``study``."""
    return _COLUMN.fullmatch(name) is not None and name not in FIELDS and name != "study"
