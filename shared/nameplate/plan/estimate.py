"""What a campaign will cost, before it runs: jobs, GPU-hours, bytes, and a first guess at each job's time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from nameplate.campaign import MIXED, Campaign
from nameplate.campaign.experiment import ExperimentSettings
from nameplate.cohort import SplitCounts, split_counts
from nameplate.pack.cost import Cost, network_cost, packed_bytes, packed_spatial, training_flop
from nameplate.plan.pipeline import STEPS, step_named
from nameplate.plan.plan import cells_of, plan
from nameplate.steps.cell import Cell
from nameplate.steps.step import Job, Load


@dataclass(frozen=True, kw_only=True)
class CellEstimate:
    """What one cell of the grid is expected to take."""

    cell: Cell
    first: int
    expected: float
    """Runs until the target is met, by the campaign's expected rate of convergence."""
    limit: int
    flop_per_run: float

    def gpu_hours(self, gpu_tflops: float) -> float:
        """Of the expected runs, on one GPU that sustains so many TFLOP/s."""
        return self.expected * self.flop_per_run / (gpu_tflops * 1e12) / 3600


def totals_of(rows: Sequence[CellEstimate], gpu_tflops: float) -> tuple[int, float, int, float]:
    """Runs of the first round, expected, and at most; expected GPU-hours."""
    expected, hours = sum(row.expected for row in rows), sum(row.gpu_hours(gpu_tflops) for row in rows)
    return sum(row.first for row in rows), expected, sum(row.limit for row in rows), hours


def level_exams(campaign: Campaign, cohort: str) -> int | None:
    """Exams per level in the cohort, if the campaign says so."""
    settings = campaign.cohorts[cohort]
    if settings.match is not None and settings.match.exams_per_level is not None:
        return settings.match.exams_per_level
    if settings.phantom is not None:
        return settings.phantom.exams // len(settings.phantom.manufacturers)
    return None


def cohort_counts(campaign: Campaign, cohort: str) -> SplitCounts | None:
    """Table 1 as it will be; None if only the data can tell."""
    exams = level_exams(campaign, cohort)
    if exams is None:
        return None
    return split_counts(exams, campaign.cohorts[cohort].split, campaign.datasets.spheres.positives)


def _spatial(campaign: Campaign, experiment: ExperimentSettings, cohort: str) -> tuple[int, int, int]:
    matrix = campaign.cohorts[cohort].ingest.matrix
    return packed_spatial(experiment.task, experiment.input, campaign.datasets.slices, matrix)


def _cost(campaign: Campaign, experiment: ExperimentSettings, cohort: str) -> Cost:
    spatial = _spatial(campaign, experiment, cohort)
    return network_cost(experiment.task, experiment.network, experiment.input, spatial)


def cell_estimates(campaign: Campaign) -> list[CellEstimate]:
    """One row per cell."""
    rows = []
    for cell in cells_of(campaign):
        experiment = campaign.experiment(cell.experiment)
        rounds = experiment.rounds
        rate = experiment.expected_convergence_of(cell.dataset, cell.training_set)
        expected = min(max(rounds.first, rounds.target / max(rate, 1e-9)), rounds.limit)
        counts = cohort_counts(campaign, cell.cohort)
        share = len(campaign.factor.levels) if cell.training_set == MIXED else 1
        train, val = (counts.of("train") * share, counts.of("val") * share) if counts else (0, 0)
        cost = _cost(campaign, experiment, cell.cohort)
        flop = float(training_flop(cost, experiment.training, train, val))
        rows.append(
            CellEstimate(
                cell=cell, first=rounds.first, expected=expected, limit=rounds.limit, flop_per_run=flop
            )
        )
    return rows


def plan_summary(campaign: Campaign, *, gpu_tflops: float) -> list[str]:
    """The lines that ``nameplate plan`` prints."""
    lines = [f"campaign {campaign.name}: {campaign.title}", ""]
    for name in campaign.cohorts:
        lines += _cohort_lines(campaign, name)
    jobs = plan(campaign, {}, {}).jobs
    lines.append("jobs known from the start (selections may add further rounds of training)")
    for step in STEPS:
        if count := sum(job.step == step.name for job in jobs):
            lines.append(f"  {step.name:<11} {count:>5}   {' x '.join(step.fan_out)}")
    lines += ["", *_training_lines(campaign, gpu_tflops), "", *_byte_lines(campaign)]
    return lines


def _cohort_lines(campaign: Campaign, name: str) -> list[str]:
    cohort = campaign.cohorts[name]
    source = f"folder {cohort.folder}" if cohort.folder else "simulated"
    lines = [f"cohort {name} ({cohort.role}, {source})"]
    counts = cohort_counts(campaign, name)
    if counts is None:
        return [*lines, "  exams: all that match (set match.exams_per_level to fix the number)", ""]
    levels = len(campaign.factor.levels)
    each = f"per {campaign.factor.name}"
    lines.append(f"  {'split':<12} {'total':>6} {each:>17} {'positives':>10} {'negatives':>10}")
    for row in (*counts.rows, counts.total):
        lines.append(
            f"  {row.split:<12} {row.exams * levels:>6} {row.exams:>17} {row.positives:>10} "
            f"{row.negatives:>10}"
        )
    if cohort.match is not None and cohort.match.exams_per_level is None:
        lines.append("  (before matching on age and sex, which may leave fewer)")
    return [*lines, ""]


def _training_lines(campaign: Campaign, gpu_tflops: float) -> list[str]:
    rows = cell_estimates(campaign)
    lines = [
        "trainings (first round, expected until the target is met, at most)",
        f"  {'cell':<40} {'first':>5} {'expected':>8} {'limit':>5} {'PFLOP/run':>12} {'GPU-hours':>10}",
    ]
    for row in rows:
        lines.append(
            f"  {row.cell!s:<40} {row.first:>5} {row.expected:>8.0f} {row.limit:>5} "
            f"{row.flop_per_run / 1e15:>12.3g} {row.gpu_hours(gpu_tflops):>10.2f}"
        )
    first, expected, limit, hours = totals_of(rows, gpu_tflops)
    lines.append(f"  {'all':<40} {first:>5} {expected:>8.0f} {limit:>5} {'':>12} {hours:>10.2f}")
    lines.append(f"  GPU-hours at {gpu_tflops:g} TFLOP/s sustained on one GPU (--gpu-tflops)")
    for experiment in campaign.experiments:
        cost = _cost(campaign, experiment, experiment.cohorts[0])
        lines.append(
            f"  {experiment.name}: {cost.parameters:,} parameters, "
            f"{cost.forward_flop / 1e9:.3g} GFLOP forward per exam"
        )
    return lines


def _byte_lines(campaign: Campaign) -> list[str]:
    lines = ["bytes"]
    total = 0.0
    for experiment in campaign.experiments:
        for cohort in experiment.cohorts:
            counts = cohort_counts(campaign, cohort)
            if counts is None:
                continue
            exams = counts.total.exams * len(campaign.factor.levels)
            spatial = _spatial(campaign, experiment, cohort)
            each = packed_bytes(experiment.task, experiment.input, spatial)
            size = each * exams * len(campaign.datasets_of(experiment))
            train = each * counts.of("train") * len(campaign.factor.levels)
            total += size
            lines.append(
                f"  packs of {experiment.name} on {cohort}: {size / 1e9:.2f} GB "
                f"({train / 1e9:.2f} GB per dataset for the training exams)"
            )
    weights = 0.0
    for row in cell_estimates(campaign):
        cost = _cost(campaign, campaign.experiment(row.cell.experiment), row.cell.cohort)
        weights += row.expected * 4 * cost.parameters
    lines.append(f"  weights of all runs: {weights / 1e9:.2f} GB")
    lines.append(f"  together {(total + weights) / 1e9:.2f} GB, images not counted")
    return lines


def seconds_estimate(campaign: Campaign) -> Callable[[Job], float]:
    """A first guess at each job's seconds on one core; the runner corrects it as jobs finish."""
    flop = {row.cell: row.flop_per_run for row in cell_estimates(campaign)}

    def load_of(job: Job) -> Load:
        cohort = campaign.cohorts.get(job.cohort or "")
        phantom = cohort.phantom if cohort is not None else None
        return Load(
            exams=(phantom.exams if phantom else 1000) / (cohort.shards if cohort else 1),
            pixels=(phantom.matrix if phantom else 512) ** 2 / 128**2,
            flop=flop[job.cell] if job.cell is not None else 0.0,
        )

    return lambda job: step_named(job.step).seconds(load_of(job))
