"""Cards: a page of a cohort's scanners, what each leaves in the picture, and all numbers as CSV."""

from collections.abc import Mapping, Sequence

from nameplate.image.fingerprint.catalogue import STAGES, Stage
from nameplate.image.fingerprint.measure import MEASURES, PICTURE_MEASURES
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.fingerprint.card_page import card_page
from nameplate_evaluation.fingerprint.scanner import scanners_of
from nameplate_evaluation.table import Column, Table, Value, csv_bytes

FOLDER, PAGE = "fingerprint", "cards.html"


def cards_of(
    cohort: str,
    exams: Sequence[Exam],
    measured: Sequence[MeasuredExam],
    levels: Mapping[str, str] | None = None,
) -> dict[str, bytes]:
    """Files of the report by name: ``fingerprint/<cohort>/cards.html`` and ``measures.csv``, and
    ``fingerprint/measures.csv``, which explains the measures and is the same for every cohort.

    The page shows what was measured in the scanner's own pixels, or in the resampled volumes if nothing
    was: at later stages it is no longer the scanner's picture.
    ``levels`` are the levels of the factor by exam, for a column of the table. No files for a cohort
    without exams or without anything measured. The same input in any order gives the same bytes.
    """
    known = {exam.exam for exam in exams}
    rows = sorted(
        (row for row in measured if row.exam in known), key=lambda row: (row.exam, _place(row.stage))
    )
    if not rows:
        return {}
    here = {row.stage for row in rows}
    stage: Stage = "as read" if "as read" in here else "nifti"
    scanners = scanners_of(exams, rows, stage)
    folder = f"{FOLDER}/{cohort}"
    return {
        f"{folder}/{PAGE}": card_page(cohort, scanners, stage),
        f"{folder}/measures.csv": csv_bytes(_numbers(exams, rows, levels)),
        f"{FOLDER}/measures.csv": csv_bytes(_catalogue()),
    }


def study_with_cards(analysis: Analysis) -> tuple[str, ...]:
    """Names of the study cohorts that have something measured, and so a page."""
    return tuple(
        cohort.name
        for cohort in analysis.results.cohorts
        if analysis.role(cohort.name) == "study" and cohort.exams and cohort.measured
    )


def cards_of_study(analysis: Analysis) -> dict[str, bytes]:
    """The files of every study cohort."""
    files: dict[str, bytes] = {}
    named = study_with_cards(analysis)
    for cohort in analysis.results.cohorts:
        if cohort.name in named:
            levels = {exam.exam: analysis.campaign.factor.level_of(exam) or "" for exam in cohort.exams}
            files |= cards_of(cohort.name, cohort.exams, cohort.measured, levels)
    return files


def card_link(cohort: str) -> tuple[str, str]:
    """Address and text of the cohort's page, for the report."""
    return f"{FOLDER}/{cohort}/{PAGE}", f"the scanners of {cohort}, one by one"


def _place(stage: Stage) -> int:
    return STAGES.index(stage)


def _numbers(exams: Sequence[Exam], rows: Sequence[MeasuredExam], levels: Mapping[str, str] | None) -> Table:
    """A row an exam and stage."""
    by_name = {exam.exam: exam for exam in exams}
    columns = [Column("exam", "exam"), Column("stage", "stage")]
    if levels is not None:
        columns.append(Column("level", "level"))
    columns += [Column(name, name) for name in ("manufacturer", "model", "kernel")]
    columns += [Column(measure.name, measure.title, "number") for measure in PICTURE_MEASURES]
    lines: list[tuple[Value, ...]] = []
    for row in rows:
        exam = by_name[row.exam]
        level = () if levels is None else (levels.get(row.exam, ""),)
        texts = (row.exam, row.stage, *level, exam.manufacturer, exam.model, exam.kernel)
        lines.append((*texts, *(row.numbers.get(measure.name) for measure in PICTURE_MEASURES)))
    return Table("measures", "Measures of every exam", tuple(columns), tuple(lines))


def _catalogue() -> Table:
    """What each measure is."""
    keys = ("measure", "group", "unit", "title", "formula", "version")
    return Table(
        "measures",
        "The measures",
        tuple(Column(key, key) for key in keys),
        tuple((one.name, one.group, one.unit, one.title, one.formula, str(one.version)) for one in MEASURES),
    )
