"""A series as C-FIND describes it."""

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from nameplate_ingest.sources.facts import COUNT, SERIES, STUDY, TELLING, SeriesFacts


def series_query(study: str) -> Dataset:
    """What is asked of the series of a study: everything that tells."""
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    for name in (SERIES, COUNT, *TELLING):
        setattr(query, name, None if name in ("Rows", "Columns") else "")
    query.StudyInstanceUID = study
    return query


def series_facts(study: str, told: Dataset) -> SeriesFacts:
    """One answer; a value that cannot be read counts as not told."""
    texts = {name: "\\".join(_values(told, name)) for name in TELLING}
    count = next(_values(told, COUNT), "")
    return SeriesFacts(
        study=next(_values(told, STUDY), study),
        series=next(_values(told, SERIES), ""),
        texts={name: text for name, text in texts.items() if text},
        instances=int(count) if count.isdecimal() and len(count) < 10 else None,
    )


def _values(told: Dataset, name: str) -> Iterator[str]:
    try:
        value = told.get(name)
    except Exception:  # whatever a server sends
        return
    for one in value if isinstance(value, MultiValue | list | tuple) else (value,):
        if one is not None and str(one).strip():
            yield str(one).strip()
