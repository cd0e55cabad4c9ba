"""The answer in words, built from the claim and no more certain than it is."""

from dataclasses import dataclass

from nameplate_evaluation import own_masks, published
from nameplate_evaluation.analysis import Analysis, ResultGrid
from nameplate_evaluation.claim import Claim
from nameplate_evaluation.control import Check
from nameplate_evaluation.quality import loss_warnings
from nameplate_evaluation.rests_on import points, rests_on, runs_of
from nameplate_evaluation.table import interval, printed
from nameplate_evaluation.tables import is_paper


@dataclass(frozen=True, slots=True)
class Answer:
    """The headline of the report."""

    sentence: str
    scope: str
    """What the sentence is about, always printed with it."""
    warnings: tuple[str, ...]
    """Reasons not to trust the headline."""
    rests_on: tuple[tuple[str, str], ...]
    """What the sentence rests on: a word and a line each."""


def answer_of(
    analysis: Analysis,
    grid: ResultGrid | None,
    claim: Claim | None,
    checks: tuple[Check, ...],
    confounds: tuple[str, ...] = (),
) -> Answer:
    """Word the claim on ``grid``, the main experiment's; ``confounds`` are warnings of what the factor cannot
    be told from."""
    sentence = _sentence(analysis, grid, claim)
    if claim is not None and grid is not None:
        failing = [c for c in checks if c.role == "null-control" and c.verdict == "fails"]
        if any(check.controls == grid.experiment.name for check in failing):
            sentence = f"not to be relied on, as the null control fails: {sentence}"
        elif claim.made and not claim.controlled:
            sentence = f"without a control that could have shown otherwise: {sentence}"
        if analysis.campaign.exams_of(grid.cohort).phantom is not None:
            sentence = f"in simulated heads, {sentence}"
    scope = ""
    if claim is not None and claim.answers:
        scope = "This is about networks trained by this protocol, and about patients like these."
    return Answer(
        sentence=sentence[0].upper() + sentence[1:],
        scope=scope,
        warnings=tuple(_warnings(analysis, claim, checks, confounds)),
        rests_on=tuple(rests_on(analysis, claim, checks)),
    )


def _sentence(analysis: Analysis, grid: ResultGrid | None, claim: Claim | None) -> str:
    factor = analysis.campaign.factor.title
    if grid is None:
        nothing = "no answer yet: the campaign has no results of a classification."
        return own_masks.sentence_of(analysis) or nothing
    if claim is None:
        return (
            f"no answer yet: without kept runs of training on each {factor} alone, the effect of the training"
            " set cannot be told from that of the test exams."
        )
    overall, growth = claim.advantage.overall, claim.advantage.growth
    if claim.kind == "one run":
        return (
            f"no answer yet: the advantage of the {factor} that was trained on is"
            f" {points(overall)} AUROC points here, but a cell has one run, and from one run nothing can be"
            " said of networks that are trained again."
        )
    size = f"{points(overall)} AUROC points, {interval(overall, 'points')}"
    better = f"a network does better on the {factor} it was trained on ({size})"
    if claim.kind == "bias and growth":
        assert growth is not None
        return (
            f"{better}, and more so on a harder task ({_change(claim)}, {interval(growth, 'points')}, also on"
            " a scale without a ceiling)."
        )
    if claim.kind == "bias and growth in points":
        assert growth is not None
        return (
            f"{better}, and loses more points on a harder task ({_change(claim)},"
            f" {interval(growth, 'points')}), as an equal effect would when a task leaves the ceiling: that"
            f" it relies more on the {factor} there is not shown."
        )
    if claim.kind == "bias":
        if growth is None or growth.detectable is None:
            return f"{better}. Nothing can be said on how this changes with difficulty."
        return (
            f"{better}. That this changes with difficulty is not shown ({_change(claim)},"
            f" {interval(growth, 'points')}; a change of {printed(growth.detectable, 'spread')} points would"
            " have been found in four campaigns of five)."
        )
    if claim.kind == "small":
        margin = printed(analysis.campaign.analysis.margin.auroc, "spread")
        return (
            f"trained on one {factor}, a network does as well on the others: the difference is within"
            f" \u00b1{margin} AUROC points ({size})."
        )
    if claim.kind == "at the ceiling" and not claim.advantage.at_ceiling:
        return "no answer yet: every run says the same of every exam."
    if claim.kind == "at the ceiling":
        return (
            f"no answer yet: every task is at the ceiling, too easy for the {factor} of the training exams to"
            f" make a difference ({size})."
        )
    if claim.kind == "negative":
        return (
            f"networks do worse on the {factor} they were trained on ({size}): look for an error before you"
            " believe it."
        )
    found = printed(overall.detectable, "spread")
    paper = ""
    if is_paper(analysis):
        paper = f"; the paper's is {printed(published.mean_advantage('auroc'), 'spread')}"
    return (
        f"it is not shown that the {factor} of the training exams matters ({size}). With"
        f" {runs_of(claim.advantage)} and {overall.exams} test exams, an advantage of {found} points would"
        f" have been found in four campaigns of five{paper}."
    )


def _change(claim: Claim) -> str:
    tasks = list(claim.advantage.by_task)
    assert claim.advantage.growth is not None
    return f"{points(claim.advantage.growth)} from {tasks[0]} to {tasks[-1]}"


def _warnings(
    analysis: Analysis, claim: Claim | None, checks: tuple[Check, ...], confounds: tuple[str, ...]
) -> list[str]:
    lines = []
    campaign = analysis.campaign
    cohorts = {grid.cohort for grid in analysis.study} or {
        name for name, cohort in campaign.cohorts.items() if cohort.role == "study"
    }
    simulated = sorted(name for name in cohorts if campaign.exams_of(name).phantom is not None)
    if simulated:
        which = "" if set(simulated) == cohorts else f" (Cohort {', '.join(simulated)}.)"
        lines.append(
            "The exams are simulated: these numbers show what the method finds in simulated heads and"
            f" nothing about real scanners.{which}"
        )
    lines += confounds
    lines += _leaks(analysis)
    for cohort in analysis.results.cohorts:
        lines += loss_warnings(cohort) if cohort.name in cohorts else ()
    lines += _control_warnings(analysis, claim, checks)
    if claim is not None:
        experiment = claim.advantage.grid.experiment
        if claim.advantage.missing:
            tasks = ", ".join(claim.advantage.missing)
            lines.append(f"Without kept runs of every training set, {tasks} is not part of the answer.")
        if experiment.choose_on == "own":
            lines.append(
                f"Runs were judged on validation exams of their own {campaign.factor.title} alone, as in the"
                " paper: that makes an advantage out of nothing."
            )
        if experiment.rounds.keep != "all":
            lines.append(f"Of the runs that converged, only the best {experiment.rounds.keep} count.")
    missing = [
        f"{figures.dataset}, trained on {figures.training_set}"
        for grid in analysis.study
        for figures in grid.cells
        if not figures.cell.selection.kept
    ]
    if missing:
        lines.append(f"No run converged in {len(missing)} of the cells: {'; '.join(missing)}.")
    return lines


def _leaks(analysis: Analysis) -> list[str]:
    lines = []
    for cohort in analysis.results.cohorts:
        splits: dict[str, set[str]] = {}
        for member in cohort.members:
            splits.setdefault(member.patient, set()).add(member.split)
        leaks = sum(len(of_patient) > 1 for of_patient in splits.values())
        if leaks:
            lines.append(
                f"{leaks} patients of cohort {cohort.name} are in more than one split: the results leak."
            )
    return lines


def _control_warnings(analysis: Analysis, claim: Claim | None, checks: tuple[Check, ...]) -> list[str]:
    lines = []
    factor = analysis.campaign.factor.title
    null = [check for check in checks if check.role == "null-control"]
    failed = [check.what for check in null if check.verdict == "fails"]
    if failed:
        lines.append(
            f"The null control fails ({'; '.join(failed)}): an effect was found where none was put in, so the"
            f" effects below cannot be put down to the {factor}."
        )
    if not null:
        lines.append("There is no null control: no cohort without effect shows what chance and leaks can do.")
    elif claim is not None and not claim.controls:
        lines.append(
            f"The experiment {claim.advantage.grid.experiment.name} has no null control of its own: what"
            " chance alone would give in it is not known."
        )
    positive = [check for check in checks if check.role == "positive-control"]
    unseen = [check.what for check in positive if check.verdict != "holds"]
    if unseen:
        lines.append(
            f"The positive control was not found ({'; '.join(unseen)}): the method cannot see a difference of"
            " the size that was planted there, so no claim says little."
        )
    return lines
