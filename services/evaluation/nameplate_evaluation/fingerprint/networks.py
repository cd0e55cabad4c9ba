"""How well the trained networks' last features name the level of the factor.

Of networks that look for spheres, positive and negative exams are also probed apart. Last features are made
to tell spheres from none, so most of what varies in them is the answer; within a class that is out of the
way.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.slices import Missing
from nameplate.steps.training import Prediction
from nameplate_evaluation.analysis import Analysis, CellFigures
from nameplate_evaluation.fingerprint.draws import Labels, Subject, labels_of
from nameplate_evaluation.fingerprint.features import NOT_KEPT, Features
from nameplate_evaluation.fingerprint.probe import Probe, probe_features


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
    probes = []
    labels_for = _memory(analysis, cohort, draws)
    for grid in analysis.grids:
        if grid.cohort != cohort:
            continue
        for figures in grid.cells:
            if figures.cell.selection.kept:
                classes = grid.experiment.task == "spheres"
                probes.append(_of_cell(grid.experiment.title, figures, labels_for, classes=classes))
    return tuple(probes)


def pooled(parts: list[RunsProbe]) -> RunsProbe:
    """Several cells' runs as one; the mean is over all runs alike."""
    runs = [len(part.aurocs) for part in parts]
    return RunsProbe(
        np.concatenate([part.aurocs for part in parts]),
        np.concatenate([part.balanced_accuracies for part in parts]),
        np.average([part.null for part in parts], axis=0, weights=runs),
    )


_LabelsFor = Callable[[tuple[Prediction, ...], str], Labels | Missing]


def _memory(analysis: Analysis, cohort: str, draws: int) -> _LabelsFor:
    """Labels of exams; the same exams get the same draws, so that runs and cells can be averaged."""
    kept: dict[tuple[tuple[str, str, str], ...], Labels | Missing] = {}

    def labels_for(rows: tuple[Prediction, ...], part: str) -> Labels | Missing:
        key = tuple(sorted((row.exam, row.patient, row.level) for row in rows))
        if key not in kept:
            subjects = [Subject(exam, patient, level) for exam, patient, level in key]
            names = ("fingerprint", cohort, "networks", part)
            kept[key] = labels_of(subjects, analysis.levels, analysis.campaign.seed, names, draws)
        return kept[key]

    return labels_for


def _of_cell(experiment: str, figures: CellFigures, labels_for: _LabelsFor, *, classes: bool) -> CellProbe:
    cell = figures.cell
    runs: list[tuple[Features, tuple[Prediction, ...]]] = []
    for seed in cell.selection.kept:
        found = cell.features.get(seed)
        rows = tuple(row for row in cell.predictions.get(seed, ()) if row.split == "test")
        if found is not None and {row.exam for row in rows} <= set(found.exams) and rows:
            runs.append((found, rows))
    overall = _of_runs(runs, labels_for, "all")
    within: RunsProbe | Missing | None = None
    if classes:
        parts = [
            _of_runs(
                [(found, tuple(row for row in rows if row.label == label)) for found, rows in runs],
                labels_for,
                name,
            )
            for label, name in ((1, "positives"), (0, "negatives"))
        ]
        missing = next((part for part in parts if isinstance(part, Missing)), None)
        within = missing or _mean([part for part in parts if isinstance(part, RunsProbe)])
    return CellProbe(
        experiment=experiment,
        dataset=figures.dataset,
        training_set=figures.training_set,
        group=figures.group,
        exams=len(runs[0][1]) if runs else 0,
        overall=overall,
        within=within,
    )


def _of_runs(
    runs: list[tuple[Features, tuple[Prediction, ...]]], labels_for: _LabelsFor, part: str
) -> RunsProbe | Missing:
    probes: list[Probe] = []
    for found, rows in runs:
        labels = labels_for(rows, part)
        if isinstance(labels, Missing):
            return labels
        place = {exam: n for n, exam in enumerate(found.exams)}
        probes.append(probe_features(labels, found.values[[place[exam] for exam in labels.exams]]))
    if not probes:
        return NOT_KEPT
    return RunsProbe(
        np.array([one.auroc for one in probes]),
        np.array([one.balanced_accuracy for one in probes]),
        np.mean([one.null for one in probes], axis=0),
    )


def _mean(parts: list[RunsProbe]) -> RunsProbe:
    return RunsProbe(
        np.mean([part.aurocs for part in parts], axis=0),
        np.mean([part.balanced_accuracies for part in parts], axis=0),
        np.mean([part.null for part in parts], axis=0),
    )
