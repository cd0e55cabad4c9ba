"""A simulated cohort: many studies in one folder, simulated in parallel."""

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.errors import UserError
from nameplate_phantom.scanner import catalogue
from nameplate_phantom.study import StudyTruth, simulate_study

MARKER = ".nameplate-phantom"
"""Marks a folder as made by this service; it must not touch any other."""


def claim(out: Path) -> None:
    """Mark the output folder as ours; raises UserError for a file or a folder with other content."""
    if out.exists() and not out.is_dir():
        raise UserError(f"{out}: not a folder")
    if out.is_dir() and not (out / MARKER).is_file() and any(out.iterdir()):
        raise UserError(f"{out}: not empty, and not made by nameplate phantom; choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    (out / MARKER).write_text("simulated DICOM studies; no real patients\n", encoding="utf-8")


def _one(number: int, *, settings: PhantomSettings, seed: int, cohort: str, out: Path) -> StudyTruth:
    return simulate_study(settings, seed=seed, cohort=cohort, number=number, out=out)


def write_cohort(
    settings: PhantomSettings,
    *,
    seed: int,
    cohort: str,
    out: Path,
    numbers: Iterable[int] | None = None,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[StudyTruth]:
    """Simulate studies (all of ``settings.exams``, or these ``numbers``) into ``out``.

    The bytes do not depend on ``workers``. ``progress`` gets (done, all). Returns the truth in the
    order of the numbers. Raises UserError for a manufacturer without a simulated scanner.
    """
    chosen = list(range(settings.exams)) if numbers is None else list(numbers)
    for manufacturer in settings.manufacturers:
        catalogue().check(manufacturer)
    out.mkdir(parents=True, exist_ok=True)
    job = partial(_one, settings=settings, seed=seed, cohort=cohort, out=out)
    truths: list[StudyTruth] = []
    if workers <= 1 or len(chosen) <= 1:
        for truth in map(job, chosen):
            truths.append(truth)
            if progress:
                progress(len(truths), len(chosen))
        return truths
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(chosen)), mp_context=context) as pool:
        for truth in pool.map(job, chosen, chunksize=4 if len(chosen) >= 32 else 1):
            truths.append(truth)
            if progress:
                progress(len(truths), len(chosen))
    return truths
