"""One study as a census sees it: by its headers, or by what its source tells of its series."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nameplate.campaign.ingest import IngestSettings
from nameplate.steps.ingest import Exam
from nameplate_ingest.choice.facts import Facts
from nameplate_ingest.choice.select import Verdict, apply_rules, rank
from nameplate_ingest.choice.witnesses import opinions_of_query
from nameplate_ingest.dicom import tags
from nameplate_ingest.dicom.slice import Device, accept_kind, device_of, person_of, year_of
from nameplate_ingest.dicom.statements import statements_of
from nameplate_ingest.dicom.values import number, positive
from nameplate_ingest.exam_record import Shape, exam_record, shape_of
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.fields.scanner import agreed, scanner_of
from nameplate_ingest.fields.table import with_fields
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.facts import SeriesFacts
from nameplate_ingest.sources.index import Study
from nameplate_ingest.sources.packed import unpack
from nameplate_ingest.study import judged_study

_USUAL_SIDE = 512
"""Rows and columns of a CT image where nothing says them."""
_PIXEL_BYTES = 2
_IN_WORDS = ("body-part", "contrast", "description", "image-type", "modality")
NOT_TOLD = "not-told"
"""Of a study of whose series the source tells nothing."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is expected of one study."""

    exam: Exam | None
    """Its record as far as it is known without pixels; None if no series is left."""
    year: int
    """Of the study; 0 if it is not known."""
    refused: tuple[str, ...]
    """Why each series that would not be used is not, but for those that a better one of their study outranks:
    a rule, and of rules on words and kinds what was seen."""
    size: int
    """Bytes to fetch."""


def by_headers(study: Study, settings: IngestSettings, pseudonyms: Pseudonyms) -> Surveyed:
    """By the headers of its images: the ingest's own choice, as far as it goes without pixels."""
    slices = unpack(study.pieces)
    judged, copies = judged_study(slices, settings.rules, study.listed)
    usable = [one for one in judged if not one.verdict.rule]
    exam = None
    for place, _ in rank([one.facts for one in usable if one.facts], settings.rules):
        one = usable[place]
        if exam is not None:
            break  # the others are outranked
        assert one.facts is not None
        exam = exam_record(
            one.group.slices[0].study,
            [slice_.person for slice_ in one.group.slices],
            [slice_.device for slice_ in one.group.slices],
            shape_of(one.group, one.facts),
            one.maker,
            pseudonyms,
            allow_free_text=settings.allow_free_text,
            slices=len(one.group.slices),
        )
    year = min((slice_.year for slice_ in slices if slice_.year), default=0)
    refused = (*(reason_of(one.verdict) for one in judged if one.verdict.rule), *(one.rule for one in copies))
    return Surveyed(with_fields(exam, study.told), year, refused, study.size)


def by_facts(
    uid: str, study: Study, series: Sequence[SeriesFacts], settings: IngestSettings, pseudonyms: Pseudonyms
) -> Surveyed:
    """By what its source tells of its series: words, machine and counts, but no place of an image.

    So a series that its geometry will refuse may count as usable here.
    """
    ordered = sorted(series, key=lambda one: one.series)
    seen = [_series_of(one, study, settings) for one in ordered]
    usable = [one for one in seen if not one.verdict.rule]
    best = next(iter(rank([one.facts for one in usable], settings.rules)), None)
    exam = None if best is None else _exam(uid, usable[best[0]], settings, pseudonyms)
    year = min((year for one in ordered if (year := year_of(one.raw()))), default=0)
    refused = tuple(reason_of(one.verdict) for one in seen if one.verdict.rule)
    size = study.size or sum(map(_bytes, ordered))
    return Surveyed(with_fields(exam, study.told), year, refused if seen else (NOT_TOLD,), size)


def reason_of(verdict: Verdict) -> str:
    """A rule, with what it saw where that is of a fixed vocabulary and no measure."""
    return f"{verdict.rule}: {verdict.seen}" if verdict.rule in _IN_WORDS and verdict.seen else verdict.rule


@dataclass(frozen=True, slots=True)
class _Series:
    told: SeriesFacts
    device: Device
    facts: Facts
    verdict: Verdict
    maker: str


def _series_of(told: SeriesFacts, study: Study, settings: IngestSettings) -> _Series:
    raw, rules = told.raw(), settings.rules
    device, thickness = device_of(raw), positive(number(raw.get(tags.THICKNESS)))
    facts = Facts(
        uid=told.series,
        says=(statements_of(raw),),
        kernel=device.kernel,
        slices=rules.slices if told.instances is None else told.instances,
        thickness_mm=thickness or 0.0,
        thickest_mm=thickness or 0.0,
        # What only the places of images tell counts as what the rules want.
        coverage_mm=rules.coverage_mm,
        field_mm=rules.field_mm[0],
        wide_mm=rules.field_mm[0],
        axial_degrees=0.0,
        widest_gap_mm=0.0,
        growth=1.0,
        duplicates=0,
        stray_gaps=0,
        hole=None,
    )
    maker, unknown = agreed(
        (scanner_of(device.manufacturer, model=device.model, uids=(told.series,), software=device.software),),
        study.listed,
    )
    verdict = _kind(raw)
    if not verdict.rule:
        verdict = apply_rules(facts, opinions_of_query(facts, rules), rules)
    if not verdict.rule and unknown:
        verdict = Verdict("manufacturer", unknown)
    return _Series(told, device, facts, verdict, maker)


def _kind(raw: dict[int, bytes]) -> Verdict:
    """Whether it is of a kind of image that is never used."""
    try:
        accept_kind({tags.MODALITY: b"CT", tags.PHOTOMETRIC: b"MONOCHROME2", **raw}, little=True, frames=1)
    except Refused as refused:
        return Verdict(refused.rule, refused.seen)
    return Verdict("", "")


def _exam(uid: str, one: _Series, settings: IngestSettings, pseudonyms: Pseudonyms) -> Exam:
    shape = Shape(
        thickness_mm=one.facts.thickness_mm or math.nan,
        gaps_mm=(),
        pixel_mm=math.nan,
        tilt_degrees=math.nan,
        source_slices=one.told.instances or 0,
    )
    return exam_record(
        uid,
        [person_of(one.told.raw())],
        [one.device],
        shape,
        one.maker,
        pseudonyms,
        allow_free_text=settings.allow_free_text,
        slices=one.told.instances or 0,
    )


def _bytes(told: SeriesFacts) -> int:
    """Of a series, by its images if its source does not say: their values alone, not compressed."""
    if told.size is not None:
        return told.size
    rows, columns = (told.number(name) or _USUAL_SIDE for name in ("Rows", "Columns"))
    return (told.instances or 0) * rows * columns * _PIXEL_BYTES
