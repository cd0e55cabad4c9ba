"""What a header says about the content of a series, in words and codes; the witnesses judge it."""

from dataclasses import dataclass
from functools import lru_cache

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.values import decoded, number, text
from nameplate_ingest.fields.words import agent

_WORDS = (
    *(tags.DESCRIPTION, tags.PROTOCOL, tags.BODY_PART, tags.AGENT),
    *(tags.STUDY_DESCRIPTION, *tags.PROCEDURES),
)
_CODES = (
    *(tags.IMAGE_TYPE, tags.RESCALE_TYPE, tags.TEMPORAL_POSITIONS, tags.KVP, tags.DIAMETER),
    *(tags.MULTIENERGY, *tags.CONTRAST.values()),
)


@dataclass(frozen=True, slots=True)
class Statements:
    """The words and codes of one image; images that say the same share one object."""

    series: str
    """SeriesDescription."""
    study: str
    """StudyDescription, and what else describes the procedure, each text once on a line."""
    protocol: str
    body_part: str
    agent: str
    """ContrastBolusAgent."""
    contrast: tuple[str, ...]
    """Names of the other contrast elements that are filled in and not zero."""
    image_type: tuple[str, ...]
    """Upper case."""
    units: str
    """RescaleType in upper case, Hounsfield units as HU however they are spelled; empty if absent."""
    times: int
    """Temporal positions of the series, 1 if not given."""
    kvp: float | None
    diameter_mm: float | None
    """Reconstruction diameter."""
    multienergy: bool


def statements_of(raw: dict[int, bytes]) -> Statements:
    """The statements of one file's raw elements."""
    return _statements(
        text(raw.get(tags.CHARSET)),
        tuple(raw.get(tag) for tag in _WORDS),
        tuple(raw.get(tag) for tag in _CODES),
    )


@lru_cache(maxsize=4096)
def _statements(charset: str, words: tuple[bytes | None, ...], codes: tuple[bytes | None, ...]) -> Statements:
    series, protocol, body_part, agent, *study = (decoded(word, charset) for word in words)
    image_type, units, times, kvp, diameter, multienergy, *contrast = codes
    return Statements(
        series=series,
        study="\n".join(dict.fromkeys(filter(None, study))),
        protocol=protocol,
        body_part=body_part,
        agent=agent,
        contrast=tuple(name for name, raw in zip(tags.CONTRAST, contrast, strict=True) if _filled(raw)),
        image_type=tuple(part.strip() for part in text(image_type).upper().split("\\")),
        units=_units(text(units)),
        times=max(1, int(min(number(times) or 1, 1e6))),
        kvp=number(kvp),
        diameter_mm=number(diameter),
        multienergy=text(multienergy).upper() == "YES",
    )


def _units(stated: str) -> str:
    """RescaleType in upper case; some scanners spell Hounsfield units out, or put them in brackets."""
    letters = "".join(sign for sign in stated.upper() if sign.isalpha())
    if letters in ("HU", "HUS") or letters.removesuffix("S") in ("HOUNSFIELD", "HOUNSFIELDUNIT"):
        return "HU"
    return "US" if letters == "UNSPECIFIED" else stated.upper()


def _filled(raw: bytes | None) -> bool:
    """Whether an element says anything: not blank, not zero, and no word for 'none'."""
    value = text(raw)
    return bool(value) and number(raw) != 0.0 and agent(value) is not False
