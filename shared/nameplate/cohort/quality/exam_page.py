"""The page of a cohort's exams: a picture of each, those to look at first before the others."""

from collections.abc import Sequence
from html import escape

from nameplate.cohort.quality.card import ExamCard, Shown, median_of, shown_of
from nameplate.cohort.quality.markup import counted, flags, image, page, paragraph, table

IMAGES = "images"
"""Folder of the pictures beside the page."""
_HOW_TO_READ = (
    "Each picture has slices at a quarter, half and three quarters of the brain's height (R: the patient's "
    "right) and a cut through the middle (A: front), from 0 to 80 HU. The line is the mask's outline, the "
    "bar is 50 mm; what is farther than 8 mm from the mask is blank."
)


def exam_page(title: str, cards: Sequence[ExamCard], header: str) -> bytes:
    """The page; ``header`` is markup to put under the title. Pictures are in ``IMAGES``/<exam>.png."""
    shown = shown_of(cards)
    first = [one for one in shown if one.first]
    parts = [paragraph(_summary(shown)), header, paragraph(_HOW_TO_READ, "note"), _overview(shown)]
    sections = [("To look at first", first)] if first else []
    for maker in sorted({one.card.exam.manufacturer for one in shown}):
        others = [one for one in shown if not one.first and one.card.exam.manufacturer == maker]
        sections += [(maker, others)] if others else []
    body = "".join(
        f'<section><h2>{escape(name)} ({len(members)})</h2>\n<div class="cards">\n'
        + "".join(_figure(one) for one in members)
        + "</div></section>\n"
        for name, members in sections
    )
    return page(title, "".join(parts), body)


def _summary(shown: Sequence[Shown]) -> str:
    flagged = sum(bool(one.card.flags) for one in shown)
    unusable = sum(not one.card.usable for one in shown)
    outliers = sum(bool(one.outlying) for one in shown)
    return (
        f"{counted(len(shown), 'exam')}: {unusable} not used, {flagged} with flags, "
        f"{outliers} with measures that are unusual for their manufacturer."
    )


def _overview(shown: Sequence[Shown]) -> str:
    """Medians by manufacturer: a shift of all its exams is no outlier, but shows here."""
    rows = []
    for maker in sorted({one.card.exam.manufacturer for one in shown}):
        members = [one for one in shown if one.card.exam.manufacturer == maker]
        cards = [one.card for one in members]
        rows.append(
            (
                maker,
                str(len(cards)),
                _number(median_of([card.volume_ml for card in cards]), 0),
                _number(median_of([card.brain_hu for card in cards]), 1),
                _number(median_of([card.exam.thickness_mm for card in cards]), 2),
                _number(median_of([card.exam.pixel_mm for card in cards]), 2),
                str(sum(bool(card.flags) for card in cards)),
                str(sum(bool(one.outlying) for one in members)),
            )
        )
    heads = ("Manufacturer", "Exams", "Volume, ml", "Brain, HU", "Thickness, mm", "Pixel, mm")
    spans = (("", 2), ("Median", 4), ("Exams with", 2))
    return table((*heads, "flags", "outliers"), rows, spans=spans)


def _figure(one: Shown) -> str:
    card, exam = one.card, one.card.exam
    numbers = [f"{exam.thickness_mm:g} mm", counted(exam.slices, "slice")]
    if card.volume_ml is not None:
        numbers.append(f"{card.volume_ml:.0f} ml")
    if card.brain_hu is not None:
        numbers.append(f"{card.brain_hu:.0f} HU")
    words = (*(() if card.usable else ("not used",)), *card.flags, *one.outlying)
    device = " · ".join(escape(part) for part in (exam.model, exam.kernel) if part)
    shown = (
        '<div class="none">no picture</div>'
        if card.picture is None
        else image(f"{IMAGES}/{exam.exam}.png", card.picture, "Three slices of the brain and a sagittal cut")
    )
    return (
        f'<figure class="card{" first" if one.first else ""}" id="{escape(exam.exam)}">{shown}<figcaption>'
        f"<b>{escape(exam.manufacturer)}</b> {device}<br>{' · '.join(numbers)} "
        f"<code>{escape(exam.exam)}</code>"
        f"{'<br>' + flags(words) if words else ''}</figcaption></figure>\n"
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
