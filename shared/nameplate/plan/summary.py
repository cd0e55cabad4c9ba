"""What ``nameplate plan`` prints: cohorts, jobs, trainings, effects that could be found, bytes."""

from collections.abc import Iterator, Sequence

from nameplate.campaign import Campaign
from nameplate.campaign.cohort import CohortSettings
from nameplate.campaign.experiment import ExperimentSettings
from nameplate.cohort.split import SplitCount
from nameplate.pack.cost import packed_bytes
from nameplate.plan.estimate import (
    Costs,
    Count,
    cell_estimates,
    cohort_counts,
    costs_of,
    spatial_of,
    totals_of,
)
from nameplate.plan.pipeline import STEPS
from nameplate.plan.plan import plan
from nameplate.plan.power import Runs, Task, dice_task, least_effect, sphere_tasks
from nameplate.stats.growth import difficulty_axis, growth_weights
from nameplate.steps.cohort import are_twins


def plan_summary(campaign: Campaign, *, gpu_tflops: float, count: Count | None = None) -> list[str]:
    """The lines that ``nameplate plan`` prints; raises as ``cell_estimates`` and ``costs_of`` do.

    ``count`` counts the networks that nameplate did not write.
    """
    costs = costs_of(campaign, count)
    lines = [f"campaign {campaign.name}: {campaign.title}", ""]
    for name in campaign.cohorts:
        lines += _cohort_lines(campaign, name)
    jobs = plan(campaign, {}, {}).jobs
    lines.append("jobs known from the start (selections may add further rounds of training)")
    for step in STEPS:
        if number := sum(job.step == step.name for job in jobs):
            lines.append(f"  {step.name:<11} {number:>5}   {' x '.join(step.fan_out)}")
    lines += ["", *_training_lines(campaign, gpu_tflops, costs), ""]
    if found := power_lines(campaign):
        lines += [*found, ""]
    return [*lines, *byte_lines(campaign, costs)]


def _cohort_lines(campaign: Campaign, name: str) -> list[str]:
    cohort = campaign.exams_of(name)
    lines = [
        f"cohort {name} ({campaign.cohorts[name].role}, {_source(campaign.cohorts[name])}): exams asked for"
    ]
    counts = cohort_counts(campaign, name)
    if counts is None:
        return [*lines, "  exams: all that match (set match.exams_per_level to fix the number)", ""]
    levels = len(campaign.factor.levels)
    each = f"per {campaign.factor.title}"
    width = max(17, len(each))
    lines.append(f"  {'split':<12} {'total':>6} {each:>{width}} {'positives':>10} {'negatives':>10}")
    for row in (*counts.rows, counts.total):
        lines.append(
            f"  {row.split:<12} {row.exams * levels:>6} {row.exams:>{width}} {row.positives:>10} "
            f"{row.negatives:>10}"
        )
    unsure = cohort.match is not None and cohort.match.exams_per_level is None
    if unsure and not are_twins(campaign, name):
        lines.append(f"  (before matching on {_criteria(cohort)}, which may leave fewer)")
    return [*lines, ""]


def _criteria(cohort: CohortSettings) -> str:
    """What matched exams agree in."""
    assert cohort.match is not None
    sex = ["sex"] if cohort.match.sex else []
    *names, last = ["age", *sex, *(field.noun for field in cohort.match.same)]
    return f"{', '.join(names)} and {last}" if names else last


def _source(cohort: CohortSettings) -> str:
    """Where a cohort's exams come from, in a few words."""
    if cohort.other is not None:
        return f"from {cohort.other}, levels shuffled"
    assert cohort.source is not None
    return cohort.source.summary + ("" if cohort.masks is None else f", masks {cohort.masks}")


def _training_lines(campaign: Campaign, gpu_tflops: float, costs: Costs) -> list[str]:
    rows = cell_estimates(campaign, costs)
    width = max(40, *(len(str(row.cell)) for row in rows))
    lines = [
        "trainings (first round, expected until the target is met, at most)",
        f"  {'cell':<{width}} {'exams':>6} {'first':>5} {'expected':>8} {'limit':>5} {'kept':>5} "
        f"{'PFLOP/run':>12} {'GPU-hours':>10}",
    ]
    for row in rows:
        flop, hours = f"{row.flop_per_run / 1e15:.3g}", f"{row.gpu_hours(gpu_tflops):.2f}"
        if row.cost is None:
            flop = hours = "-"
        lines.append(
            f"  {row.cell!s:<{width}} {row.train_exams or '-':>6} {row.first:>5} {row.expected:>8.0f} "
            f"{row.limit:>5} {row.kept:>5.0f} {flop:>12} {hours:>10}"
        )
    first, expected, limit, all_hours = totals_of(rows, gpu_tflops)
    kept, predictions = sum(row.kept for row in rows), sum(row.predictions for row in rows)
    lines.append(
        f"  {'all':<{width}} {'':>6} {first:>5} {expected:>8.0f} {limit:>5} {kept:>5.0f} {'':>12} "
        f"{all_hours:>10.2f}"
    )
    lines.append("  exams: those that a run learns from; kept: runs expected to predict the test exams")
    if predictions:
        lines.append(f"  expected predictions of test exams: {predictions:,.0f}")
    lines.append(f"  GPU-hours at {gpu_tflops:g} TFLOP/s sustained on one GPU (--gpu-tflops)")
    for experiment in campaign.experiments:
        cost = costs[experiment.name, experiment.cohorts[0]]
        counted = "not counted: the training extra is not installed"
        if cost is not None:
            flop = f"{cost.forward_flop / 1e9:.3g} GFLOP forward per exam"
            counted = f"{cost.parameters:,} parameters, {flop}"
        lines.append(f"  {experiment.name} ({experiment.network.kind}): {counted}")
    return lines


def byte_lines(campaign: Campaign, costs: Costs | None = None) -> list[str]:
    """Bytes of packs and weights; the last line is their sum, without networks that were not counted."""
    lines = ["bytes"]
    total = 0.0
    for experiment in campaign.experiments:
        for cohort in experiment.cohorts:
            counts = cohort_counts(campaign, cohort)
            if counts is None:
                continue
            exams = counts.total.exams * len(campaign.factor.levels)
            spatial = spatial_of(campaign, experiment, cohort)
            each = packed_bytes(experiment.task, experiment.input, spatial)
            size = each * exams * len(campaign.datasets_of(experiment))
            train = each * counts.of("train") * len(campaign.factor.levels)
            total += size
            lines.append(
                f"  packs of {experiment.name} on {cohort}: {size / 1e9:.2f} GB "
                f"({train / 1e9:.2f} GB per dataset for the training exams)"
            )
    rows = cell_estimates(campaign, costs)
    weights = sum(row.expected * 4 * row.cost.parameters for row in rows if row.cost is not None)
    lines.append(f"  weights of all runs: {weights / 1e9:.2f} GB")
    lines.append(f"  together {(total + weights) / 1e9:.2f} GB, images not counted")
    return lines


def power_lines(campaign: Campaign) -> list[str]:
    """The least effects that the campaign would find, and the variances that this assumes.

    One line for each sphere or segmentation experiment that trains on every single level, on each study
    cohort; nothing without such an experiment.
    """
    pairs = [
        (experiment, cohort)
        for experiment in campaign.experiments
        if experiment.what.compared_in and experiment.trains_each_alone(campaign.factor.levels)
        for cohort in experiment.cohorts
        if campaign.cohorts[cohort].role == "study"
    ]
    if not pairs:
        return []
    confidence = 100 * campaign.analysis.confidence
    return [
        f"least effects that 4 campaigns of 5 would find, at {confidence:g} % confidence",
        *(line for experiment, cohort in pairs for line in _effect_lines(campaign, experiment, cohort)),
        *_assumed_lines(campaign, pairs),
    ]


def _effect_lines(campaign: Campaign, experiment: ExperimentSettings, cohort: str) -> Iterator[str]:
    """The least effects; and of a comparison that is held against the margin, whether networks without any
    advantage would meet it often enough."""
    where = f"  {experiment.name} on {cohort}:"
    if experiment.task == "labels":
        yield f"{where} only the data can tell (how many exams are positive is in the labels' table)"
        return
    if experiment.task == "masks":
        yield f"{where} only the data can tell (how much Dice differs between exams is in the masks)"
        return
    counts = cohort_counts(campaign, cohort)
    if counts is None:
        yield f"{where} only the data can tell (set match.exams_per_level to fix the number of exams)"
        return
    runs = _own_runs(campaign, experiment, cohort)
    few, many = min(map(min, runs)), max(map(max, runs))
    if few < 2:
        yield (
            f"{where} none, with {few:.2g} kept runs in a cell: nothing tells how runs differ (rounds.target)"
        )
        return
    test = next(row for row in counts.rows if row.split == "test")
    margin = campaign.analysis.margin
    if experiment.what.answers == "mask":
        effects, unit = _dice_effects(campaign, cohort, runs, test), "Dice"
        stated = margin.dice
        exams = f"{test.exams}"
    else:
        effects, unit = _sphere_effects(campaign, cohort, runs, test), "AUROC points"
        stated = 100 * margin.auroc
        exams = f"{test.positives} + {test.negatives}"
    found = ", ".join(f"{name} {effect:.2g}" for name, effect in effects.items())
    a_cell = f"{few:.0f}" if round(few) == round(many) else f"{few:.0f} to {many:.0f}"
    yield f"{where} {found} {unit} ({a_cell} runs a cell, {exams} test exams per {campaign.factor.title})"
    if experiment.name in campaign.compared:
        often = (
            "4 campaigns of 5 or more"
            if effects["advantage"] <= stated
            else "fewer than 4 campaigns of 5: too small for it"
        )
        yield f"    margin {stated:g} {unit}: networks without an advantage would meet it in {often}"


def _sphere_effects(campaign: Campaign, cohort: str, runs: Runs, test: SplitCount) -> dict[str, float]:
    """In AUROC points; there is no growth over one task."""
    axis = difficulty_axis(campaign.datasets.spheres.difficulties)
    tasks = sphere_tasks(
        axis,
        runs,
        positives=test.positives,
        negatives=test.negatives,
        twins=are_twins(campaign, cohort),
        assumed=campaign.analysis.assumed,
    )
    effects = {"advantage": 100 * _least_effect(campaign, tasks, [1 / len(tasks)] * len(tasks))}
    if len(tasks) > 1:
        effects["growth"] = 100 * _least_effect(campaign, tasks, growth_weights(axis).tolist())
    return effects


def _dice_effects(campaign: Campaign, cohort: str, runs: Runs, test: SplitCount) -> dict[str, float]:
    twins = are_twins(campaign, cohort)
    task = dice_task(runs[0], exams=test.exams, twins=twins, assumed=campaign.analysis.assumed)
    return {"advantage": _least_effect(campaign, [task], [1.0])}


def _least_effect(campaign: Campaign, tasks: Sequence[Task], weights: Sequence[float]) -> float:
    settings = campaign.analysis
    correlation = settings.assumed.exam_correlation
    return least_effect(tasks, weights, correlation=correlation, confidence=settings.confidence)


def _assumed_lines(campaign: Campaign, pairs: Sequence[tuple[ExperimentSettings, str]]) -> list[str]:
    assumed = campaign.analysis.assumed
    tasks = {experiment.task for experiment, _ in pairs}
    lines = ["  assumed (analysis.assumed; the report gives a campaign's own)"]
    if "spheres" in tasks:
        lines.append(
            f"    AUROC {assumed.first_auroc:g} in the first task to {assumed.auroc:g} in the last, standard "
            f"deviation there {assumed.run_sd:g} over runs"
        )
    if "segmentation" in tasks:
        over_runs, over_exams = assumed.dice_run_sd, assumed.dice_exam_sd
        lines.append(f"    Dice: standard deviation {over_runs:g} over runs, {over_exams:g} over exams")
    lines.append(
        f"    correlation {assumed.run_correlation:g} of a run on two {campaign.factor.plural}, "
        f"{assumed.exam_correlation:g} of two training sets or tasks on an exam"
    )
    if any(are_twins(campaign, cohort) for _, cohort in pairs):
        lines.append(f"    correlation {assumed.twin_correlation:g} of a network on a head's twins")
    return lines


def _own_runs(campaign: Campaign, experiment: ExperimentSettings, cohort: str) -> Runs:
    """Runs expected to be kept of each task, trained on one level after the other."""
    arms = {arm.own_level: arm.name for arm in experiment.all_arms}
    kept = {
        (row.cell.dataset, row.cell.training_set): row.kept
        for row in cell_estimates(campaign)
        if row.cell.experiment == experiment.name and row.cell.cohort == cohort
    }
    return tuple(
        tuple(kept[dataset, arms[level]] for level in campaign.factor.levels)
        for dataset in campaign.datasets_of(experiment)
    )
