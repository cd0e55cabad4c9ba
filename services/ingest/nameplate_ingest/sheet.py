"""Pages with a picture of every exam and of what was refused, beside the images of an ingest."""

import shutil
from collections.abc import Callable, Mapping
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
from nameplate_ingest.choice.picture import look
from nameplate_ingest.results.output import Output

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
    the number of exams done and of all. Raises UserError if ``out`` is not the folder of a finished ingest or
    may not be written, TryAgain when the disk is full.
    """
    exams, ledger = _read(out)
    cards = []
    for number, exam in enumerate(exams):
        cards.append(_card(exam, read_nifti(out / exam.image), brain))
        if progress:
            progress(number + 1, len(exams))
    pictures = {path.stem: path.read_bytes() for path in sorted((out / REFUSED).glob("s*.png"))}
    _replace(out, quality_pages("ingest", cards, ledger, pictures))
    return out / SHEET / INDEX


def _replace(out: Path, files: Mapping[str, bytes]) -> None:
    """Write the files to out/sheet instead of what was there, all or none."""
    sheet, part = out / SHEET, out / f".{SHEET}.part"
    try:
        with Output(out).writing():
            shutil.rmtree(part, ignore_errors=True)
            for name, data in files.items():
                path = part / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            if sheet.exists():
                shutil.rmtree(sheet)
            part.rename(sheet)
    finally:
        shutil.rmtree(part, ignore_errors=True)


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
