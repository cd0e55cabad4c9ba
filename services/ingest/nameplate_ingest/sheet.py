"""Pages with a picture of every exam and of what was refused, beside the images of an ingest."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nameplate.cohort.quality.card import ExamCard
from nameplate.cohort.quality.pages import INDEX, quality_pages
from nameplate.errors import UserError
from nameplate.image.thumbnail import exam_picture
from nameplate.image.volume import Volume, read_nifti
from nameplate.records import from_jsonl
from nameplate.steps.ingest import Exam, LedgerRow
from nameplate.whole import user_may_write, write_whole
from nameplate_ingest.picture import look

SHEET, REFUSED = "sheet", "refused"
"""Folders in the output: the pages, and the pictures of refused series as <id of the ledger's row>.png."""


@dataclass(frozen=True, slots=True, eq=False)
class RoughBrain:
    """A rough mask of the brain and what it measures."""

    mask: Volume
    volume_ml: float
    median_hu: float


def rough_brain(volume: Volume) -> RoughBrain:
    """The brain as a quick look finds it, in cells of some millimetres."""
    seen = look(volume)
    return RoughBrain(volume.with_array(seen.mask().astype(np.uint8)), seen.brain_ml, seen.brain_hu)


def write_sheet(
    out: Path,
    *,
    brain: Callable[[Volume], RoughBrain] = rough_brain,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the pages on the ingest in ``out`` to out/sheet, which is replaced whole; return its first page.

    Reads out/exams.jsonl, out/ledger.jsonl, out/images and, if it is there, out/refused. ``progress`` gets
    the number of exams done and of all. Raises UserError if ``out`` is not the folder of a finished ingest.
    """
    exams, ledger = _read(out)
    cards = []
    for number, exam in enumerate(exams):
        cards.append(_card(exam, read_nifti(out / exam.image), brain))
        if progress:
            progress(number + 1, len(exams))
    pictures = {path.stem: path.read_bytes() for path in sorted((out / REFUSED).glob("s*.png"))}
    pages = quality_pages("ingest", cards, ledger, pictures)
    sheet = out / SHEET
    with user_may_write(sheet):
        if sheet.exists():
            shutil.rmtree(sheet)
    write_whole(sheet, pages)
    return sheet / INDEX


def _read(out: Path) -> tuple[list[Exam], list[LedgerRow]]:
    try:
        exams, ledger = (out / "exams.jsonl").read_bytes(), (out / "ledger.jsonl").read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{out}: no finished ingest here") from error
    return from_jsonl(Exam, exams), from_jsonl(LedgerRow, ledger)


def _card(exam: Exam, volume: Volume, brain: Callable[[Volume], RoughBrain]) -> ExamCard:
    found = brain(volume)
    empty = not found.mask.array.any()
    return ExamCard(
        exam=exam,
        volume_ml=found.volume_ml,
        brain_hu=None if empty else found.median_hu,
        flags=exam.flags,
        picture=exam_picture(volume, found.mask),
    )
