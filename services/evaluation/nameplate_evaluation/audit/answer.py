"""The answer of an audit in words, one for each network, and no more certain than it is."""

from dataclasses import dataclass
from typing import Literal

from nameplate_evaluation.audit.audit import Audit, NetworkAudit
from nameplate_evaluation.audit.comparison import LevelGap
from nameplate_evaluation.audit.figure import difference
from nameplate_evaluation.measure import Estimate
from nameplate_evaluation.separability.words import listed
from nameplate_evaluation.table import Kind, interval, printed

Verdict = Literal["gap", "within the margin", "not shown", "nothing to compare"]
ALPHA = 0.05


@dataclass(frozen=True, kw_only=True)
class AuditAnswer:
    """What is said of one network."""

    network: str
    verdict: Verdict
    sentence: str
    rests_on: tuple[tuple[str, str], ...]
    """A word and a line each."""


def answers_of(audit: Audit) -> tuple[AuditAnswer, ...]:
    """One for each network."""
    return tuple(_answer(audit, one) for one in audit.networks)


def kind_of(audit: Audit) -> Kind:
    """How the gaps of the main metric are printed."""
    return "dice points" if audit.table.is_dice else "points"


def is_found(gap: LevelGap) -> bool:
    """Whether a gap is more than chance, all comparisons of the answer together."""
    return gap.p_holm is not None and gap.p_holm <= ALPHA


def _answer(audit: Audit, one: NetworkAudit) -> AuditAnswer:
    gaps = one.main_gaps
    metric = "Dice" if audit.table.is_dice else "AUROC"
    title = audit.factor.title
    margin = printed(audit.margin, "dice" if audit.table.is_dice else "spread")
    unit = "" if audit.table.is_dice else " points"
    within = [_is_within(audit, one, gap) for gap in gaps]
    found = [gap for gap in gaps if is_found(gap)]
    verdict: Verdict
    if not gaps:
        verdict = "nothing to compare"
        reasons = sorted({v for of in one.main.of_level for v in of.values.values() if isinstance(v, str)})
        why = "; ".join(reasons)
        sentence = f"nothing can be said: fewer than two levels of the {title} have a {metric} ({why})."
    elif found:
        verdict = "gap"
        largest = max(found, key=lambda gap: abs(gap.estimate.mean))
        better, worse = (
            (largest.first, largest.second) if largest.estimate.mean > 0 else (largest.second, largest.first)
        )
        sentence = (
            f"the network does better on {better} than on {worse}: {metric} {_size(audit, largest.estimate)}."
            f" {_beside_margin(audit, one, largest, margin + unit)}"
        )
    elif all(within):
        verdict = "within the margin"
        sentence = (
            f"gaps between the {audit.factor.plural} that are compared are within the margin of"
            f" \u00b1{margin}{unit}{'' if audit.settings.margin else ' (nobody stated another)'}; the"
            f" largest, {_largest(audit, gaps)}."
        )
    else:
        verdict = "not shown"
        alone = any(gap.estimate.p is not None and gap.estimate.p <= ALPHA for gap in gaps)
        holm = (
            f" Looked at alone it would be; among {audit.comparisons} comparisons chance makes such."
            if alone
            else ""
        )
        sentence = (
            f"a gap between {audit.factor.plural} is not shown: the largest in {metric},"
            f" {_largest(audit, gaps)}.{holm} {_power(audit, gaps)}"
        )
    if verdict != "nothing to compare":
        sentence += _left_out(audit, one)
    if len(audit.networks) > 1:
        sentence = f"{one.network.name}: {sentence}"
    else:
        sentence = sentence[0].upper() + sentence[1:]
    return AuditAnswer(
        network=one.network.name,
        verdict=verdict,
        sentence=sentence,
        rests_on=tuple(_rests_on(audit, one)),
    )


def _size(audit: Audit, estimate: Estimate) -> str:
    """A gap without its sign, with its interval."""
    if estimate.mean < 0:
        low = None if estimate.high is None else -estimate.high
        high = None if estimate.low is None else -estimate.low
        estimate = Estimate(
            mean=-estimate.mean, low=low, high=high, models=estimate.models, exams=estimate.exams
        )
    kind = kind_of(audit)
    word = "" if audit.table.is_dice else " points"
    return f"{printed(estimate.mean, kind)}{word} ({interval(estimate, kind)})"


def _largest(audit: Audit, gaps: tuple[LevelGap, ...]) -> str:
    largest = max(gaps, key=lambda gap: abs(gap.estimate.mean))
    first, second = largest.first, largest.second
    if largest.estimate.mean < 0:
        first, second = second, first
    return f"{first} minus {second}, is {_size(audit, largest.estimate)}"


def _left_out(audit: Audit, one: NetworkAudit) -> str:
    """Levels that the sentence is not about."""
    factor = audit.factor
    parts = []
    if count := factor.small + factor.beyond:
        exams = factor.small_exams + factor.beyond_exams
        word = factor.plural if count > 1 else factor.title
        parts.append(f"{count} further {word} ({exams} exams)")
    parts += [
        f"{of.level} ({value})"
        for of in one.main.of_level
        if isinstance(value := of.values[audit.metric], str)
    ]
    return f" Not compared: {listed(parts)}." if parts else ""


def _beside_margin(audit: Audit, one: NetworkAudit, gap: LevelGap, margin: str) -> str:
    """What the gap's interval says of the margin, at the confidence that all comparisons together have."""
    wide = _again(one, gap, 1 - (1 - audit.settings.confidence) / audit.comparisons)
    low, high = wide.low, wide.high
    if low is None or high is None:
        return ""
    least, most = (low, high) if gap.estimate.mean > 0 else (-high, -low)
    if least > audit.margin:
        return f"All of the interval is beyond the margin of {margin}."
    if most < audit.margin:
        return f"All of the interval is within the margin of {margin}: the gap is there, and small."
    return f"Whether it is more than the margin of {margin} is not shown."


def _is_within(audit: Audit, one: NetworkAudit, gap: LevelGap) -> bool:
    """Whether the gap is shown to be within the margin: two one-sided tests."""
    narrow = _again(one, gap, 1 - 2 * (1 - audit.settings.confidence))
    if narrow.low is None or narrow.high is None:
        return False
    return -audit.margin < narrow.low and narrow.high < audit.margin


def _again(one: NetworkAudit, gap: LevelGap, confidence: float) -> Estimate:
    """The gap with an interval of another confidence."""
    figures = {of.level: of.figures for of in one.main.of_level}
    first, second = (figures[level][gap.metric] for level in (gap.first, gap.second))
    return difference(first, second, confidence)


def _power(audit: Audit, gaps: tuple[LevelGap, ...]) -> str:
    known = [gap.estimate.detectable for gap in gaps if gap.estimate.detectable is not None]
    if len(known) < len(gaps):
        why = "too few exams, or figures at the ceiling"
        return f"What gap would have been found cannot be said of all pairs: {why}."
    word = "" if audit.table.is_dice else " points"
    size = printed(max(known), "dice" if audit.table.is_dice else "spread")
    alone = " (looked at alone)" if len(gaps) > 1 else ""
    return f"A gap of {size}{word} would have been found in four audits of five{alone}."


def _rests_on(audit: Audit, one: NetworkAudit) -> list[tuple[str, str]]:
    whole = one.whole
    runs = len(one.network.runs)
    lines = []
    of_label = "" if whole.positives is None else f", {whole.positives} of them positive"
    lines.append(("Exams", f"{whole.exams} of {whole.patients} patients{of_label}."))
    if runs > 1:
        lines.append(
            ("Runs", f"{runs}: intervals are about networks that are trained again, on other patients.")
        )
    else:
        lines.append(
            (
                "Runs",
                "one network as it is: intervals are about other patients, not about networks trained again.",
            )
        )
    if one.main_gaps:
        lines.append(("Power", _power(audit, one.main_gaps)))
        if audit.comparisons > 1:
            lines.append(
                (
                    "Multiplicity",
                    f"{audit.comparisons} comparisons make the answer, adjusted by Holm's method.",
                )
            )
    odds = one.main.odds
    if odds.equal_opportunity is not None:
        lines.append(
            (
                "Odds",
                f"at the threshold of {one.threshold:g}, {one.threshold_from}, the equal-opportunity"
                f" difference is {printed(odds.equal_opportunity, 'spread')} points, the average-odds"
                f" difference {printed(odds.average_odds, 'spread')}: largest differences of any two"
                " levels, which chance alone makes larger than zero.",
            )
        )
    for within in one.within:
        if abs(within.gap.mean) + abs(within.pooled.mean) > 0:
            lines.append(
                (
                    f"Within {within.column.title}",
                    f"{within.first} minus {within.second} is {printed(within.gap.mean, kind_of(audit))}"
                    f" ({interval(within.gap, kind_of(audit))}) in {within.strata}"
                    f" {'stratum' if within.strata == 1 else 'strata'} with {within.exams} of"
                    f" {within.of_exams} exams, {printed(within.pooled.mean, kind_of(audit))} in"
                    " the same exams together.",
                )
            )
    return lines
