"""A series as QIDO-RS describes it."""

from collections.abc import Mapping
from typing import Any

from nameplate_ingest.sources.answers import count_in_json, texts_in_json
from nameplate_ingest.sources.facts import COUNT, COUNT_TAG, SERIES, STUDY, TELLING, SeriesFacts

SERIES_FIELDS = (STUDY, SERIES, COUNT, *TELLING)
"""What a search for series asks to be told."""
_STUDY, _SERIES = "0020000D", "0020000E"


def series_facts(told: Mapping[str, Any]) -> SeriesFacts:
    """One item of an answer in DICOM JSON; what is no value of an element counts as not told."""
    texts = {
        name: "\\".join(text for text in texts_in_json(told, f"{tag:08X}") if text)
        for name, tag in TELLING.items()
    }
    return SeriesFacts(
        study=next(texts_in_json(told, _STUDY), ""),
        series=next(texts_in_json(told, _SERIES), ""),
        texts={name: text for name, text in texts.items() if text},
        instances=count_in_json(told, f"{COUNT_TAG:08X}"),
    )
