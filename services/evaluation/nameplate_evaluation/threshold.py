"""Thresholds chosen on one level's validation exams and carried to another's test exams.

A gap in accuracy may be a matter of the threshold alone: the network ranks the exams of the other level as
well, and only cuts them at the wrong place. That part comes back with a threshold of the level's own.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.analysis import Analysis, CellFigures, ResultGrid
from nameplate_evaluation.measure import Estimate, Measured, combine, measure
from nameplate_evaluation.scores import Scores


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """Networks trained on one level: accuracy there and on another level, by whose threshold is used."""

    dataset: str
    trained: str
    """Level that was trained on; its validation exams give the threshold that is carried."""
    tested: str
    own: Estimate
    """Accuracy on the own level's test exams."""
    carried: Estimate
    """Accuracy on the other level's test exams at the carried threshold."""
    lost: Estimate
    """Own minus carried."""
    returned: Estimate
    """What comes back with a threshold chosen on the other level's validation exams."""


def thresholds_at(scores: Scores, specificity: float) -> NDArray[np.float64] | None:
    """The lowest threshold of each run, (runs,), that keeps this share of the negatives below it.

    None without negatives. It is half-way to the next higher score of a negative, or to 1; equal scores
    cannot be parted, and of negatives that all score 1 none is called positive.
    """
    negatives = np.sort(scores.values[:, ~scores.labels], axis=1)
    count = negatives.shape[1]
    if count == 0:
        return None
    last = negatives[:, last_below(count, specificity)]
    above = np.where(negatives > last[:, None], negatives, 1.0).min(axis=1)
    return np.asarray(np.maximum((last + above) / 2, np.nextafter(last, np.inf)), dtype=np.float64)


def last_below(count: int, specificity: float) -> int:
    """The place, in ascending order of their scores, of the last negative that a threshold keeps below it."""
    # Rounded first: 0.9 x 10 is 9 and not 10.
    return max(1, math.ceil(round(specificity * count, 9))) - 1


def transfers_of(analysis: Analysis, grid: ResultGrid) -> tuple[Transfer, ...]:
    """Every single-level training set of a grid against every other level, in the grid's order."""
    arms = {arm: level for level, arm in analysis.own_arms(grid).items()}
    found = []
    for figures in grid.cells:
        trained = arms.get(figures.training_set)
        if trained is None or figures.group:
            continue
        own = _accuracy(analysis, figures, tested=trained, chosen_on=trained)
        for tested in analysis.levels:
            carried = _accuracy(analysis, figures, tested=tested, chosen_on=trained)
            again = _accuracy(analysis, figures, tested=tested, chosen_on=tested)
            if tested == trained or own is None or carried is None or again is None:
                continue
            confidence = analysis.confidence
            found.append(
                Transfer(
                    dataset=figures.dataset,
                    trained=trained,
                    tested=tested,
                    own=own.estimate(confidence),
                    carried=carried.estimate(confidence),
                    lost=combine([(1.0, own), (-1.0, carried)], confidence),
                    returned=combine([(1.0, again), (-1.0, carried)], confidence),
                )
            )
    return tuple(found)


def _accuracy(analysis: Analysis, figures: CellFigures, *, tested: str, chosen_on: str) -> Measured | None:
    val = figures.val and figures.val.of_levels({chosen_on})
    test = figures.test and figures.test.of_levels({tested})
    if val is None or test is None:
        return None
    limits = thresholds_at(val, analysis.campaign.analysis.specificity)
    return None if limits is None else measure(figures.cell.name, "accuracy", test, limits)
