"""What was stated before the first result, held against the results: met, not met, or underpowered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from nameplate_evaluation.advantage import Advantage
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.claim import main_grid
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.table import Column, Table, Value

Verdict = Literal["met", "not met", "underpowered", "no result"]
MARGIN_METRICS = {"spheres": "auroc", "segmentation": "dice"}
"""The metric of each task whose margin the campaign states."""


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


@dataclass(frozen=True, slots=True)
class Size:
    """One size that was stated, and what there is."""

    what: str
    stated: int
    there: int
    verdict: Verdict


def verdict_of(estimate: Estimate | None, margin: float, *, at_ceiling: bool = False) -> tuple[Verdict, str]:
    """Non-inferiority: whether the whole interval of the advantage is below the margin.

    Where it is not, but an interval this wide would have reached the margin even around an advantage of
    zero, the campaign could not have met it: underpowered.

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
    if estimate.high - estimate.mean >= margin:
        return "underpowered", "an interval this wide would reach the margin even without an advantage"
    return "not met", "the interval reaches above the margin"


def criteria_of(analysis: Analysis, advantages: Sequence[Advantage]) -> tuple[Criterion, ...]:
    """Every stated comparison in every study cohort of its experiment, in the campaign's order."""
    stated = analysis.campaign.analysis.comparisons
    if not stated:
        grid = main_grid(analysis)
        stated = () if grid is None else (grid.experiment.name,)
    found = []
    for name in stated:
        experiment = analysis.campaign.experiment(name)
        metric = MARGIN_METRICS[experiment.task]
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
                estimate = advantage.overall if advantage else None
                verdict, why = verdict_of(
                    estimate, margin, at_ceiling=advantage is not None and advantage.at_ceiling
                )
                found.append(
                    Criterion(
                        experiment=name,
                        cohort=cohort,
                        metric=metric,
                        margin=margin,
                        estimate=estimate,
                        verdict=verdict,
                        why=why,
                    )
                )
    return tuple(found)


def sizes_of(analysis: Analysis, criteria: Sequence[Criterion]) -> tuple[Size, ...]:
    """The stated sizes of every experiment and cohort that is compared."""
    return tuple(size for criterion in criteria for size in _sizes(analysis, criterion))


def _sizes(analysis: Analysis, criterion: Criterion) -> Iterator[Size]:
    stated = analysis.campaign.analysis.sizes
    where = f"{criterion.experiment}, cohort {criterion.cohort}"
    if stated.runs is not None:
        kept = [
            len(figures.cell.selection.kept)
            for grid in analysis.grids
            if (grid.experiment.name, grid.cohort) == (criterion.experiment, criterion.cohort)
            for figures in grid.cells
        ]
        least = min(kept, default=0)
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


def criteria_table(analysis: Analysis, criteria: Sequence[Criterion]) -> Table:
    """The comparisons with margin, result and verdict."""
    factor = analysis.campaign.factor.title
    rows: list[tuple[Value, ...]] = [
        (one.experiment, one.cohort, {"auroc": "AUROC", "dice": "Dice"}[one.metric], 100 * one.margin,
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
            Column("margin", "Margin, points", "number"),
            Column("advantage", f"Own-{factor} advantage", "points"),
            Column("verdict", "Verdict"),
            Column("why", "Because"),
        ),
        tuple(rows),
        f"Stated in the campaign file, whose digest is under provenance: networks do no worse on another"
        f" {factor}'s exams than the margin allows. Met needs every row, so no row is adjusted for their"
        " number. Underpowered is no verdict on the networks, but on the size of the campaign.",
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
