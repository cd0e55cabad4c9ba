"""The record of an exam: what of its headers may leave, in one spelling each."""

import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nameplate.steps.ingest import Exam
from nameplate_ingest.choice.facts import Facts, commonest
from nameplate_ingest.dicom.slice import Device
from nameplate_ingest.fields.device import clean_kernel, clean_model, clean_software, maker_of_model
from nameplate_ingest.fields.kernel import kernel_class
from nameplate_ingest.fields.person import Person, identity
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.volume.group import Group
from nameplate_ingest.volume.series import distinct_gaps


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How the series' slices lie; what is not known is not a number, or empty."""

    thickness_mm: float
    gaps_mm: tuple[float, ...]
    pixel_mm: float
    tilt_degrees: float
    source_slices: int


def shape_of(group: Group, facts: Facts) -> Shape:
    """The shape of a group that has a stack."""
    first = group.slices[0]
    assert group.stack is not None
    assert first.grid is not None
    return Shape(
        thickness_mm=facts.thickness_mm,
        gaps_mm=distinct_gaps(group.stack),
        pixel_mm=first.grid.spacing[1],
        tilt_degrees=round(group.stack.tilt_degrees, 2),
        source_slices=len(group.slices),
    )


def exam_record(
    study: str,
    people: Sequence[Person],
    devices: Sequence[Device],
    shape: Shape,
    maker: str,
    pseudonyms: Pseudonyms,
    *,
    allow_free_text: bool,
    slices: int,
    flags: tuple[str, ...] = (),
) -> Exam:
    """The record of a study's series, of whose images ``people`` and ``devices`` are, in their order.

    ``slices`` are those of the volume, ``flags`` what was found in its values and its picture.
    """
    name = pseudonyms.of("e", study)
    model, software, kernel = _technical_text(people, devices, maker, pseudonyms, allow_free_text)
    institution = commonest(item.institution for item in devices)
    ages = [person.age for person in people if person.age is not None]
    sex = commonest(person.sex or "" for person in people)
    return Exam(
        exam=name,
        patient=pseudonyms.of("p", *identity(people[0], study)),
        image=f"images/{name}.nii.gz",
        manufacturer=maker,
        model=model,
        software=software,
        kernel=kernel,
        kernel_class=kernel_class(commonest(item.kernel for item in devices) or "", maker) or "",
        institution=pseudonyms.of("i", institution) if institution else "",
        age=min(ages) if ages else None,
        sex="F" if sex == "F" else "M" if sex == "M" else "O" if sex == "O" else None,
        kvp=_median(item.kvp for item in devices),
        exposure_mas=_median(item.exposure_mas for item in devices),
        thickness_mm=shape.thickness_mm,
        gaps_mm=shape.gaps_mm,
        pixel_mm=shape.pixel_mm,
        tilt_degrees=shape.tilt_degrees,
        source_slices=shape.source_slices,
        slices=slices,
        flags=(*flags, *_about_maker(devices, maker)),
    )


def _about_maker(devices: Sequence[Device], maker: str) -> tuple[str, ...]:
    model = maker_of_model(commonest(device.model for device in devices) or "")
    return () if model in (None, maker) else ("model-of-another-maker",)


def _technical_text(
    people: Sequence[Person], devices: Sequence[Device], maker: str, pseudonyms: Pseudonyms, allow: bool
) -> tuple[str, str, str]:
    """Model, software and kernel as they may leave: what is known, and a token for the rest."""
    secrets: set[str] = set()
    for person, device in dict.fromkeys(zip(people, devices, strict=True)):
        for text in (person.name, person.id, *device.names):
            secrets.update(re.findall(r"[^\W_]{2,}", text.casefold()))
    model, software, kernel = (
        clean(commonest(values) or "", maker, frozenset(secrets), token=pseudonyms.token, allow=allow)
        for clean, values in (
            (clean_model, [device.model for device in devices]),
            (clean_software, [device.software for device in devices]),
            (clean_kernel, [device.kernel for device in devices]),
        )
    )
    return model, software, kernel


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(statistics.median(known), 2) if known else None
