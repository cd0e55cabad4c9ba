"""How well the trained networks' last features name the level of the factor.

Of networks that look for spheres, positive and negative exams are also probed apart. Last features are made
to tell spheres from none, so most of what varies in them is the answer; within a class that is out of the
way. A patient's exams may be of both classes, so one permutation serves both, as it does all runs and cells:
averages of null values are then as wide as those of what is observed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.tasks import TaskName
from nameplate.image.fingerprint.slices import Missing
from nameplate.steps.training import Prediction
from nameplate_evaluation.analysis import Analysis, CellFigures
from nameplate_evaluation.fingerprint.draws import Labels, Permuted, Subject, permuted
from nameplate_evaluation.fingerprint.features import NONE_KNOWN, NOT_KEPT, Features
from nameplate_evaluation.fingerprint.probe import Probe, probe_features

_CLASSES = (1, 0)
"""Labels of positives and of negatives."""
_Runs = list[tuple[Features, tuple[Prediction, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class RunsProbe:
    """The probes of several runs' features."""

    aurocs: NDArray[np.float64]
    """(runs,)"""
    balanced_accuracies: NDArray[np.float64]
    null: NDArray[np.float64]
    """(draws,): the mean AUROC over the runs, for the same permuted labels in each."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CellProbe:
    """The features of one cell's kept runs."""

    experiment: str
    """Its title."""
    dataset: str
    training_set: str
    group: int
    exams: int
    """Test exams that were probed."""
    overall: RunsProbe | Missing
    within: RunsProbe | Missing | None
    """The mean of positives and negatives, each probed apart; None where exams have no classes."""


def network_probes(analysis: Analysis, cohort: str, draws: int) -> tuple[CellProbe, ...]:
    """One per cell of the cohort with kept runs."""
    found = [
        (grid.experiment, figures, _runs(figures))
        for grid in analysis.grids
        if grid.cohort == cohort
        for figures in grid.cells
        if figures.cell.selection.kept
    ]
    every = [row for _, _, runs in found for _, rows in runs for row in rows]
    overall = _draws(analysis, cohort, every, (), draws)
    within: dict[TaskName, Permuted | Missing] = {}
    for task in {one.task: None for one, _, _ in found if one.what.is_judged}:
        answers = [row for one, _, runs in found if one.task == task for _, rows in runs for row in rows]
        classes = [{row.exam for row in answers if row.label == label} for label in _CLASSES]
        within[task] = _draws(analysis, cohort, every, classes, draws)
    return tuple(
        CellProbe(
            experiment=experiment.title,
            dataset=figures.dataset,
            training_set=figures.training_set,
            group=figures.group,
            exams=len(runs[0][1]) if runs else 0,
            overall=_of_runs(runs, overall),
            within=_within(runs, within[experiment.task]) if experiment.task in within else None,
        )
        for experiment, figures, runs in found
    )


def pooled(parts: list[RunsProbe]) -> RunsProbe:
    """Several cells' runs as one; the mean is over all runs alike. The cells have the same draws."""
    runs = [len(part.aurocs) for part in parts]
    return RunsProbe(
        np.concatenate([part.aurocs for part in parts]),
        np.concatenate([part.balanced_accuracies for part in parts]),
        np.average([part.null for part in parts], axis=0, weights=runs),
    )


def _draws(
    analysis: Analysis,
    cohort: str,
    rows: Sequence[Prediction],
    parts: Sequence[Collection[str]],
    draws: int,
) -> Permuted | Missing:
    """One permutation for all cells: their null values are averaged, draw by draw."""
    subjects = sorted({(row.exam, row.patient, row.level) for row in rows})
    names = ("fingerprint", cohort, "networks", "all")
    return permuted(
        [Subject(*one) for one in subjects],
        analysis.levels,
        analysis.campaign.seed,
        names,
        draws,
        parts=parts,
    )


def _runs(figures: CellFigures) -> _Runs:
    """The kept runs of a cell whose features are there, each with its rows of the test exams."""
    cell = figures.cell
    runs = []
    for seed in cell.selection.kept:
        found = cell.features.get(seed)
        rows = tuple(row for row in cell.predictions.get(seed, ()) if row.split == "test")
        if found is not None and {row.exam for row in rows} <= set(found.exams) and rows:
            runs.append((found, rows))
    return runs


def _within(runs: _Runs, draws: Permuted | Missing) -> RunsProbe | Missing:
    """The mean of the classes, in what is observed and in every draw."""
    parts = []
    for label in _CLASSES:
        of_class = [(found, tuple(row for row in rows if row.label == label)) for found, rows in runs]
        part = _of_runs(of_class, draws)
        if isinstance(part, Missing):
            return part
        parts.append(part)
    return RunsProbe(
        np.mean([part.aurocs for part in parts], axis=0),
        np.mean([part.balanced_accuracies for part in parts], axis=0),
        np.mean([part.null for part in parts], axis=0),
    )


def _of_runs(runs: _Runs, draws: Permuted | Missing) -> RunsProbe | Missing:
    if not runs:
        return NOT_KEPT
    if not all(found.values.shape[1] for found, _ in runs):
        return NONE_KNOWN
    if isinstance(draws, Missing):
        return draws
    probes: list[Probe] = []
    # All runs of a cell predict the same exams.
    kept: dict[frozenset[str], Labels | Missing] = {}
    for found, rows in runs:
        exams = frozenset(row.exam for row in rows)
        labels = kept[exams] if exams in kept else kept.setdefault(exams, draws.labels(exams))
        if isinstance(labels, Missing):
            return labels
        place = {exam: n for n, exam in enumerate(found.exams)}
        probes.append(probe_features(labels, found.values[[place[exam] for exam in labels.exams]]))
    return RunsProbe(
        np.array([one.auroc for one in probes]),
        np.array([one.balanced_accuracy for one in probes]),
        np.mean([one.null for one in probes], axis=0),
    )
