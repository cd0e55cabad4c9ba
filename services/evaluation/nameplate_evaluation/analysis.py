"""All figures of a campaign, computed once: what the tables, the pictures and the answer read."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign import MIXED, Campaign
from nameplate.campaign.experiment import ExperimentSettings, Task
from nameplate.records import Split
from nameplate.stats.bootstrap import exam_weights, patient_weights
from nameplate.streams import stream
from nameplate_evaluation.measure import Estimate, Measured, measure
from nameplate_evaluation.results import CampaignResults, CellResult, CohortResult
from nameplate_evaluation.scores import Scores, scores_of

VAL = "val"
ALL = "mixed"
"""The set of all test exams, under the name that it has in the tables."""
METRICS: Mapping[Task, tuple[str, ...]] = {
    "factor": ("accuracy", "auroc"),
    "spheres": ("accuracy", "specificity", "sensitivity", "auroc"),
    "segmentation": ("dice",),
}


@dataclass(frozen=True, eq=False)
class CellFigures:
    """A cell with its scores and figures.

    ``measured`` is keyed by the exams (VAL, ALL for the whole test set, or a level of the factor
    for its test exams) and the metric; 'sensitivity of <difficulty>' on the whole test set.
    """

    cell: CellResult
    val: Scores | None
    test: Scores | None
    measured: Mapping[tuple[str, str], Measured]

    @property
    def dataset(self) -> str:
        """The cell's dataset."""
        return self.cell.cell.dataset

    @property
    def training_set(self) -> str:
        """The cell's training set."""
        return self.cell.cell.training_set

    @property
    def group(self) -> int:
        """The cell's group."""
        return self.cell.cell.group


@dataclass(frozen=True)
class ResultGrid:
    """The cells of one experiment on one cohort, in the campaign's order of datasets and training sets."""

    experiment: ExperimentSettings
    cohort: str
    cells: tuple[CellFigures, ...]

    def cell(self, dataset: str, training_set: str, group: int = 0) -> CellFigures | None:
        """One cell, or None if the campaign has not come so far."""
        wanted = (dataset, training_set, group)
        return next((c for c in self.cells if (c.dataset, c.training_set, c.group) == wanted), None)

    def measured(
        self, dataset: str, training_set: str, exams: str, metric: str, group: int = 0
    ) -> Measured | None:
        """One figure, or None where there is none."""
        figure = self.cell(dataset, training_set, group)
        return None if figure is None else figure.measured.get((exams, metric))


@dataclass(frozen=True, eq=False)
class Analysis:
    """A campaign's results with every figure of merit."""

    results: CampaignResults
    grids: tuple[ResultGrid, ...]

    @property
    def campaign(self) -> Campaign:
        """The settings."""
        return self.results.campaign

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels of the factor."""
        return self.campaign.factor.levels

    @property
    def confidence(self) -> float:
        """Of the intervals."""
        return self.campaign.bootstrap.confidence

    @cached_property
    def study(self) -> tuple[ResultGrid, ...]:
        """Grids of study cohorts."""
        return tuple(g for g in self.grids if not self.is_control(g.cohort))

    def is_control(self, cohort: str) -> bool:
        """Whether a cohort is a null control."""
        return self.campaign.cohorts[cohort].role == "null-control"

    def of_task(self, task: Task, *, control: bool = False) -> tuple[ResultGrid, ...]:
        """Grids of one task, on the study cohorts or on the null controls."""
        return tuple(
            g for g in self.grids if g.experiment.task == task and self.is_control(g.cohort) == control
        )

    def estimate(self, measured: Measured | None) -> Estimate | None:
        """A figure as it is printed, with the campaign's confidence."""
        return None if measured is None else measured.estimate(self.confidence)


@dataclass(frozen=True, eq=False)
class _Resamples:
    patients: tuple[str, ...]
    counts: NDArray[np.int32]

    def weights(self, scores: Scores) -> NDArray[np.float64]:
        return exam_weights(scores.patients, self.patients, self.counts)


def analyse(results: CampaignResults) -> Analysis:
    """Measure every kept model of every cell; pure, and the same results give the same figures.

    Raises StoreError for predictions that contradict each other.
    """
    campaign = results.campaign
    cohorts = {cohort.name: cohort for cohort in results.cohorts}
    grids = []
    for experiment in campaign.experiments:
        for name in experiment.cohorts:
            cells = [c for c in results.cells if c.key[:2] == (experiment.name, name)]
            if cells:
                cells.sort(key=_order(campaign, experiment))
                grids.append((experiment, name, cells))
    scored = {(c.key, split): scores_of(c, split) for _, _, cells in grids for c in cells for split in _SPLITS}
    resamples = {
        (name, split): _resample(
            campaign,
            cohorts.get(name, CohortResult(name=name)),
            split,
            [s for (key, of), s in scored.items() if key[1] == name and of == split and s is not None],
        )
        for _, name, _ in grids
        for split in _SPLITS
    }
    return Analysis(
        results,
        tuple(
            ResultGrid(
                experiment,
                name,
                tuple(
                    _figures(
                        campaign,
                        experiment,
                        c,
                        scored[c.key, "val"],
                        scored[c.key, "test"],
                        resamples[name, "val"],
                        resamples[name, "test"],
                    )
                    for c in cells
                ),
            )
            for experiment, name, cells in grids
        ),
    )


_SPLITS: tuple[Split, ...] = ("val", "test")


def _order(
    campaign: Campaign, experiment: ExperimentSettings
) -> Callable[[CellResult], tuple[int, int, str, str, int]]:
    datasets, sets = campaign.datasets_of(experiment), experiment.training_sets

    def place(cell: CellResult) -> tuple[int, int, str, str, int]:
        at = cell.cell
        first = datasets.index(at.dataset) if at.dataset in datasets else len(datasets)
        second = sets.index(at.training_set) if at.training_set in sets else len(sets)
        return first, second, at.dataset, at.training_set, at.group

    return place


def _resample(campaign: Campaign, cohort: CohortResult, split: Split, scores: list[Scores]) -> _Resamples:
    """Patients of one split, drawn within strata of level and label as the cohort was balanced."""
    strata: dict[str, set[tuple[str, bool]]] = {}
    for member in cohort.members:
        if member.split == split:
            strata.setdefault(member.patient, set()).add((member.level, member.positive))
    known = set(strata)
    for measured_ in scores:
        for patient, level in zip(measured_.patients, measured_.levels, strict=True):
            if patient not in known:
                strata.setdefault(patient, set()).add((level, False))
    patients = tuple(sorted(strata))
    generator = stream(campaign.seed, "bootstrap", cohort.name, split)
    keys = [tuple(sorted(strata[patient])) for patient in patients]
    return _Resamples(patients, patient_weights(keys, campaign.bootstrap.resamples, generator))


def _figures(
    campaign: Campaign,
    experiment: ExperimentSettings,
    cell: CellResult,
    val: Scores | None,
    test: Scores | None,
    val_resamples: _Resamples,
    test_resamples: _Resamples,
) -> CellFigures:
    measured: dict[tuple[str, str], Measured] = {}
    trained_on = cell.cell.training_set
    for exams, scores, resamples in (
        *_exam_sets(campaign, trained_on, val, val_resamples),
        (ALL, test, test_resamples),
        *((level, test and test.of_levels({level}), test_resamples) for level in campaign.factor.levels),
    ):
        if scores is None:
            continue
        weights = resamples.weights(scores)
        for metric in METRICS[experiment.task]:
            measured_ = measure(metric, scores, weights)
            if measured_ is not None:
                measured[exams, metric] = measured_
    if experiment.task == "spheres" and test is not None:
        for kind in sorted({s for s in test.difficulties if s is not None}):
            part = test.where(np.array([s == kind for s in test.difficulties]))
            figure = part and measure("sensitivity", part, test_resamples.weights(part))
            if isinstance(figure, Measured):
                measured[ALL, f"sensitivity of {kind}"] = figure
    return CellFigures(cell, val, test, measured)


def _exam_sets(
    campaign: Campaign, trained_on: str, val: Scores | None, resamples: _Resamples
) -> Iterator[tuple[str, Scores | None, _Resamples]]:
    """Validation is on exams of the levels that were trained on, as in the paper."""
    if val is not None:
        levels = campaign.factor.levels if trained_on == MIXED else (trained_on,)
        yield VAL, val.of_levels(levels), resamples
