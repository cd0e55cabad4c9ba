"""One DICOM image as typed values: its header, parsed with suspicion."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from sys import intern

from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.geometry import SliceGeometry, geometry_of
from nameplate_ingest.dicom.header import CUT_SHORT, DEFLATED, META_CLASS, Elements
from nameplate_ingest.dicom.statements import Statements, statements_of
from nameplate_ingest.dicom.tags import WANTED as WANTED
from nameplate_ingest.dicom.values import decoded, number, positive, short, text
from nameplate_ingest.fields.age import age_of, birth_date
from nameplate_ingest.fields.person import Person, sex_of
from nameplate_ingest.refusal import Refused

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = ("1.2.840.10008.5.1.4.1.1.2.1", "1.2.840.10008.5.1.4.1.1.2.2")
"""Enhanced CT Image Storage and its legacy form: many frames in one file."""
DICOMDIR = "1.2.840.10008.1.3.10"
MODALITIES = frozenset(
    (
        *("CR", "CT", "DX", "ECG", "ES", "IO", "KO", "MG", "MR", "NM", "OT", "PR", "PT", "REG", "RF"),
        *("RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "SC", "SEG", "SR", "US", "XA", "XC"),
    )
)
"""Modalities that the ledger names; any other is 'other', since it might be free text."""
_FIRST_SCANNER, _NO_YEAR = 1971, 2200
_REFORMATS = (
    *("REFORMATTED", "MPR", "CSA MPR", "MIP", "MINIP", "PROJECTION IMAGE"),
    *("CSA RESAMPLED", "VRT", "CPR"),
)
_PERSON = (
    *(tags.PATIENT_ID, tags.NAME, tags.BIRTH_DATE, tags.SEX, tags.AGE, tags.STUDY_DATE),
    tags.CHARSET,
)
_DEVICE = (
    *(tags.MANUFACTURER, tags.MODEL, tags.SOFTWARE, tags.KERNEL, tags.INSTITUTION, tags.CHARSET),
    *(tags.KVP, tags.EXPOSURE, tags.CURRENT, tags.EXPOSURE_TIME, *tags.NAMES, *tags.CREATORS),
)


@dataclass(frozen=True, slots=True)
class Storage:
    """How the pixels are stored in the file."""

    syntax: str
    little: bool
    deflated: bool
    offset: int
    length: int
    """-1 when encapsulated."""
    allocated: int
    stored: int
    high: int
    signed: bool
    slope: float
    intercept: float
    frame: int = 0
    """Number of this image among the frames of its file."""
    frames: int = 1


@dataclass(frozen=True, slots=True)
class Device:
    """What the header says of the machine and the exposure, as it stands there."""

    manufacturer: str
    model: str
    software: str
    kernel: str
    institution: str
    names: tuple[str, ...]
    """Texts whose words may not leave: institution, station, physicians, numbers."""
    kvp: float | None
    exposure_mas: float | None
    creators: tuple[str, ...]
    """Who wrote the private elements."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One DICOM image of a study; ``refusal`` is set if it cannot be a slice of a CT volume."""

    path: Path
    study: str
    series: str
    instance: str
    refusal: tuple[str, str] | None
    person: Person
    device: Device
    says: Statements
    thickness: float | None
    series_number: str
    acquisition: str
    time: str
    """AcquisitionTime, only to tell passes apart."""
    number: int
    """InstanceNumber; -1 if there is none."""
    temporal_position: str
    frame_of_reference: str
    grid: SliceGeometry | None
    storage: Storage | None
    year: int = 0
    """Of the study; 0 if it is not known."""


def slice_of(path: Path, elements: Elements, frame: int = 0, frames: int = 1) -> Slice:
    """Type the raw elements of one image; raises Refused for a file outside any series.

    ``frame`` of ``frames`` is for a file of many frames, whose ``elements`` are then those of one frame.
    """
    raw = elements.values
    if DICOMDIR in (text(raw.get(tags.SOP_CLASS)), text(raw.get(META_CLASS))):
        raise Refused("dicomdir")
    study, series = text(raw.get(tags.STUDY_UID)), text(raw.get(tags.SERIES_UID))
    if elements.pixel_offset == CUT_SHORT and not (study and series):
        raise Refused("truncated-header", "the file ends before its study is named")
    if not study or not series:
        raise Refused("no-study", "study or series UID is missing")
    refusal, grid, storage = None, None, None
    try:
        if elements.pixel_offset == CUT_SHORT:
            raise Refused("truncated-header", "the file ends before its pixels")
        accept_kind(raw, elements.little, frames)
        grid = geometry_of(raw, elements.little)
        storage = _storage(raw, elements, frame, frames)
    except Refused as refused:
        refusal, grid, storage = (refused.rule, refused.seen), None, None
    return Slice(
        path=path,
        study=intern(study),
        series=intern(series),
        instance=_instance(text(raw.get(tags.SOP_INSTANCE)), frame, frames),
        refusal=refusal,
        person=person_of(raw),
        device=device_of(raw),
        says=statements_of(raw),
        thickness=positive(number(raw.get(tags.THICKNESS))),
        series_number=intern(text(raw.get(tags.SERIES_NUMBER))),
        acquisition=intern(text(raw.get(tags.ACQUISITION))),
        time=intern(text(raw.get(tags.ACQUISITION_TIME))),
        number=_whole(raw.get(tags.INSTANCE)),
        temporal_position=intern(text(raw.get(tags.TEMPORAL_POSITION))),
        frame_of_reference=intern(text(raw.get(tags.FRAME_OF_REFERENCE))),
        grid=grid,
        storage=storage,
        year=year_of(raw),
    )


def person_of(raw: dict[int, bytes]) -> Person:
    """Whose image it is, by its raw elements."""
    return _person(*(raw.get(tag) for tag in _PERSON))


def device_of(raw: dict[int, bytes]) -> Device:
    """The machine and the exposure, by an image's raw elements."""
    return _device(tuple(raw.get(tag) for tag in _DEVICE))


def year_of(raw: dict[int, bytes]) -> int:
    """The year of the study; 0 for a date that is missing, unreadable or before the first CT scanner."""
    return _year(raw.get(tags.STUDY_DATE))


@lru_cache(maxsize=4096)
def _year(raw: bytes | None) -> int:
    date = birth_date(text(raw))
    return date.year if date is not None and _FIRST_SCANNER <= date.year < _NO_YEAR else 0


def may_hold_frames(elements: Elements) -> bool:
    """Whether the file is of a kind that holds many CT images, or says that it does."""
    raw = elements.values
    if text(raw.get(tags.MODALITY)).upper() != "CT":
        return False
    return text(raw.get(tags.SOP_CLASS)) in ENHANCED_CT or (number(raw.get(tags.FRAMES)) or 1) > 1


def accept_kind(raw: dict[int, bytes], little: bool, frames: int) -> None:
    """Raise Refused unless this is one original CT image, or one frame of a file of many."""

    modality = text(raw.get(tags.MODALITY)).upper()
    if modality != "CT":
        raise Refused("modality", modality if modality in MODALITIES else "other")
    within = number(raw.get(tags.FRAMES)) or 1
    if within > 1 and frames == 1:
        raise Refused("multi-frame", f"{within:.0f} frames without a place for each")
    samples = short(raw.get(tags.SAMPLES), little) or 1
    if samples != 1:
        raise Refused("colour", f"{samples} samples a pixel")
    if not text(raw.get(tags.PHOTOMETRIC)).upper().startswith("MONOCHROME"):
        raise Refused("photometric", "not MONOCHROME")
    kinds = [part.strip() for part in text(raw.get(tags.IMAGE_TYPE)).upper().split("\\")]
    for kind in ("LOCALIZER", "SECONDARY", *_REFORMATS):
        if kind in kinds:
            raise Refused("image-type", kind)
    if kinds[0] and kinds[0] != "ORIGINAL":
        raise Refused("image-type", "DERIVED" if kinds[0] == "DERIVED" else "not ORIGINAL")
    if text(raw.get(tags.SOP_CLASS)) not in (CT_IMAGE, "", *ENHANCED_CT):
        raise Refused("sop-class", "not CT Image Storage")
    if text(raw.get(tags.LOSSY)) == "01":
        raise Refused("lossy-compression", "LossyImageCompression 01")


def _storage(raw: dict[int, bytes], elements: Elements, frame: int, frames: int) -> Storage:
    little = elements.little
    if elements.pixel_offset < 0:
        raise Refused("no-pixels", "the file holds no pixel data")
    allocated = short(raw.get(tags.ALLOCATED), little) or 0
    stored = short(raw.get(tags.STORED), little) or allocated
    high = short(raw.get(tags.HIGH), little)
    high = stored - 1 if high is None else high
    if allocated != 16 or not 8 < stored <= 16 or not 0 <= high < 16:
        raise Refused("bits", f"{allocated} allocated, {stored} stored, high bit {high}")
    slope, intercept = number(raw.get(tags.SLOPE)), number(raw.get(tags.INTERCEPT))
    given = tags.SLOPE in raw and tags.INTERCEPT in raw
    if not given or slope is None or intercept is None or slope == 0:
        raise Refused("rescale", "slope or intercept missing or invalid")
    if abs(slope) > 1e3 or abs(intercept) > 1e5:
        raise Refused("rescale", "slope or intercept beyond any HU")
    return Storage(
        syntax=intern(elements.syntax),
        little=elements.little,
        deflated=elements.syntax == DEFLATED,
        offset=elements.pixel_offset,
        length=elements.pixel_length,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=bool(short(raw.get(tags.SIGNED), little)),
        slope=slope,
        intercept=intercept,
        frame=frame,
        frames=frames,
    )


@lru_cache(maxsize=4096)
def _person(*raw: bytes | None) -> Person:
    patient, _, born, _, age, studied, charset = map(text, raw)
    return Person(
        id=patient,
        name=decoded(raw[1], charset),
        birth=born,
        sex=sex_of(decoded(raw[3], charset)),
        age=age_of(age, born, studied),
    )


@lru_cache(maxsize=4096)
def _device(raw: tuple[bytes | None, ...]) -> Device:
    manufacturer, model, software, kernel, institution, charset, *rest = raw
    kvp, exposure, current, time, *more = rest
    names, creators = more[: len(tags.NAMES)], more[len(tags.NAMES) :]
    site = decoded(institution, text(charset))
    mas = positive(number(exposure))
    if mas is None:
        ampere, seconds = positive(number(current)), positive(number(time))
        mas = round(ampere * seconds / 1000, 1) if ampere and seconds else None
    return Device(
        manufacturer=decoded(manufacturer, text(charset)),
        model=text(model),
        software=text(software),
        kernel=text(kernel),
        institution=site.casefold(),
        names=(site, *(decoded(name, text(charset)) for name in names if name)),
        kvp=positive(number(kvp)),
        exposure_mas=None if mas is not None and mas > 1e5 else mas,
        creators=tuple(text(creator) for creator in creators if creator),
    )


def _instance(uid: str, frame: int, frames: int) -> str:
    """The SOP instance UID; of a file of many frames, with the frame's number."""
    return f"{uid}#{frame}" if uid and frames > 1 else uid


def _whole(raw: bytes | None) -> int:
    value = number(raw)
    return int(value) if value is not None and 0 <= value < 1e9 else -1
