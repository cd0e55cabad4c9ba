"""What a source tells of a series before any of its images is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nameplate_ingest.dicom import tags

STUDY, SERIES, COUNT = "StudyInstanceUID", "SeriesInstanceUID", "NumberOfSeriesRelatedInstances"
COUNT_TAG = 0x00201209
TELLING: Mapping[str, int] = {
    "StudyDate": tags.STUDY_DATE,
    "StudyDescription": tags.STUDY_DESCRIPTION,
    "RequestedProcedureDescription": tags.PROCEDURES[0],
    "PerformedProcedureStepDescription": tags.PROCEDURES[1],
    "Modality": tags.MODALITY,
    "SeriesDescription": tags.DESCRIPTION,
    "ProtocolName": tags.PROTOCOL,
    "BodyPartExamined": tags.BODY_PART,
    "ImageType": tags.IMAGE_TYPE,
    "ContrastBolusAgent": tags.AGENT,
    "Manufacturer": tags.MANUFACTURER,
    "ManufacturerModelName": tags.MODEL,
    "SoftwareVersions": tags.SOFTWARE,
    "ConvolutionKernel": tags.KERNEL,
    "SliceThickness": tags.THICKNESS,
    "KVP": tags.KVP,
    "Exposure": tags.EXPOSURE,
    "Rows": tags.ROWS,
    "Columns": tags.COLUMNS,
    "PatientID": tags.PATIENT_ID,
    "PatientName": tags.NAME,
    "PatientBirthDate": tags.BIRTH_DATE,
    "PatientSex": tags.SEX,
    "PatientAge": tags.AGE,
    "InstitutionName": tags.INSTITUTION,
    "StationName": 0x00081010,
    "AccessionNumber": 0x00080050,
    "ReferringPhysicianName": 0x00080090,
}
"""What is asked of a series, and of its study, by DICOM keyword. Names are asked for because their words may
stand in a model's text, too, which must not leave with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesFacts:
    """One series as its source describes it; what it does not tell is not there."""

    study: str = field(repr=False)
    """StudyInstanceUID."""
    series: str = field(repr=False)
    """SeriesInstanceUID."""
    texts: Mapping[str, str] = field(repr=False)
    """Values as they stand there, by DICOM keyword (one of ``TELLING``); several of one element with a
    backslash between them."""
    instances: int | None = None
    size: int | None = None
    """Bytes."""

    def raw(self) -> dict[int, bytes]:
        """The texts as elements of a header are read."""
        told = {TELLING[name]: text.encode("utf-8", "surrogateescape") for name, text in self.texts.items()}
        for number in (tags.ROWS, tags.COLUMNS):  # binary in a header
            told.pop(number, None)
        return {**told, tags.CHARSET: b"ISO_IR 192"}

    def number(self, name: str) -> int | None:
        """A text as a whole number above zero; None where it is none."""
        text = self.texts.get(name, "").strip()
        return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 1 << 20 else None
