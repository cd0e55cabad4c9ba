"""The values in what a PACS answers, as texts; whatever a server sends, what cannot be read is no value."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydicom.dataset import Dataset


def texts_in_json(told: Mapping[str, Any], tag: str) -> Iterator[str]:
    """Of an element in DICOM JSON (PS3.18, F.2); of a person's name the alphabetic spelling, or the first."""
    element = told.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    for value in values if isinstance(values, list) else ():
        plain = value
        if isinstance(value, dict):
            plain = value.get("Alphabetic", next(iter(value.values()), None))
        if isinstance(plain, str | int | float):
            yield str(plain).strip()


def texts_in_dataset(told: Dataset, name: str) -> Iterator[str]:
    """Of an element by its keyword; blank ones are left out."""
    try:
        value = told.get(name)
    except Exception:
        return
    several = isinstance(value, list | tuple) or (hasattr(value, "append") and not isinstance(value, str))
    for one in value if several else (value,):
        if one is not None and str(one).strip():
            yield str(one).strip()


def count_in(text: str) -> int | None:
    """A count; None for anything else."""
    return int(text) if text.isdecimal() and len(text) < 10 else None


def count_in_json(told: Mapping[str, Any], tag: str) -> int | None:
    """The count that an element in DICOM JSON is; there are servers that write it as 30.0."""
    return count_in(next(texts_in_json(told, tag), "").removesuffix(".0"))


def count_in_dataset(told: Dataset, name: str) -> int | None:
    """The count that an element is."""
    return count_in(next(texts_in_dataset(told, name), ""))
