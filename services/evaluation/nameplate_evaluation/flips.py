"""Answers that flip between twins: the same head and lesion, another machine, another answer."""

from dataclasses import dataclass

import numpy as np

from nameplate.stats.influence import mean_merit
from nameplate.stats.threshold import THRESHOLD
from nameplate.steps.cohort import are_twins
from nameplate_evaluation.analysis import Analysis, CellFigures, ResultGrid
from nameplate_evaluation.measure import Estimate, Measured, combine


@dataclass(frozen=True, kw_only=True)
class Flips:
    """Share of test heads whose answer depends on the machine, over the training sets named."""

    dataset: str
    training_set: str
    """One training set, or empty for the mean over those of a single level."""
    share: Estimate


def flips_of(analysis: Analysis, grid: ResultGrid) -> tuple[Flips, ...]:
    """By task: the mean over single-level training sets, then each training set; empty without twins."""
    if not are_twins(analysis.campaign, grid.cohort):
        return ()
    singles = analysis.own_arms(grid).values()
    found = []
    for dataset in analysis.campaign.datasets_of(grid.experiment):
        cells = [c for c in grid.cells if c.dataset == dataset and c.group == 0]
        measured = {c.training_set: m for c in cells if (m := _measured(c))}
        if singles and all(name in measured for name in singles):
            parts = [(1 / len(singles), measured[name]) for name in singles]
            share = combine(parts, analysis.confidence)
            found.append(Flips(dataset=dataset, training_set="", share=share))
        found += [
            Flips(dataset=dataset, training_set=name, share=one.estimate(analysis.confidence))
            for name, one in measured.items()
        ]
    return tuple(found)


def _measured(figures: CellFigures) -> Measured | None:
    """Whether the answers of each head's exams differ, for every run."""
    scores = figures.test
    if scores is None:
        return None
    places: dict[str, list[int]] = {}
    for place, patient in enumerate(scores.patients):
        places.setdefault(patient, []).append(place)
    sets = {patient: of for patient, of in places.items() if len({scores.levels[p] for p in of}) > 1}
    if not sets:
        return None
    answers = scores.values >= THRESHOLD
    flips = np.stack([np.ptp(answers[:, of].astype(np.int8), axis=1) for of in sets.values()], axis=1)
    merit = mean_merit(flips.astype(np.float64))
    assert merit is not None
    # One number a head; every exam of the head is counted among the exams it rests on.
    return Measured(
        cell=figures.cell.name,
        merit=merit,
        exams=tuple(sorted(scores.exams[p] for of in sets.values() for p in of)),
        patients=tuple(sets),
    )
