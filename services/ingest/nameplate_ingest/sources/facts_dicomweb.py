"""A series as QIDO-RS describes it."""

from collections.abc import Iterator, Mapping
from typing import Any

from nameplate_ingest.sources.facts import COUNT, COUNT_TAG, SERIES, STUDY, TELLING, SeriesFacts

SERIES_FIELDS = (STUDY, SERIES, COUNT, *TELLING)
"""What a search for series asks to be told."""
_STUDY, _SERIES = "0020000D", "0020000E"


def series_facts(told: Mapping[str, Any]) -> SeriesFacts:
    """One item of an answer in DICOM JSON; what is no value of an element counts as not told."""
    texts = {name: "\\".join(_values(told, f"{tag:08X}")) for name, tag in TELLING.items()}
    count = next(_values(told, f"{COUNT_TAG:08X}"), "").removesuffix(".0")
    return SeriesFacts(
        study=next(_values(told, _STUDY), ""),
        series=next(_values(told, _SERIES), ""),
        texts={name: text for name, text in texts.items() if text},
        instances=int(count) if count.isdecimal() and len(count) < 10 else None,
    )


def _values(told: Mapping[str, Any], tag: str) -> Iterator[str]:
    element = told.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    for value in values if isinstance(values, list) else ():
        plain = next(iter(value.values()), None) if isinstance(value, dict) else value
        if isinstance(plain, str | int | float) and str(plain).strip():
            yield str(plain).strip()
