"""Measured exams as tables: one row an exam and stage, and the medians of every scanner."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nameplate.image.fingerprint.catalogue import STAGES, Stage
from nameplate.image.fingerprint.measure import PICTURE_MEASURES
from nameplate.records import csv_cell, csv_text
from nameplate.service.columns import aligned
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam, rounded

NAMES = tuple(measure.name for measure in PICTURE_MEASURES)
SHOWN = (
    ("noise_sd", "noise"),
    ("noise_peak", "peak"),
    ("mtf50", "MTF50"),
    ("hu_csf", "CSF"),
    ("hu_grey", "grey"),
    ("hu_white", "white"),
    ("cupping_hu", "cupping"),
    ("field_mm", "field"),
)
"""What is printed, with its heading."""
UNITS = "noise, tissue and cupping in HU, peak and MTF50 in cycles/mm, field in mm"


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner as far as headers tell it apart, and the medians of its exams at one stage."""

    manufacturer: str
    model: str
    kernel: str
    stage: Stage
    exams: int
    medians: dict[str, float | None]
    """By name of the measure, over the exams that have the number; None if none has."""


def scanners_of(rows: Iterable[MeasuredExam], exams: Iterable[Exam]) -> list[Scanner]:
    """The scanners of the exams that were measured, each at every stage, by name and in stage order."""
    known = {exam.exam: exam for exam in exams}
    groups: dict[tuple[str, str, str, int], list[MeasuredExam]] = defaultdict(list)
    for row in rows:
        if exam := known.get(row.exam):
            key = exam.manufacturer, exam.model, exam.kernel, STAGES.index(row.stage)
            groups[key].append(row)
    return [
        Scanner(manufacturer, model, kernel, STAGES[stage], len(members), _medians(members))
        for (manufacturer, model, kernel, stage), members in sorted(groups.items())
    ]


def _medians(rows: Sequence[MeasuredExam]) -> dict[str, float | None]:
    medians: dict[str, float | None] = {}
    for name in NAMES:
        numbers = [number for row in rows if (number := row.numbers.get(name)) is not None]
        medians[name] = rounded(statistics.median(numbers)) if numbers else None
    return medians


def measures_csv(rows: Iterable[MeasuredExam]) -> str:
    """A row an exam and stage; an empty field where there is no number."""
    body = (
        [csv_cell(row.exam), row.stage, *(_text(row.numbers.get(name)) for name in NAMES)] for row in rows
    )
    return csv_text([["exam", "stage", *NAMES], *body])


def scanners_csv(scanners: Iterable[Scanner]) -> str:
    """A row a scanner and stage."""
    body = (
        [
            *(csv_cell(text) for text in (one.manufacturer, one.model, one.kernel)),
            *(one.stage, str(one.exams)),
            *(_text(one.medians[name]) for name in NAMES),
        ]
        for one in scanners
    )
    return csv_text([["manufacturer", "model", "kernel", "stage", "exams", *NAMES], *body])


def _text(number: float | None) -> str:
    return "" if number is None else f"{number:g}"


def exam_lines(rows: Iterable[MeasuredExam], stage: Stage) -> list[str]:
    """The exams at one stage, to be read on a terminal."""
    table = [["exam", *(heading for _, heading in SHOWN)]]
    table += [[row.exam, *_shown(row.numbers)] for row in rows if row.stage == stage]
    return aligned(table, 1)


def scanner_lines(scanners: Iterable[Scanner], stage: Stage) -> list[str]:
    """The scanners at one stage, to be read on a terminal."""
    table = [["manufacturer", "model", "kernel", "exams", *(heading for _, heading in SHOWN)]]
    table += [
        [one.manufacturer, one.model, one.kernel, str(one.exams), *_shown(one.medians)]
        for one in scanners
        if one.stage == stage
    ]
    return aligned(table, 3)


def _shown(numbers: dict[str, float | None]) -> list[str]:
    return ["-" if (number := numbers.get(name)) is None else f"{number:.3g}" for name, _ in SHOWN]
