"""What a campaign will cost, before it runs: exams, runs, GPU-hours, and a first guess at each job's time."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nameplate.campaign import Campaign
from nameplate.campaign.experiment import ExperimentSettings, LearningSettings
from nameplate.cohort import SplitCounts, split_counts
from nameplate.pack.arm_exams import arm_exams
from nameplate.pack.cost import Cost, network_cost, packed_spatial, training_flop
from nameplate.pack.shapes import Size
from nameplate.plan.pipeline import step_named
from nameplate.plan.plan import cells_of
from nameplate.steps.cell import Cell
from nameplate.steps.step import Job, Load

Count = Callable[[LearningSettings, Size], Cost]
"""Builds a network for packed exams of a size, checks what it returns, and counts it; needs torch."""
Costs = Mapping[tuple[str, str], Cost | None]
"""Of the network of an experiment on the exams of a cohort; None for one that was not counted."""


@dataclass(frozen=True, kw_only=True)
class CellEstimate:
    """What one cell of the grid is expected to take."""

    cell: Cell
    first: int
    expected: float
    """Runs until the target is met, by the campaign's expected rate of convergence."""
    limit: int
    kept: float
    """Runs expected to be kept."""
    train_exams: int
    """That a run learns from; 0 if only the data can tell, like all that follows."""
    predictions: float
    """Of the test exams by the kept runs."""
    cost: Cost | None
    """Of its network; None if it was not counted, and the operations are then 0."""
    flop_per_run: float
    flop_to_predict: float
    """Of all these predictions."""

    def gpu_hours(self, gpu_tflops: float) -> float:
        """Of the expected runs, on one GPU that sustains so many TFLOP/s."""
        return self.expected * self.flop_per_run / (gpu_tflops * 1e12) / 3600


def totals_of(rows: Sequence[CellEstimate], gpu_tflops: float) -> tuple[int, float, int, float]:
    """Runs of the first round, expected, and at most; expected GPU-hours."""
    expected, hours = sum(row.expected for row in rows), sum(row.gpu_hours(gpu_tflops) for row in rows)
    return sum(row.first for row in rows), expected, sum(row.limit for row in rows), hours


def level_exams(campaign: Campaign, cohort: str) -> int | None:
    """Most exams per level in the cohort, if the campaign says so; matching may leave fewer."""
    settings = campaign.exams_of(cohort)
    known = []
    if settings.match is not None and settings.match.exams_per_level is not None:
        known.append(settings.match.exams_per_level)
    if settings.phantom is not None and campaign.factor.name == "manufacturer":
        makers = settings.phantom.manufacturers
        of_level = Counter(campaign.factor.level_of_value(maker) for maker in makers)
        fewest = min(of_level[level] for level in campaign.factor.levels)
        # A level that no manufacturer is in ends in the cohort's step, which says what was found.
        known.append(settings.phantom.exams // len(makers) * max(fewest, 1))
    return min(known, default=None)


def cohort_counts(campaign: Campaign, cohort: str) -> SplitCounts | None:
    """Table 1 as it will be; None if only the data can tell."""
    exams = level_exams(campaign, cohort)
    if exams is None:
        return None
    return split_counts(exams, campaign.exams_of(cohort).split, campaign.datasets.positives)


def spatial_of(campaign: Campaign, experiment: ExperimentSettings, cohort: str) -> Size:
    """Size (k, j, i) of a packed exam."""
    matrix = campaign.exams_of(cohort).ingest.matrix
    return packed_spatial(experiment.task, experiment.input, campaign.datasets.slices, matrix)


def costs_of(campaign: Campaign, count: Count | None = None) -> Costs:
    """Of every experiment's network on the exams of its cohorts.

    ``count`` is asked for the networks that nameplate did not write; without it they are not counted. Raises
    UserError for a network that does not fit its exams or cannot be built.
    """
    costs: dict[tuple[str, str], Cost | None] = {}
    for experiment in campaign.experiments:
        counted: dict[Size, Cost | None] = {}
        for cohort in experiment.cohorts:
            size = spatial_of(campaign, experiment, cohort)
            if size not in counted:
                known = network_cost(experiment.network, experiment.input, size)
                if known is None and count is not None:
                    known = count(experiment.learning, size)
                counted[size] = known
            costs[experiment.name, cohort] = counted[size]
    return costs


def cell_estimates(campaign: Campaign, costs: Costs | None = None) -> list[CellEstimate]:
    """One row per cell, with the networks' ``costs`` or else those that need no torch.

    Raises CohortError for an arm that wants more training exams than its cohort can have. Whatever plans a
    campaign to run it asks for these rows first, so nothing is made for a campaign that cannot end.
    """
    costs = costs_of(campaign) if costs is None else costs
    return [
        _cell_estimate(campaign, cell, costs[cell.experiment, cell.cohort]) for cell in cells_of(campaign)
    ]


def _cell_estimate(campaign: Campaign, cell: Cell, cost: Cost | None) -> CellEstimate:
    experiment = campaign.experiment(cell.experiment)
    arm, rounds = experiment.arm(cell.training_set), experiment.rounds
    rate = experiment.expected_convergence_of(cell.dataset, cell.training_set)
    expected = min(max(rounds.first, rounds.target / max(rate, 1e-9)), rounds.limit)
    converged = round(rate * expected, 6)  # a target of 6 is 6 again, and not 5.999...
    kept = converged if rounds.keep == "all" else min(converged, float(rounds.keep))
    levels = campaign.factor.levels
    train = val = test = 0
    if (counts := cohort_counts(campaign, cell.cohort)) is not None:
        by_level = dict.fromkeys(levels, counts.of("train"))
        train = arm_exams(arm, by_level, experiment=experiment.name, cohort=cell.cohort)
        counted = levels if experiment.choose_on == "all" else arm.levels or levels
        val, test = counts.of("val") * len(counted), counts.of("test") * len(levels)
    forward = 0 if cost is None else cost.forward_flop
    return CellEstimate(
        cell=cell,
        first=rounds.first,
        expected=expected,
        limit=rounds.limit,
        kept=kept,
        train_exams=train,
        predictions=kept * test,
        cost=cost,
        flop_per_run=float(training_flop(forward, experiment.training, train, val)),
        flop_to_predict=kept * test * forward,
    )


def seconds_estimate(campaign: Campaign, costs: Costs | None = None) -> Callable[[Job], float]:
    """A first guess at each job's seconds on one core; the runner corrects it as jobs finish."""
    rows = {row.cell: row for row in cell_estimates(campaign, costs)}

    def flop_of(job: Job) -> float:
        if job.cell is None:
            return 0.0
        row = rows[job.cell]
        return row.flop_to_predict if job.step == "prediction" else row.flop_per_run

    def load_of(job: Job) -> Load:
        cohort = None if job.cohort is None else campaign.exams_of(job.cohort)
        phantom = cohort.phantom if cohort is not None else None
        return Load(
            exams=(phantom.exams if phantom else 1000) / (cohort.shards if cohort else 1),
            pixels=(phantom.matrix if phantom else 512) ** 2 / 128**2,
            flop=flop_of(job),
        )

    return lambda job: step_named(job.step).seconds(load_of(job))
