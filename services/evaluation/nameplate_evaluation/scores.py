"""The predictions of a cell's kept runs as arrays."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.errors import StoreError
from nameplate.records import Split
from nameplate.steps.training import Prediction
from nameplate_evaluation.results import CellResult


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Scores of kept runs on the exams of one split; exams are in alphabetical order."""

    seeds: tuple[int, ...]
    exams: tuple[str, ...]
    patients: tuple[str, ...]
    levels: tuple[str, ...]
    """Level of the factor of each exam."""
    labels: NDArray[np.bool_]
    """(exams,)"""
    values: NDArray[np.float64]
    """(runs, exams): probability of the positive class, or Dice."""
    difficulties: tuple[str | None, ...]
    """Difficulty of each exam's sphere; None without a sphere."""
    radii_mm: NDArray[np.float64]
    """(exams,): radius of each exam's sphere; NaN without a sphere."""

    def where(self, chosen: NDArray[np.bool_]) -> "Scores | None":
        """The chosen exams, (exams,); None when there are none."""
        if not chosen.any():
            return None
        places = np.flatnonzero(chosen)
        return Scores(
            seeds=self.seeds,
            exams=tuple(self.exams[p] for p in places),
            patients=tuple(self.patients[p] for p in places),
            levels=tuple(self.levels[p] for p in places),
            labels=self.labels[places],
            values=self.values[:, places],
            difficulties=tuple(self.difficulties[p] for p in places),
            radii_mm=self.radii_mm[places],
        )

    def of_levels(self, levels: Collection[str]) -> "Scores | None":
        """The exams of these levels of the factor; None when there are none."""
        return self.where(np.array([level in levels for level in self.levels]))


def _known(row: Prediction) -> tuple[str, str, int]:
    """What is the same whichever run has predicted."""
    return row.patient, row.level, row.label


def scores_of(cell: CellResult, split: Split) -> Scores | None:
    """The kept runs' scores on one split, best run first; None when no run was kept or has predicted.

    Kept runs without predictions are left out. Raises StoreError when the runs of a cell predicted
    different exams, disagree on one, or predicted one exam twice, or something that is no number.
    """
    rows: dict[int, dict[str, Prediction]] = {}
    for seed in cell.selection.kept:
        predicted = [row for row in cell.predictions.get(seed, ()) if row.split == split]
        if predicted:
            rows[seed] = {row.exam: row for row in predicted}
            if len(rows[seed]) != len(predicted):
                ((twice, _),) = Counter(row.exam for row in predicted).most_common(1)
                raise StoreError(f"cell {cell.name}, seed {seed}: exam {twice} is predicted twice")
    if not rows:
        return None
    seeds = tuple(rows)
    first = rows[seeds[0]]
    exams = tuple(sorted(first))
    for seed in seeds[1:]:
        where = f"cell {cell.name}: seeds {seeds[0]} and {seed}"
        if other := rows[seed].keys() ^ first.keys():
            raise StoreError(f"{where} have predicted different exams: one of them lacks {min(other)}")
        if other := {exam for exam in exams if _known(rows[seed][exam]) != _known(first[exam])}:
            raise StoreError(f"{where} disagree on the patient, level or label of exam {min(other)}")
    values = np.array([[rows[seed][exam].score for exam in exams] for seed in seeds])
    if not np.isfinite(values).all():
        run, exam = np.argwhere(~np.isfinite(values))[0]
        raise StoreError(f"cell {cell.name}, seed {seeds[run]}: the score of exam {exams[exam]} is no number")
    return Scores(
        seeds=seeds,
        exams=exams,
        patients=tuple(first[exam].patient for exam in exams),
        levels=tuple(first[exam].level for exam in exams),
        labels=np.array([first[exam].label == 1 for exam in exams]),
        values=values,
        difficulties=tuple(first[exam].difficulty for exam in exams),
        radii_mm=np.array([first[exam].radius_mm for exam in exams], dtype=np.float64),
    )
