"""What was stated before the first result, held against the results: met, not met, or underpowered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nameplate_evaluation.advantage import Advantage
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.measure import AT_CEILING, Estimate
from nameplate_evaluation.table import Column, Table, Value

Verdict = Literal["met", "not met", "underpowered", "no result"]
"""The metric of each task whose margin the campaign states."""
METRIC_WORDS = {"auroc": "AUROC", "dice": "Dice"}


@dataclass(frozen=True, slots=True)
class Criterion:
    """One comparison: networks do no worse on other levels than the margin allows."""

    experiment: str
    cohort: str
    metric: str
    margin: float
    estimate: Estimate | None
    """The own-level advantage over all tasks."""
    verdict: Verdict
    why: str
    named: bool = True
    """Whether the campaign file names the experiment, or it is the one that stands where none is named."""


@dataclass(frozen=True, slots=True)
class Size:
    """One size that was stated, and what there is."""

    what: str
    stated: int
    there: int
    verdict: Verdict


def verdict_of(estimate: Estimate | None, margin: float, *, at_ceiling: bool = False) -> tuple[Verdict, str]:
    """Non-inferiority: whether the whole interval of the advantage is below the margin.

    Of a two-sided interval at 95 % this is a one-sided test at 2.5 %. Underpowered is an interval that holds
    zero and the margin, and is so wide that it would have reached the margin even around zero. Where an
    advantage is shown, a wide interval is no excuse: not met.

    >>> verdict_of(Estimate(mean=0.001, low=-0.01, high=0.012, models=6, exams=90), 0.02)[0]
    'met'
    >>> verdict_of(Estimate(mean=0.01, low=-0.03, high=0.05, models=6, exams=90), 0.02)[0]
    'underpowered'
    """
    if estimate is None:
        return "no result", "no kept runs of training on each level alone"
    if estimate.low is None or estimate.high is None:
        return "no result", f"no interval: {estimate.note}"
    if at_ceiling:
        return "no result", "every task is at the ceiling: too easy for a difference to show"
    if estimate.high < margin:
        return "met", "the whole interval is below the margin"
    if estimate.low > margin:
        return "not met", "the whole interval is above the margin"
    if estimate.low > 0:
        return "not met", "there is an advantage, and it is not shown to be below the margin"
    if estimate.high - estimate.mean >= margin:
        return "underpowered", "an interval this wide would reach the margin even without an advantage"
    return "not met", "the interval reaches above the margin"


def criteria_of(analysis: Analysis, advantages: Sequence[Advantage]) -> tuple[Criterion, ...]:
    """Every stated comparison in every study cohort of its experiment, in the campaign's order."""
    named = analysis.campaign.analysis.comparisons
    found = []
    for name in analysis.campaign.compared:
        experiment = analysis.campaign.experiment(name)
        metric = experiment.what.compared_in[0]
        margin = getattr(analysis.campaign.analysis.margin, metric)
        for cohort in experiment.cohorts:
            if analysis.role(cohort) != "study":
                continue
            mine: list[Advantage | None] = [
                one
                for one in advantages
                if (one.grid.experiment.name, one.grid.cohort, one.metric) == (name, cohort, metric)
            ]
            for advantage in mine or [None]:
                verdict, why = _verdict(advantage, margin)
                found.append(
                    Criterion(
                        experiment=name,
                        cohort=cohort,
                        metric=metric,
                        margin=margin,
                        estimate=advantage.overall if advantage else None,
                        verdict=verdict,
                        why=why,
                        named=bool(named),
                    )
                )
    return tuple(found)


def _verdict(advantage: Advantage | None, margin: float) -> tuple[Verdict, str]:
    """On all tasks: without the hardest, or among easy ones, it is easier to meet."""
    if advantage is None:
        return verdict_of(None, margin)
    if advantage.missing:
        return "no result", f"no kept runs of each level alone on {', '.join(advantage.missing)}"
    verdict, why = verdict_of(advantage.overall, margin, at_ceiling=advantage.at_ceiling)
    easy = sum(one.note == AT_CEILING for one in advantage.by_task.values())
    if verdict == "met" and easy:
        why += f"; of {len(advantage.by_task)} tasks {easy} at the ceiling, where none can show"
    return verdict, why


def sizes_of(analysis: Analysis, criteria: Sequence[Criterion]) -> tuple[Size, ...]:
    """The stated sizes of every experiment and cohort that is compared."""
    return tuple(size for criterion in criteria for size in _sizes(analysis, criterion))


def _sizes(analysis: Analysis, criterion: Criterion) -> Iterator[Size]:
    stated = analysis.campaign.analysis.sizes
    where = f"{criterion.experiment}, cohort {criterion.cohort}"
    if stated.runs is not None:
        experiment = analysis.campaign.experiment(criterion.experiment)
        kept = {
            (figures.dataset, figures.training_set, figures.group): len(figures.cell.selection.kept)
            for grid in analysis.grids
            if (grid.experiment.name, grid.cohort) == (criterion.experiment, criterion.cohort)
            for figures in grid.cells
        }
        # A cell that is not there yet has no runs; cells of mixed training sets are not compared.
        least = min(
            kept.get((dataset, arm.name, group), 0)
            for dataset in analysis.campaign.datasets_of(experiment)
            for arm in experiment.all_arms
            if arm.own_level is not None
            for group in range(experiment.groups)
        )
        what = f"{where}: kept runs of the cell with fewest"
        yield Size(what, stated.runs, least, _enough(least, stated.runs))
    if stated.test_exams is not None:
        members = [
            member
            for cohort in analysis.results.cohorts
            if cohort.name == criterion.cohort
            for member in cohort.members
            if member.split == "test"
        ]
        least = min(sum(member.level == level for member in members) for level in analysis.levels)
        what = f"{where}: test exams of the level with fewest"
        yield Size(what, stated.test_exams, least, _enough(least, stated.test_exams))


def _enough(there: int, stated: int) -> Verdict:
    return "met" if there >= stated else "not met"


def chosen_by_default(criteria: Sequence[Criterion]) -> bool:
    """Whether the campaign names no comparison, and these are of the experiment that stands instead."""
    return bool(criteria) and not any(one.named for one in criteria)


def criteria_table(analysis: Analysis, criteria: Sequence[Criterion]) -> Table:
    """The comparisons with margin, result and verdict."""
    factor, confidence = analysis.campaign.factor.title, analysis.confidence
    default = (
        " The campaign names no comparison: this is its first sphere experiment of each level alone."
        if chosen_by_default(criteria)
        else ""
    )
    rows: list[tuple[Value, ...]] = [
        (one.experiment, one.cohort, METRIC_WORDS[one.metric], one.margin,
         one.estimate, one.verdict, one.why)
        for one in criteria
    ]  # fmt: skip
    return Table(
        "stated-comparisons",
        "What was stated before, and whether it was met",
        (
            Column("experiment", "Experiment"),
            Column("cohort", "Cohort"),
            Column("metric", "Metric"),
            Column("margin", "Margin, points", "spread"),
            Column("advantage", f"Own-{factor} advantage", "points"),
            Column("verdict", "Verdict"),
            Column("why", "Because"),
        ),
        tuple(rows),
        f"Stated in the campaign file, whose digest is under provenance: networks do no worse on another"
        f" {factor}'s exams than the margin allows, on the mean over all tasks. Met: the whole interval at"
        f" {100 * confidence:g} % is below the margin, a one-sided test at {50 * (1 - confidence):.3g} %. The"
        " claim is met if every row is, so no row is adjusted for their number; a single row by itself is no"
        " such claim. Underpowered: the interval holds zero and is so wide that the margin could not be told"
        f" from it, which says nothing of the networks. The report's sentence calls an advantage small by"
        f" two one-sided tests at 5 %, which is less strict.{default}",
        "evidence",
    )


def sizes_table(sizes: Sequence[Size]) -> Table:
    """Sizes that were stated, and what there is."""
    return Table(
        "stated-sizes",
        "Sizes that were stated before",
        (
            Column("what", "Size"),
            Column("stated", "Stated", "count"),
            Column("there", "There is", "count"),
            Column("verdict", "Verdict"),
        ),
        tuple((size.what, size.stated, size.there, size.verdict) for size in sizes),
        "",
        "evidence",
    )
