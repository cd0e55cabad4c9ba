"""All figures of a campaign, computed once for the tables, the plots and the answer."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from nameplate.campaign import Campaign
from nameplate.campaign.experiment import ArmSettings, ExperimentSettings
from nameplate.campaign.tasks import TaskName
from nameplate.errors import StoreError
from nameplate_evaluation.measure import Estimate, Measured, measure
from nameplate_evaluation.results import CampaignResults, CellResult
from nameplate_evaluation.scores import Scores, scores_of

VAL = "val"
ALL = "mixed"
"""The set of all test exams, under its name in the tables."""


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

    @property
    def name(self) -> str:
        """Experiment and cohort as one word, for the ids of pictures."""
        return f"{self.experiment.name}-{self.cohort}"

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

    def arm_of(self, level: str) -> ArmSettings | None:
        """The arm that trains on all exams of this level and on no other, if there is one."""
        return next((arm for arm in self.experiment.all_arms if arm.own_level == level), None)

    @property
    def mixed(self) -> str | None:
        """The arm that trains on all exams of all levels, if there is one."""
        arms = self.experiment.all_arms
        return next((arm.name for arm in arms if arm.levels is None and arm.exams is None), None)


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
        return self.campaign.analysis.confidence

    @cached_property
    def study(self) -> tuple[ResultGrid, ...]:
        """Grids of study cohorts."""
        return tuple(g for g in self.grids if self.role(g.cohort) == "study")

    def role(self, cohort: str) -> str:
        """The role of a cohort: study, null-control or positive-control."""
        return self.campaign.cohorts[cohort].role

    def of_task(self, task: TaskName, role: str = "study") -> tuple[ResultGrid, ...]:
        """Grids of one task on the cohorts of one role."""
        return tuple(g for g in self.grids if g.experiment.task == task and self.role(g.cohort) == role)

    def judged(self, role: str = "study") -> tuple[ResultGrid, ...]:
        """Grids of tasks that say what is in an exam (spheres, labels) on the cohorts of one role."""
        return tuple(g for g in self.grids if g.experiment.what.is_judged and self.role(g.cohort) == role)

    def own_arms(self, grid: ResultGrid) -> dict[str, str]:
        """The arm of each level that has one of its own, by level."""
        return {level: arm.name for level in self.levels if (arm := grid.arm_of(level))}

    def beside(self, grid: ResultGrid) -> tuple[ResultGrid, ...]:
        """The grids with the task and the cohort of this one, itself among them."""
        task = grid.experiment.task
        return tuple(g for g in self.grids if g.cohort == grid.cohort and g.experiment.task == task)

    def estimate(self, measured: Measured | None) -> Estimate | None:
        """A figure for printing, with the campaign's confidence."""
        return None if measured is None else measured.estimate(self.confidence)


def analyse(results: CampaignResults) -> Analysis:
    """Measure every kept run of every cell; pure: the same results give the same figures.

    Raises StoreError for predictions that contradict each other or their cohort.
    """
    campaign = results.campaign
    members = {cohort.name: frozenset(m.exam for m in cohort.members) for cohort in results.cohorts}
    grids = []
    for experiment in campaign.experiments:
        for name in experiment.cohorts:
            cells = [c for c in results.cells if c.key[:2] == (experiment.name, name)]
            if cells:
                cells.sort(key=_order(campaign, experiment))
                figures = (_figures(campaign, experiment, c, members.get(name, frozenset())) for c in cells)
                grids.append(ResultGrid(experiment, name, tuple(figures)))
    return Analysis(results, tuple(grids))


def _order(
    campaign: Campaign, experiment: ExperimentSettings
) -> Callable[[CellResult], tuple[int, int, str, str, int]]:
    datasets, sets = campaign.datasets_of(experiment), tuple(arm.name for arm in experiment.all_arms)

    def place(cell: CellResult) -> tuple[int, int, str, str, int]:
        at = cell.cell
        first = datasets.index(at.dataset) if at.dataset in datasets else len(datasets)
        second = sets.index(at.training_set) if at.training_set in sets else len(sets)
        return first, second, at.dataset, at.training_set, at.group

    return place


def _figures(
    campaign: Campaign, experiment: ExperimentSettings, cell: CellResult, members: frozenset[str]
) -> CellFigures:
    val, test = scores_of(cell, "val"), scores_of(cell, "test")
    for scores in (val, test):
        strange = set() if scores is None else set(scores.exams) - members
        if members and strange:
            raise StoreError(f"cell {cell.name}: exam {min(strange)} is not in cohort {cell.cell.cohort}")
    measured: dict[tuple[str, str], Measured] = {}
    for exams, scores in _exam_sets(campaign, experiment, cell, val, test):
        for metric in experiment.what.metrics:
            if scores is not None and (figure := measure(cell.name, metric, scores)) is not None:
                measured[exams, metric] = figure
    if experiment.task == "spheres" and test is not None:
        for kind in sorted({s for s in test.difficulties if s is not None}):
            part = test.where(np.array([s == kind for s in test.difficulties]))
            sensitivity = part and measure(cell.name, "sensitivity", part)
            if isinstance(sensitivity, Measured):
                measured[ALL, f"sensitivity of {kind}"] = sensitivity
    return CellFigures(cell, val, test, measured)


def _exam_sets(
    campaign: Campaign,
    experiment: ExperimentSettings,
    cell: CellResult,
    val: Scores | None,
    test: Scores | None,
) -> Iterator[tuple[str, Scores | None]]:
    """The validation exams that the run was chosen on, all test exams, and each level's."""
    levels: tuple[str, ...] | None = None
    if experiment.choose_on == "own":
        levels = experiment.arm(cell.cell.training_set).levels
    yield VAL, val and val.of_levels(levels or campaign.factor.levels)
    yield ALL, test
    for level in campaign.factor.levels:
        yield level, test and test.of_levels({level})
