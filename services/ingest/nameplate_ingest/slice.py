"""One DICOM image as typed values: its header, parsed with suspicion."""

import math
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

from nameplate_ingest.header import CUT_SHORT, DEFLATED, META_CLASS, STUDY_UID, Elements, text
from nameplate_ingest.refusal import Refused

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
DICOMDIR = "1.2.840.10008.1.3.10"
MODALITIES = frozenset(
    (
        *("CR", "CT", "DX", "ECG", "ES", "IO", "KO", "MG", "MR", "NM", "OT", "PR", "PT", "REG", "RF"),
        *("RTDOSE", "RTIMAGE", "RTPLAN", "RTSTRUCT", "SC", "SEG", "SR", "US", "XA", "XC"),
    )
)
"""Modalities that the ledger names; any other is 'other', since it might be free text."""
LARGEST, SMALLEST = 2048, 32
"""Rows and columns of a slice; anything outside is refused before memory is allocated."""
OLDEST = 90.0
"""Higher ages are reported as this one, as de-identification rules ask (very old people are few)."""

_CHARSET, _IMAGE_TYPE, _SOP_CLASS, _SOP_INSTANCE = 0x00080005, 0x00080008, 0x00080016, 0x00080018
_STUDY_DATE, _MODALITY, _MANUFACTURER, _INSTITUTION = 0x00080020, 0x00080060, 0x00080070, 0x00080080
_DESCRIPTION, _MODEL = 0x0008103E, 0x00081090
_NAME, _PATIENT_ID, _BIRTH_DATE, _SEX, _AGE = 0x00100010, 0x00100020, 0x00100030, 0x00100040, 0x00101010
_CONTRAST, _THICKNESS, _KVP, _SOFTWARE, _KERNEL = 0x00180010, 0x00180050, 0x00180060, 0x00181020, 0x00181210
_EXPOSURE_TIME, _CURRENT, _EXPOSURE = 0x00181150, 0x00181151, 0x00181152
_SERIES_UID, _SERIES_NUMBER, _ACQUISITION = 0x0020000E, 0x00200011, 0x00200012
_POSITION, _ORIENTATION = 0x00200032, 0x00200037
_SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS, _COLUMNS = 0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011
_SPACING, _ALLOCATED, _STORED, _HIGH, _SIGNED = 0x00280030, 0x00280100, 0x00280101, 0x00280102, 0x00280103
_INTERCEPT, _SLOPE, _LOSSY = 0x00281052, 0x00281053, 0x00282110

WANTED = frozenset(
    (
        *(STUDY_UID, _CHARSET, _IMAGE_TYPE, _SOP_CLASS, _SOP_INSTANCE, _STUDY_DATE, _MODALITY, _MANUFACTURER),
        *(_INSTITUTION, _DESCRIPTION, _MODEL, _NAME, _PATIENT_ID, _BIRTH_DATE, _SEX, _AGE, _CONTRAST),
        *(_THICKNESS, _KVP, _SOFTWARE, _KERNEL, _EXPOSURE_TIME, _CURRENT, _EXPOSURE, _SERIES_UID),
        *(_SERIES_NUMBER, _ACQUISITION, _POSITION, _ORIENTATION, _SAMPLES, _PHOTOMETRIC, _FRAMES, _ROWS),
        *(_COLUMNS, _SPACING, _ALLOCATED, _STORED, _HIGH, _SIGNED, _INTERCEPT, _SLOPE, _LOSSY),
    )
)
"""The elements that a scan reads; it skips all others."""

_NO_CONTRAST = frozenset(
    ("", "none", "no", "nil", "n", "n/a", "na", "0", "without", "no contrast", "non-contrast")
)
_REFORMATS = (
    *("REFORMATTED", "MPR", "CSA MPR", "MIP", "MINIP", "PROJECTION IMAGE"),
    *("CSA RESAMPLED", "VRT", "CPR"),
)
_UNSAFE = re.compile(r"[^A-Za-z0-9 ._+/()\-]+")
_AGE_FORM = re.compile(r"(\d{1,3})([DWMY])")
_AGE_UNITS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


@dataclass(frozen=True, slots=True)
class SliceGeometry:
    """Where the pixels of a slice are in the patient (DICOM axes: left, posterior, head)."""

    rows: int
    columns: int
    position: tuple[float, float, float]
    """Centre of the first pixel in mm."""
    orientation: tuple[float, float, float, float, float, float]
    """Direction in which columns count up, then the direction in which rows count up."""
    spacing: tuple[float, float]
    """Distance between rows, then between columns, in mm."""


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


@dataclass(frozen=True, slots=True)
class Tags:
    """The allow-listed tags of a slice, and two names that are only used for pseudonyms."""

    patient: str
    institution: str
    manufacturer: str
    model: str
    software: str
    kernel: str
    age: float | None
    sex: str | None
    kvp: float | None
    exposure_mas: float | None


@dataclass(frozen=True, slots=True)
class Slice:
    """One DICOM object of a study; ``refusal`` is set if it cannot be a slice of a CT volume."""

    path: Path
    study: str
    series: str
    instance: str
    refusal: tuple[str, str] | None
    tags: Tags
    description: str
    contrast: bool
    thickness: float | None
    number: str
    """SeriesNumber and AcquisitionNumber, only to tell apart series that share one UID."""
    acquisition: str
    grid: SliceGeometry | None
    storage: Storage | None


def slice_of(path: Path, elements: Elements) -> Slice:
    """Type the raw elements of one file; raises Refused for a file outside any series."""
    raw = elements.values
    if DICOMDIR in (text(raw.get(_SOP_CLASS)), text(raw.get(META_CLASS))):
        raise Refused("dicomdir")
    study, series = text(raw.get(STUDY_UID)), text(raw.get(_SERIES_UID))
    if elements.pixel_offset == CUT_SHORT and not (study and series):
        raise Refused("truncated-header", "the file ends before its study is named")
    if not study or not series:
        raise Refused("no-study", "study or series UID is missing")
    refusal, grid, storage = None, None, None
    try:
        if elements.pixel_offset == CUT_SHORT:
            raise Refused("truncated-header", "the file ends before its pixels")
        _accept_kind(raw, elements.little)
        grid = _grid(raw, elements.little)
        storage = _storage(raw, elements)
    except Refused as refused:
        refusal, grid, storage = (refused.rule, refused.seen), None, None
    return Slice(
        path=path,
        study=study,
        series=series,
        instance=text(raw.get(_SOP_INSTANCE)),
        refusal=refusal,
        tags=_tags(raw),
        description=decoded(raw.get(_DESCRIPTION), text(raw.get(_CHARSET))),
        contrast=text(raw.get(_CONTRAST)).lower() not in _NO_CONTRAST,
        thickness=_positive(_number(raw.get(_THICKNESS))),
        number=text(raw.get(_SERIES_NUMBER)),
        acquisition=text(raw.get(_ACQUISITION)),
        grid=grid,
        storage=storage,
    )


def _accept_kind(raw: dict[int, bytes], little: bool) -> None:
    """Raise Refused unless this is one single-frame, original CT image."""
    modality = text(raw.get(_MODALITY)).upper()
    if modality != "CT":
        raise Refused("modality", modality if modality in MODALITIES else "other")
    frames = _number(raw.get(_FRAMES)) or 1
    if frames > 1:
        raise Refused("multi-frame", f"{frames:.0f} frames")
    samples = _short(raw.get(_SAMPLES), little) or 1
    if samples != 1:
        raise Refused("colour", f"{samples} samples a pixel")
    if not text(raw.get(_PHOTOMETRIC)).upper().startswith("MONOCHROME"):
        raise Refused("photometric", "not MONOCHROME")
    kinds = [part.strip() for part in text(raw.get(_IMAGE_TYPE)).upper().split("\\")]
    for kind in ("LOCALIZER", "SECONDARY", *_REFORMATS):
        if kind in kinds:
            raise Refused("image-type", kind)
    if kinds[0] and kinds[0] != "ORIGINAL":
        raise Refused("image-type", "DERIVED" if kinds[0] == "DERIVED" else "not ORIGINAL")
    if text(raw.get(_SOP_CLASS)) not in (CT_IMAGE, ""):
        raise Refused("sop-class", "not CT Image Storage")
    if text(raw.get(_LOSSY)) == "01":
        raise Refused("lossy-compression", "LossyImageCompression 01")


def _grid(raw: dict[int, bytes], little: bool) -> SliceGeometry:
    rows, columns = _short(raw.get(_ROWS), little) or 0, _short(raw.get(_COLUMNS), little) or 0
    if not (SMALLEST <= rows <= LARGEST and SMALLEST <= columns <= LARGEST):
        raise Refused("size", f"{rows} x {columns} pixels")
    position = _numbers(raw.get(_POSITION), 3)
    orientation = _numbers(raw.get(_ORIENTATION), 6)
    spacing = _numbers(raw.get(_SPACING), 2)
    if position is None or max(map(abs, position)) > 1e5:
        raise Refused("geometry", "position missing or invalid")
    if orientation is None:
        raise Refused("geometry", "orientation missing or invalid")
    along, down = orientation[:3], orientation[3:]
    lengths = math.hypot(*along), math.hypot(*down)
    skew = sum(a * b for a, b in zip(along, down, strict=True))
    if max(abs(length - 1) for length in lengths) > 0.01 or abs(skew) > 0.01:
        raise Refused("geometry", "orientation is not two perpendicular unit vectors")
    if spacing is None or not all(0.05 <= step <= 10 for step in spacing):
        raise Refused("geometry", "pixel spacing missing or invalid")
    a, b, c, d, e, f = orientation
    x, y, z = position
    return SliceGeometry(rows, columns, (x, y, z), (a, b, c, d, e, f), (spacing[0], spacing[1]))


def _storage(raw: dict[int, bytes], elements: Elements) -> Storage:
    little = elements.little
    if elements.pixel_offset < 0:
        raise Refused("no-pixels", "the file holds no pixel data")
    allocated = _short(raw.get(_ALLOCATED), little) or 0
    stored = _short(raw.get(_STORED), little) or allocated
    high = _short(raw.get(_HIGH), little)
    high = stored - 1 if high is None else high
    if allocated != 16 or not 8 < stored <= 16 or not stored - 1 <= high < 16:
        raise Refused("bits", f"{allocated} allocated, {stored} stored, high bit {high}")
    slope, intercept = _number(raw.get(_SLOPE)), _number(raw.get(_INTERCEPT))
    if _SLOPE not in raw or _INTERCEPT not in raw or slope is None or intercept is None or slope == 0:
        raise Refused("rescale", "slope or intercept missing or invalid")
    if abs(slope) > 1e3 or abs(intercept) > 1e5:
        raise Refused("rescale", "slope or intercept beyond any HU")
    return Storage(
        syntax=elements.syntax,
        little=elements.little,
        deflated=elements.syntax == DEFLATED,
        offset=elements.pixel_offset,
        length=elements.pixel_length,
        allocated=allocated,
        stored=stored,
        high=high,
        signed=bool(_short(raw.get(_SIGNED), little)),
        slope=slope,
        intercept=intercept,
    )


def _tags(raw: dict[int, bytes]) -> Tags:
    secrets = _words(text(raw.get(_NAME))) | _words(text(raw.get(_PATIENT_ID)))
    exposure = _positive(_number(raw.get(_EXPOSURE)))
    if exposure is None:
        current, time = _positive(_number(raw.get(_CURRENT))), _positive(_number(raw.get(_EXPOSURE_TIME)))
        exposure = round(current * time / 1000, 1) if current and time else None
    if exposure is not None and exposure > 1e5:
        exposure = None
    sex = text(raw.get(_SEX)).upper()[:1]
    return Tags(
        patient=text(raw.get(_PATIENT_ID)),
        institution=text(raw.get(_INSTITUTION)).casefold(),
        manufacturer=text(raw.get(_MANUFACTURER)),
        model=_public(raw.get(_MODEL), secrets),
        software=_public(raw.get(_SOFTWARE), secrets),
        kernel=_public(raw.get(_KERNEL), secrets),
        age=_age(raw),
        sex=sex if sex in ("F", "M", "O") and sex else None,
        kvp=_positive(_number(raw.get(_KVP))),
        exposure_mas=exposure,
    )


def _words(value: str) -> frozenset[str]:
    """The words of a name or number that are long enough to identify a person."""
    return frozenset(word for word in re.split(r"[\W_]+", value.casefold()) if len(word) >= 4)


def _public(raw: bytes | None, secrets: frozenset[str]) -> str:
    """The first value of a technical tag in a small alphabet; empty if it contains a word of the name."""
    value = " ".join(_UNSAFE.sub(" ", text(raw).split("\\")[0]).split())[:40]
    return "" if secrets and not secrets.isdisjoint(_words(value)) else value


def _age(raw: dict[int, bytes]) -> float | None:
    """Age in years at the study, from the age tag or from two dates, which go no further."""
    years = None
    if form := _AGE_FORM.fullmatch(text(raw.get(_AGE)).upper()):
        years = int(form[1]) * _AGE_UNITS[form[2]]
    else:
        born, seen = text(raw.get(_BIRTH_DATE)), text(raw.get(_STUDY_DATE))
        if re.fullmatch(r"\d{8}", born) and re.fullmatch(r"\d{8}", seen) and born <= seen:
            years = float(int(seen[:4]) - int(born[:4]) - (seen[4:] < born[4:]))
    return None if years is None or years > 130 else round(min(years, OLDEST), 2)


def decoded(raw: bytes | None, charset: str) -> str:
    """Free text for matching only, at most 256 characters, in the file's own character set."""
    if not raw:
        return ""
    if raw.isascii():
        return text(raw)[:256]
    # Imported here: it takes longer than the whole scan of a small study.
    from pydicom.charset import convert_encodings, decode_bytes

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return decode_bytes(raw, convert_encodings(charset.split("\\")), set()).strip(" \0")[:256]
        except (LookupError, UnicodeError, ValueError):
            return text(raw)[:256]


def _number(raw: bytes | None) -> float | None:
    """The first value of a decimal or integer string; None if absent, malformed or not finite."""
    if not raw:
        return None
    try:
        value = float(raw.split(b"\\", 1)[0].strip(b" \0"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _numbers(raw: bytes | None, count: int) -> tuple[float, ...] | None:
    """Exactly ``count`` finite values of a decimal string."""
    if not raw:
        return None
    try:
        values = tuple(float(part) for part in raw.strip(b" \0").split(b"\\"))
    except ValueError:
        return None
    return values if len(values) == count and all(map(math.isfinite, values)) else None


def _positive(value: float | None) -> float | None:
    return value if value is not None and value > 0 else None


def _short(raw: bytes | None, little: bool) -> int | None:
    """An unsigned 16-bit value in the file's byte order."""
    return int.from_bytes(raw[:2], "little" if little else "big") if raw and len(raw) >= 2 else None
