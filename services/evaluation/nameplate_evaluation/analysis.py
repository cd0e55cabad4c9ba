"""All figures of a campaign, computed once for the tables, the plots and the answer."""

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
"""The set of all test exams, under its name in the tables."""
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
        """One cell, or None if the campaign has not got that far."""
        wanted = (dataset, training_set, group)
        return next((c for c in self.cells if (c.dataset, c.training_set, c.group) == wanted), None)

    def measured(
        self, dataset: str, training_set: str, exams: str, metric: str, group: int = 0
    ) -> Measured | None:
        """One figure, or None if there is none."""
        figures = self.cell(dataset, training_set, group)
        return None if figures is None else figures.measured.get((exams, metric))


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
        """Confidence of the intervals."""
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
        """A figure for printing, with the campaign's confidence."""
        return None if measured is None else measured.estimate(self.confidence)


@dataclass(frozen=True, eq=False)
class _Resamples:
    patients: tuple[str, ...]
    counts: NDArray[np.int32]

    def weights(self, scores: Scores) -> NDArray[np.float64]:
        return exam_weights(scores.patients, self.patients, self.counts)


def analyse(results: CampaignResults) -> Analysis:
    """Measure every kept model of every cell; pure: the same results give the same figures.

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
    scored = {(c.key, part): scores_of(c, part) for _, _, cells in grids for c in cells for part in _SPLITS}
    resamples = {
        (name, split): _resample(
            campaign,
            cohorts.get(name, CohortResult(name=name)),
            split,
            [s for (key, part), s in scored.items() if key[1] == name and part == split and s is not None],
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
    """Resampled patients of one split, drawn within the strata (level and label) of the cohort."""
    strata: dict[str, set[tuple[str, bool]]] = {}
    for member in cohort.members:
        if member.split == split:
            strata.setdefault(member.patient, set()).add((member.level, member.positive))
    known = set(strata)
    for of_cell in scores:
        for patient, level in zip(of_cell.patients, of_cell.levels, strict=True):
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
            if (figure := measure(metric, scores, weights)) is not None:
                measured[exams, metric] = figure
    if experiment.task == "spheres" and test is not None:
        for kind in sorted({s for s in test.difficulties if s is not None}):
            part = test.where(np.array([s == kind for s in test.difficulties]))
            sensitivity = part and measure("sensitivity", part, test_resamples.weights(part))
            if isinstance(sensitivity, Measured):
                measured[ALL, f"sensitivity of {kind}"] = sensitivity
    return CellFigures(cell, val, test, measured)


def _exam_sets(
    campaign: Campaign, trained_on: str, val: Scores | None, resamples: _Resamples
) -> Iterator[tuple[str, Scores | None, _Resamples]]:
    """The validation exams: of the levels that the run was trained on, as in the paper."""
    if val is not None:
        levels = campaign.factor.levels if trained_on == MIXED else (trained_on,)
        yield VAL, val.of_levels(levels), resamples
