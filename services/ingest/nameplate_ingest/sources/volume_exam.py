"""What a table says of an exam, as the header of a DICOM series would say it."""

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nameplate.campaign.field import number_in
from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.dicom.slice import Device, Slice, Storage
from nameplate_ingest.dicom.statements import Statements
from nameplate_ingest.fields.age import OLDEST, stated_age
from nameplate_ingest.fields.person import Person, sex_of
from nameplate_ingest.sources.facts import SeriesFacts

_OLDEST_BELIEVED = 130.0
_WORD = re.compile(r"[^\W\d_]{4,}")
"""Of an exam's name: a word that may be somebody's. Numbers and short words are in every model's name."""
_THICKEST = 50.0


def slices_of(
    exam: str, values: Mapping[str, str], path: Path, grids: tuple[SliceGeometry, ...], storage: Storage
) -> list[Slice]:
    """The images of a volume; ``path`` has their words, and ``values`` are the row's, by setting."""
    person, device = _person(values), _device(exam, values)
    says = _says(device.kvp)
    thickness = _positive(values.get("thickness_mm"), _THICKEST)
    series = series_of(exam)
    return [
        Slice(
            path=path,
            study=exam,
            series=series,
            instance=f"{series}#{number}",
            refusal=None,
            person=person,
            device=device,
            says=says,
            thickness=thickness,
            series_number="",
            acquisition="",
            time="",
            number=number,
            temporal_position="",
            frame_of_reference="",
            grid=grid,
            storage=replace(storage, frame=number),
        )
        for number, grid in enumerate(grids)
    ]


def facts_of_row(exam: str, values: Mapping[str, str]) -> SeriesFacts:
    """What the row says, as a PACS would tell it of a series."""
    person, device = _person(values), _device(exam, values)
    thickness = _positive(values.get("thickness_mm"), _THICKEST)
    told = {
        "Modality": "CT",
        "PatientID": person.id,
        "PatientSex": person.sex or "",
        "PatientAge": "" if person.age is None else f"{person.age:03.0f}Y",
        "Manufacturer": device.manufacturer,
        "ManufacturerModelName": device.model,
        "SoftwareVersions": device.software,
        "ConvolutionKernel": device.kernel,
        "InstitutionName": device.institution,
        "StationName": " ".join(device.names),
        "KVP": "" if device.kvp is None else f"{device.kvp:g}",
        "Exposure": "" if device.exposure_mas is None else f"{device.exposure_mas:g}",
        "SliceThickness": "" if thickness is None else f"{thickness:g}",
    }
    return SeriesFacts(
        study=exam, series=series_of(exam), texts={name: text for name, text in told.items() if text}
    )


def series_of(exam: str) -> str:
    """What stands for the series' UID; it is like no UID, so that no root in it names a manufacturer."""
    return f"volume of {exam}"


def _person(values: Mapping[str, str]) -> Person:
    return Person(
        id=values.get("patient", ""),
        name="",
        birth="",
        sex=sex_of(values.get("sex", "")),
        age=_age(values.get("age", "")),
    )


def _device(exam: str, values: Mapping[str, str]) -> Device:
    institution = values.get("institution", "")
    return Device(
        manufacturer=values.get("manufacturer", ""),
        model=values.get("model", ""),
        software=values.get("software", ""),
        kernel=values.get("kernel", ""),
        institution=institution.casefold(),
        names=(institution, " ".join(_WORD.findall(exam))),
        kvp=_positive(values.get("kvp"), 1e4),
        exposure_mas=_positive(values.get("exposure_mas"), 1e5),
        creators=(),
    )


def _says(kvp: float | None) -> Statements:
    """Nothing: a table has no words about what a picture shows."""
    return Statements(
        series="",
        study="",
        protocol="",
        body_part="",
        agent="",
        contrast=(),
        image_type=(),
        units="",
        times=1,
        kvp=kvp,
        diameter_mm=None,
        multienergy=False,
    )


def _age(stated: str) -> float | None:
    """Years as a number (``63``, ``63.0``, ``0.5``) or as DICOM states them; nought is a filler there, too.

    >>> _age("63.0"), _age("063Y"), _age("0.5"), _age("0"), _age("97"), _age("old")
    (63.0, 63.0, 0.5, None, 90.0, None)
    """
    years = number_in(stated)
    if years is None:
        years = stated_age(stated)
    if years is None or not 0 < years <= _OLDEST_BELIEVED:
        return None
    return round(min(years, OLDEST), 2)


def _positive(stated: str | None, most: float) -> float | None:
    """A number above 0 and at most ``most``."""
    value = number_in(stated or "")
    return value if value is not None and math.isfinite(value) and 0 < value <= most else None
