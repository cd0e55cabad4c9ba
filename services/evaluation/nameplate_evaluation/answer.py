"""The answer in words, built from the numbers and no more certain than they are."""

import math
from dataclasses import dataclass

from nameplate.campaign import MIXED
from nameplate_evaluation.analysis import ALL, Analysis, ResultGrid
from nameplate_evaluation.control import Check
from nameplate_evaluation.gap import Advantage, Gap, growth
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.table import Kind, interval, printed


@dataclass(frozen=True, slots=True)
class Answer:
    """The headline of the report."""

    sentence: str
    warnings: tuple[str, ...]
    """Reasons not to trust the headline."""
    findings: tuple[str, ...]
    """What else the numbers say, one sentence each."""


def answer_of(
    analysis: Analysis, advantages: tuple[Advantage, ...], gaps: tuple[Gap, ...], checks: tuple[Check, ...]
) -> Answer:
    """Read the answer from the figures; it says when an interval contains zero."""
    grids = analysis.of_task("spheres")
    grid = next((g for g in grids if g.cells), None)
    chosen = tuple(a for a in advantages if grid and a.grid is grid and a.group == 0)
    sentence, findings = _main(analysis, grid, chosen)
    if grid is not None:
        findings += _difficulty(analysis, grid)
        findings += _mixed_gap(grid, gaps)
    findings += _naming(analysis)
    findings += _segmentation(advantages)
    if any(check.verdict == "fails" for check in checks):
        sentence = f"not to be relied on, as the null control fails: {sentence}"
    if grid is not None and chosen and analysis.campaign.cohorts[grid.cohort].phantom is not None:
        sentence = f"in simulated heads, {sentence}"
    sentence = sentence[0].upper() + sentence[1:]
    return Answer(sentence, tuple(_warnings(analysis, checks)), tuple(findings))


def _number(estimate: Estimate, kind: Kind) -> str:
    span = interval(estimate, kind)
    return f"{printed(estimate.mean, kind)} ({span})" if span else printed(estimate.mean, kind)


def _main(
    analysis: Analysis, grid: ResultGrid | None, advantages: tuple[Advantage, ...]
) -> tuple[str, list[str]]:
    factor = analysis.campaign.factor.name
    if grid is None:
        return "no answer yet: the campaign has no results of sphere classification.", []
    accuracy = [a for a in advantages if a.metric == "accuracy"]
    area = {a.dataset: a for a in advantages if a.metric == "auroc"}
    if not accuracy:
        return (
            f"no answer yet: without kept models for training on each {factor} alone, the effect of the"
            f" training set cannot be told from that of the test exams.",
            [],
        )
    if len(accuracy) == 1:
        only = accuracy[0]
        holds = only.estimate.holds(0.0)
        size = _number(only.estimate, "points")
        tail = "; the interval contains zero" if holds else ""
        return (
            f"on the one task that can be judged ({only.dataset}), being tested on the {factor} that was"
            f" trained on is worth {size} points of accuracy{tail}.",
            [],
        )
    easy, hard = accuracy[0], accuracy[-1]
    rise = growth(analysis, easy, hard)
    rises = [rise]
    findings = []
    if easy.dataset in area and hard.dataset in area:
        rises.append(growth(analysis, area[easy.dataset], area[hard.dataset]))
        findings.append(
            f"In AUROC, which does not depend on a threshold, the advantage is"
            f" {_number(area[easy.dataset].estimate, 'points')} points on"
            f" {easy.dataset} and {_number(area[hard.dataset].estimate, 'points')} on"
            f" {hard.dataset}: a change of {_number(rises[1], 'points')}, which"
            f" {_zero(rises[1])}."
        )
    findings.insert(
        0,
        f"The advantage in accuracy is {_number(easy.estimate, 'points')} points on {easy.dataset} and"
        f" {_number(hard.estimate, 'points')} on {hard.dataset}: a change of {_number(rise, 'points')}, which"
        f" {_zero(rise)}.{_runs(easy, hard)}",
    )
    up = [estimate.low is not None and estimate.low > 0 for estimate in rises]
    down = [estimate.high is not None and estimate.high < 0 for estimate in rises]
    real = hard.estimate.low is not None and hard.estimate.low > 0
    if all(up) and real:
        head = f"a network does better on the {factor} it was trained on, and more so on a harder task"
    elif all(up):
        head = (
            f"the {factor} it was trained on matters more to a network on a harder task, though the"
            " advantage may still be zero there"
        )
    elif all(down):
        head = f"the {factor} it was trained on matters less to a network on a harder task, not more"
    elif any(up) or any(down):
        which = "accuracy" if (up[0] or down[0]) else "AUROC"
        way = "grows" if any(up) else "shrinks"
        head = f"the evidence is mixed: the effect of the training set's {factor} {way} in {which} only"
    else:
        head = f"it is not shown that the training set's {factor} matters more on a harder task"
    span = interval(rise, "points")
    within = ""
    if span:
        tail = ", which contains zero" if rise.holds(0.0) else ""
        within = f" ({100 * analysis.confidence:g}\u00a0% interval of the change {span}{tail})"
    sizes = [printed(advantage.estimate.mean, "points") for advantage in (easy, hard)]
    return (
        f"{head}. The own-{factor} advantage is {sizes[0]} points of accuracy on {easy.dataset} spheres and"
        f" {sizes[1]} on {hard.dataset} ones{within}.",
        findings,
    )


def _runs(easy: Advantage, hard: Advantage) -> str:
    """How much of the change may be due to the small number of kept runs."""
    if easy.error_of_models is None or hard.error_of_models is None:
        return " Too few models were kept to say how much other training runs would change it."
    error = math.hypot(easy.error_of_models, hard.error_of_models)
    return f" Other training runs would move the change by a standard error of {printed(error, 'spread')}."


def _zero(estimate: Estimate) -> str:
    holds = estimate.holds(0.0)
    if holds is None:
        return "has no interval"
    return "may be zero (the interval contains it)" if holds else "excludes zero"


def _difficulty(analysis: Analysis, grid: ResultGrid) -> list[str]:
    words = []
    for dataset in analysis.campaign.datasets_of(grid.experiment):
        figure = analysis.estimate(grid.measured(dataset, MIXED, ALL, "accuracy"))
        if figure is not None:
            words.append(f"{printed(figure.mean, 'percent')} % on {dataset} ({interval(figure, 'percent')})")
    if len(words) < 2:
        return []
    return [f"Difficulty by itself, with mixed training on all test exams: accuracy {', '.join(words)}."]


def _mixed_gap(grid: ResultGrid, gaps: tuple[Gap, ...]) -> list[str]:
    mixed = [g for g in gaps if g.grid is grid and g.training_set == MIXED and "accuracy" in g.by_metric]
    if not mixed:
        return []
    zero = [g for g in mixed if g.by_metric["accuracy"].holds(0.0)]
    words = [
        f"{printed(g.by_metric['accuracy'].mean, 'points')} on {g.dataset}"
        f" ({interval(g.by_metric['accuracy'], 'points')})"
        for g in mixed
        if (g.first, g.second) == (mixed[0].first, mixed[0].second)
    ]
    tail = (
        "every interval contains zero"
        if len(zero) == len(mixed)
        else "no interval contains zero"
        if not zero
        else f"{len(zero)} of {len(mixed)} intervals contain zero"
    )
    return [
        f"With mixed training, the gap in accuracy between {mixed[0].first} and {mixed[0].second} test exams"
        f" is {', '.join(words)} points; {tail}."
    ]


def _naming(analysis: Analysis) -> list[str]:
    factor = analysis.campaign.factor.name
    lines = []
    for grid in analysis.of_task("factor"):
        measured = [analysis.estimate(c.measured.get((ALL, "accuracy"))) for c in grid.cells]
        known = [estimate for estimate in measured if estimate is not None]
        if known:
            values = " and ".join(f"{printed(estimate.mean, 'percent')} %" for estimate in known)
            lines.append(
                f"The {factor} is named from three slices with an accuracy of {values}"
                + (" in the groups of runs." if len(known) > 1 else ".")
            )
        elif grid.cells:
            trained = sum(c.cell.selection.trained for c in grid.cells)
            lines.append(f"No run learned to name the {factor} (0 of {trained} converged).")
    return lines


def _segmentation(advantages: tuple[Advantage, ...]) -> list[str]:
    lines = []
    for advantage in advantages:
        if advantage.metric == "dice":
            estimate = advantage.estimate
            lines.append(
                f"In brain segmentation the advantage is {printed(estimate.mean, 'dice')} Dice"
                f" ({interval(estimate, 'dice')}), which {_zero(estimate)}."
            )
    return lines


def _warnings(analysis: Analysis, checks: tuple[Check, ...]) -> list[str]:
    factor = analysis.campaign.factor.name
    lines = []
    cohorts = {grid.cohort for grid in analysis.study} or {
        name for name, cohort in analysis.campaign.cohorts.items() if cohort.role == "study"
    }
    simulated = sorted(name for name in cohorts if analysis.campaign.cohorts[name].phantom is not None)
    if simulated:
        lines.append(
            "The exams are simulated: these numbers show what the method finds in simulated heads and"
            " nothing about real scanners."
            + ("" if set(simulated) == cohorts else f" (Cohort {', '.join(simulated)}.)")
        )
    for cohort in analysis.results.cohorts:
        splits: dict[str, set[str]] = {}
        for member in cohort.members:
            splits.setdefault(member.patient, set()).add(member.split)
        leaks = sum(len(of_patient) > 1 for of_patient in splits.values())
        if leaks:
            lines.append(
                f"{leaks} patients of cohort {cohort.name} are in more than one split: the results leak."
            )
    failed = [check for check in checks if check.verdict == "fails"]
    unmeasured = [check for check in checks if check.verdict == "not measured"]
    if failed:
        lines.append(
            f"The null control fails ({'; '.join(check.what for check in failed)}): an effect was found"
            f" where none was put in, so the effects below cannot be put down to the {factor}."
        )
    elif not checks:
        lines.append("There is no null control: no cohort without effect shows what chance and leaks can do.")
    elif unmeasured:
        runs = sum(check.trained for check in unmeasured)
        lines.append(
            f"The null control is {'not measured' if len(unmeasured) == len(checks) else 'measured in part'}:"
            f" {len(unmeasured)} of {len(checks)} checks have no converged run ({runs} were trained)."
        )
    missing = [
        figures.cell.selection
        for grid in analysis.study
        for figures in grid.cells
        if not figures.cell.selection.kept
    ]
    if missing:
        lines.append(
            f"{len(missing)} {'cells have' if len(missing) > 1 else 'cell has'} no kept model: "
            + "; ".join(
                f"{last.cell.dataset}, trained on {last.cell.training_set}: no run converged, "
                f"{last.converged} of {last.trained}"
                for last in missing
            )
            + "."
        )
    return lines
