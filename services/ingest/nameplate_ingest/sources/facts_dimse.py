"""A series as C-FIND describes it."""

from pydicom.dataset import Dataset

from nameplate_ingest.sources.answers import count_in_dataset, texts_in_dataset
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
    texts = {name: "\\".join(texts_in_dataset(told, name)) for name in TELLING}
    return SeriesFacts(
        study=next(texts_in_dataset(told, STUDY), study),
        series=next(texts_in_dataset(told, SERIES), ""),
        texts={name: text for name, text in texts.items() if text},
        instances=count_in_dataset(told, COUNT),
    )
