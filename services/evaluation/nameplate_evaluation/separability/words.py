"""Separability in words: a verdict a field, the sentences of the section, and the report's warnings."""

from collections.abc import Sequence

from nameplate_evaluation.separability.confound import GOOD_OVERLAP, OWN_VALUES
from nameplate_evaluation.separability.power import WORTH_FINDING
from nameplate_evaluation.separability.proposal import Proposal
from nameplate_evaluation.separability.separability import FieldRow, Separability
from nameplate_evaluation.separability.strata import Stratified
from nameplate_evaluation.table import interval, printed

CAUSE_OR_WAY = (
    "A field that goes with the {factor} need not be an error of the study: one that came with it by the"
    " choice of exams, as a hospital or a dose may, confounds its effect and should be matched, while one"
    " through which it acts, as its kernels may be, is a part of its effect, which matching would take away."
    " Which it is cannot be read from these numbers; it takes knowledge of the scanners and of how the exams"
    " were collected."
)
"""For a reader who must judge what an effect of the factor means."""


def verdict(row: FieldRow, factor: str) -> str:
    """One field in a few words; ``factor`` is its title."""
    found = row.judged
    if found.kind == "constant":
        return "constant"
    if found.kind == "not known":
        if found.reason == OWN_VALUES:
            return f"not known: {found.reason}"
        return f"not known for {listed(found.unknown)}: {found.reason}"
    overlap = f"overlap {_percent(found.overlap)} %"
    if found.kind == "cannot be told":
        return f"cannot be told from the {factor} ({overlap}){_why(row)}"
    if found.kind == "partly":
        if found.overlap is not None and found.overlap >= GOOD_OVERLAP:
            return f"partly ({overlap}, but in other shares)"
        return f"partly ({overlap})"
    if found.kind == "no difference found":
        return f"no difference found (few exams, {overlap})"
    return f"told apart ({overlap})"


def sentences(
    found: Separability, strata: Sequence[Stratified] | None = None, proposal: Proposal | None = None
) -> tuple[str, ...]:
    """The verdict on one cohort, sentence by sentence, the most important first.

    ``strata`` and ``proposal`` are of the same cohort; ``strata`` are None where there is no advantage yet.
    """
    return (
        *_overall(found),
        *_by_kind(found),
        *_missing(found),
        *_together(found),
        *(() if strata is None else _strata(found, strata)),
        *_proposal(found, proposal),
        CAUSE_OR_WAY.format(factor=found.factor.title),
    )


def warnings(found: Separability) -> tuple[str, ...]:
    """For the first block of the report: at most one sentence, if any overlap is below 20 %."""
    low = found.low()
    if not low:
        return ()
    factor = found.factor.title
    return (
        f"In cohort {found.cohort} the {factor} {hardly_told(low)} from {_with_overlaps(low)}: an effect of"
        f" the {factor} could be {whose(low)}.",
    )


def listed(names: Sequence[str]) -> str:
    """A, B and C."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _percent(share: float | None) -> str:
    """Whole percent; a share that is not nothing is not printed as nothing, nor one below all as all."""
    if share is None:
        return "?"
    whole = round(100 * share)
    if whole == 0 and share > 0:
        return "< 1"
    return "> 99" if whole == 100 and share < 1 else str(whole)


def _titles(rows: Sequence[FieldRow]) -> str:
    return listed([row.field.title for row in rows])


def hardly_told(low: Sequence[FieldRow]) -> str:
    """How well the factor can be told from fields with little overlap."""
    return "cannot be told" if all(row.kind == "cannot be told" for row in low) else "can hardly be told"


def whose(rows: Sequence[FieldRow]) -> str:
    """To whom an effect of the factor could belong instead: these fields."""
    return "theirs" if len(rows) > 1 else f"the {_titles(rows)}'s"


def _opening(text: str) -> str:
    """At the start of a sentence; other capitals, as in a column's name, stay."""
    return text[:1].upper() + text[1:]


def _with_overlaps(rows: Sequence[FieldRow]) -> str:
    """Names, with one overlap for all where it is the same."""
    shares = [_percent(row.judged.overlap) for row in rows]
    if len(set(shares)) == 1:
        return f"{_titles(rows)} (overlap {shares[0]} %)"
    return listed([f"{row.field.title} ({share} %)" for row, share in zip(rows, shares, strict=True)])


def _why(row: FieldRow) -> str:
    if row.nested:
        return ", by nature"
    return "; each institution has one" if row.one_site else ""


def _overall(found: Separability) -> list[str]:
    factor = found.factor.title
    lines = []
    if not found.matched:
        lines.append(
            f"No exam of cohort {found.cohort} came through the matching: what follows is about the exams"
            " before it."
        )
    lost = found.of_kind("cannot be told")
    if lost:
        lines.append(
            f"In cohort {found.cohort} the {factor} cannot be told from {_with_overlaps(lost)}: an effect of"
            f" the {factor} could be {whose(lost)}."
        )
    elif found.of_kind("partly", "told apart", "no difference found"):
        lines.append(
            f"In cohort {found.cohort} no field that is known goes with the {factor} alone: exams of all"
            f" {found.factor.plural} have some of its values."
        )
    else:
        lines.append(f"In cohort {found.cohort} nothing is known of what else goes with the {factor}.")
    return lines


def _by_kind(found: Separability) -> list[str]:
    lines = []
    lost, partly = found.of_kind("cannot be told"), found.of_kind("partly")
    natural, sites = [row for row in lost if row.nested], [row for row in lost if row.one_site]
    avoidable = [row for row in lost if not row.is_nested]
    if natural:
        reasons = listed(list(dict.fromkeys(row.nested for row in natural)))
        text = f"{_opening(_titles(natural))} {'is' if len(natural) == 1 else 'are'} nested by nature"
        usable = [row for row in (*avoidable, *partly) if not row.is_nested]
        tail = f" What matching can use are fields that all could have: {_titles(usable)}." if usable else ""
        lines.append(f"{text} ({reasons}): no choice of exams tells them apart.{tail}")
    if sites:
        lines.append(
            f"Each institution has exams of one {found.factor.title} alone: only other institutions, or more"
            " exams of these, could tell the two apart."
        )
    if avoidable:
        do = "does" if len(avoidable) == 1 else "do"
        lines.append(f"{_opening(_titles(avoidable))} could have overlapped, but {do} not here.")
    if partly:
        lines.append(f"Partly told apart: {_with_overlaps(partly)}.")
    if told := found.of_kind("told apart"):
        lines.append(f"Told apart: {_titles(told)}.")
    if open_fields := found.of_kind("no difference found"):
        lines.append(
            f"No difference found, but few exams: {_titles(open_fields)}. {_large(open_fields)} could have"
            " been missed, so this is no proof that they do not differ."
        )
    if constant := found.of_kind("constant"):
        lines.append(f"Constant in all exams: {_titles(constant)}.")
    return lines


def _large(rows: Sequence[FieldRow]) -> str:
    """What could have been missed, by the kinds of these fields."""
    kinds = {row.field.kind for row in rows}
    sizes = []
    if "number" in kinds:
        sizes.append(f"a difference of {WORTH_FINDING['number']:g} standard deviations")
    if "text" in kinds:
        sizes.append(f"an association of V = {WORTH_FINDING['text']:g}")
    return _opening(" or ".join(sizes))


def _missing(found: Separability) -> list[str]:
    """Fields of which too little is known, by whom and why."""
    by_words: dict[tuple[tuple[str, ...], str], list[FieldRow]] = {}
    for row in found.of_kind("not known"):
        by_words.setdefault((row.judged.unknown, row.judged.reason), []).append(row)
    lines = []
    for (levels, reason), rows in by_words.items():
        everyone = "" if levels == found.factor.levels else f" for {listed(levels)}"
        lines.append(f"Not known{everyone} ({reason}): {_titles(rows)}.")
    return lines


def _together(found: Separability) -> list[str]:
    if found.together is None or found.chance is None:
        return []
    return [
        f"All fields that are not nested in it together name the {found.factor.title} of"
        f" {printed(found.together, 'percent')} % of the exams; always naming the commonest would be right in"
        f" {printed(found.chance, 'percent')} %."
    ]


def _strata(found: Separability, strata: Sequence[Stratified]) -> list[str]:
    """The field with least overlap and those within which it is smaller; the others in one line."""
    overlaps = {row.field.name: row.judged.overlap or 0.0 for row in found.rows}
    ordered = sorted(strata, key=lambda one: overlaps.get(one.field.name, 0.0))
    told = [one for place, one in enumerate(ordered) if place == 0 or one.shrinks]
    lines = [_within(one) for one in told]
    rest = [one for one in ordered if one not in told]
    if rest:
        means = [printed(mean, "points") for mean in sorted(one.within.mean for one in rest)]
        size = means[0] if means[0] == means[-1] else f"{means[0]} to {means[-1]}"
        lines.append(
            f"Within strata of {listed([one.field.title for one in rest])} it is"
            f" {size} points; that it is smaller is not shown."
        )
    shown = {one.field.name for one in strata}
    rows = (*found.of_kind("cannot be told"), *found.of_kind("partly"))
    without = [row for row in rows if not row.is_nested and row.field.name not in shown]
    if without:
        lines.append(
            f"No stratum of {_titles(without)} has enough test exams of each {found.factor.title} to look at"
            " the advantage within it."
        )
    return lines


def _within(one: Stratified) -> str:
    count = len(one.strata)
    within = f"{printed(one.within.mean, 'points')} AUROC points ({interval(one.within, 'points')})"
    pooled = f"{printed(one.together.mean, 'points')} ({interval(one.together, 'points')})"
    change = f"{printed(one.change.mean, 'points')} points ({interval(one.change, 'points')})"
    where = (
        f"Within {count} {'stratum' if count == 1 else 'strata'} of {one.field.title} ({one.exams} of"
        f" {one.of_exams} test exams) the advantage is {within}"
    )
    if count == 1:  # which are the same exams together
        return f"{where}."
    result = f"that it is smaller within {one.field.title} is not shown (change {change})"
    if one.shrinks:
        note = "not corrected for the number of fields"
        result = f"it is smaller within {one.field.title} (change {change}; {note})"
    return f"{where}, and {pooled} on the same exams together: {result}."


def _proposal(found: Separability, proposal: Proposal | None) -> list[str]:
    if proposal is None:
        return []
    if not proposal.fields:
        return [
            f"No matching on {listed([field.title for field in proposal.left_out])} would leave"
            f" {proposal.floor} exams of each {found.factor.title}."
        ]
    counts = zip(found.factor.levels, proposal.then, proposal.now, strict=True)
    remain = listed([f"{then} of {now} {level}" for level, then, now in counts])
    tail = (
        f" {_opening(listed([field.title for field in proposal.left_out]))} could not be matched as well."
        if proposal.left_out
        else ""
    )
    matched = listed([one.field.title for one in proposal.fields])
    return [f"Matched on {matched} as well, {remain} exams would remain.{tail}"]
