"""What the answer rests on: controls, power, where the variance comes from, what was trained."""

from nameplate_evaluation.advantage import Advantage
from nameplate_evaluation.analysis import Analysis
from nameplate_evaluation.claim import Claim
from nameplate_evaluation.control import Check
from nameplate_evaluation.measure import Estimate, contrast_of
from nameplate_evaluation.table import interval, printed

MORE_RUNS, MORE_EXAMS = 4, 40
"""What the advice compares: more runs in every cell, and more test exams."""


def rests_on(analysis: Analysis, claim: Claim | None, checks: tuple[Check, ...]) -> list[tuple[str, str]]:
    """A word and a line each."""
    lines: list[tuple[str, str]] = []
    for role, word in (("null-control", "Null control"), ("positive-control", "Positive control")):
        of_role = [check for check in checks if check.role == role]
        if of_role:
            many = role == "null-control" and len(of_role) > 1
            widened = f" The intervals are widened for {len(of_role)} checks." if many else ""
            lines.append((word, "; ".join(_checked(check) for check in of_role) + f".{widened}"))
    if claim is None or not claim.answers:
        return lines
    overall, growth = claim.advantage.overall, claim.advantage.growth
    power = f"An advantage of {printed(overall.detectable, 'spread')} AUROC points"
    if growth is not None and growth.detectable is not None:
        power += f", and a growth of {printed(growth.detectable, 'spread')},"
    lines.append(("Power", f"{power} would have been found in four campaigns of five."))
    if scales := _scales(claim):
        lines.append(("Growth", scales))
    lines.append(("Runs and patients", _advice(analysis, claim.advantage)))
    cells = [c for c in claim.advantage.grid.cells if c.cell.selection.kept]
    trained = sum(c.cell.selection.trained for c in cells)
    kept = sum(len(c.cell.selection.kept) for c in cells)
    lines.append(("Runs kept", f"{kept} of {trained} that were trained, {runs_of(claim.advantage)}."))
    if dial := _dial(analysis, claim.advantage.grid.cohort):
        lines.append(("Differences", dial))
    return lines


def _scales(claim: Claim) -> str:
    """What the two scales say of the growth, where they do not say the same."""
    in_points, in_probit = claim.advantage.growth, claim.probit.growth
    if in_points is None or in_probit is None:
        return ""
    said = [_sign(growth) for growth in (in_points, in_probit)]
    if None in said or said[0] == said[1]:
        return ""
    probit = f"{printed(in_probit.mean, 'signed')} on the probit scale ({interval(in_probit, 'signed')})"
    return (
        f"{points(in_points)} in points ({interval(in_points, 'points')}), {probit}. The scales"
        " differ in what they count as the same advantage on an easy and on a hard task: claimed is a growth"
        " that both show."
    )


def _sign(growth: Estimate) -> int | None:
    """Whether it is shown to be above zero (1), below (-1) or neither (0); None without an interval."""
    if growth.low is None or growth.high is None:
        return None
    return int(growth.low > 0) - int(growth.high < 0)


def _checked(check: Check) -> str:
    if check.estimate is None:
        return f"{check.verdict} ({check.what}: no run was kept)"
    kind = {"naming": "number", "dice": "dice"}.get(check.metric, "points")
    value = printed(check.estimate.mean, kind)  # type: ignore[arg-type]
    span = interval(check.estimate, kind)  # type: ignore[arg-type]
    return f"{check.verdict} ({check.what} {value}, {span})"


def _advice(analysis: Analysis, advantage: Advantage) -> str:
    """Where the variance comes from, and what would lower it more."""
    found = contrast_of(advantage.overall_parts)
    share = found.run_share
    if share is None:
        return "Nothing varied."
    runs = min(found.kept)
    exams = advantage.overall.exams
    more_runs = found.detectable_with(analysis.confidence, runs=(runs + MORE_RUNS) / runs)
    more_exams = found.detectable_with(analysis.confidence, patients=(exams + MORE_EXAMS) / exams)
    assert more_runs is not None
    assert more_exams is not None
    which = "more" if more_runs < more_exams else "less"
    return (
        f"{100 * share:.0f} % of the variance is that of runs, {100 * (1 - share):.0f} % that of patients:"
        f" four more runs a cell would help {which} than {MORE_EXAMS} more test exams (an advantage of"
        f" {printed(more_runs, 'spread')} points could then be found, or of {printed(more_exams, 'spread')})."
    )


def _dial(analysis: Analysis, cohort: str) -> str:
    """Where a simulated cohort is on the dial of the manufacturers' differences."""
    phantom = analysis.campaign.exams_of(cohort).phantom
    if phantom is None:
        return ""
    own = {name: dial for name, dial in phantom.effects.model_dump().items() if dial is not None}
    effects = ", ".join(f"{name.replace('_', ' ')} {dial:g} times" for name, dial in own.items())
    words = "of published size" if phantom.signature == 1 else f"{phantom.signature:g} times published size"
    if phantom.signature > 0:
        words += f", but for {effects}" if own else ""
    else:
        words = f"{effects} published size, and no other" if own else "none: one machine under several names"
    twins = ". Every head was scanned by every manufacturer" if phantom.twins else ""
    return f"The manufacturers' simulated differences are {words}{twins}."


def points(estimate: Estimate) -> str:
    """A difference in points with its sign."""
    return printed(estimate.mean, "points")


def runs_of(advantage: Advantage) -> str:
    kept = contrast_of(advantage.overall_parts).kept
    few, many = min(kept), max(kept)
    return f"{few} runs a cell" if few == many else f"{few} to {many} runs a cell"
