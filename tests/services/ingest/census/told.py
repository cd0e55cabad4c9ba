"""Studies as a PACS tells of them."""

from typing import Any

from nameplate.campaign.ingest import IngestSettings
from nameplate_ingest.census.collect import Collected
from nameplate_ingest.census.surveyed import Surveyed, by_facts
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.index import Study

PSEUDONYMS = Pseudonyms(b"a key for these tests")


def told_series(
    study: str = "1.2.3", place: int = 1, instances: int | None = 30, **texts: str
) -> SeriesFacts:
    """A plain head, but for what ``texts`` say; an empty text is not told."""
    usual = {
        "StudyDate": "20230405",
        "Modality": "CT",
        "SeriesDescription": "Head 5.0",
        "Manufacturer": "SIEMENS",
        "ManufacturerModelName": "Emotion 16",
        "ConvolutionKernel": "H31s",
        "SliceThickness": "5",
        "PatientID": f"P{study.replace('.', '')}",
        "PatientSex": "F",
        "PatientAge": "061Y",
    }
    told = {name: text for name, text in {**usual, **texts}.items() if text}
    return SeriesFacts(study=study, series=f"{study}.{place}", texts=told, instances=instances)


def surveyed(*series: SeriesFacts, settings: IngestSettings | None = None, **study: Any) -> Surveyed:
    """One study of these series."""
    return by_facts(series[0].study, Study(**study), series, settings or IngestSettings(), PSEUDONYMS)


def many(count: int, start: int = 0, **texts: str) -> list[Surveyed]:
    """Studies of one series each, of different people."""
    return [surveyed(told_series(f"1.2.3.{start + number}", **texts)) for number in range(count)]


def collected(*groups: list[Surveyed], headers: bool = False, files: int = 0) -> Collected:
    """What a source would have."""
    studies = tuple(study for group in groups for study in group)
    return Collected(studies, files, (), headers)
