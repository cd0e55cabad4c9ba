"""Reasons not to trust the answer of an audit, for its first block."""

import numpy as np

from nameplate_evaluation.audit.answer import is_found, kind_of
from nameplate_evaluation.audit.audit import Audit, NetworkAudit
from nameplate_evaluation.separability.confound import LOW_OVERLAP
from nameplate_evaluation.separability.words import hardly_told, listed, whose
from nameplate_evaluation.table import interval, printed

_BACKWARDS = 0.4
"""An AUROC below it is not that of a network that finds nothing."""


def cautions_of(audit: Audit) -> tuple[str, ...]:
    """Reasons not to trust the answer, for the first block."""
    lines = []
    table, factor = audit.table, audit.factor
    company = audit.company
    if audit.passed_over:
        lines.append(
            f"The answer is about the {factor.title}: by the manufacturer nothing can be compared"
            f" ({audit.passed_over})."
        )
    if company is not None:
        low = [
            row for row in company.rows if row.judged.overlap is not None and row.judged.overlap < LOW_OVERLAP
        ]
        if low:
            names = listed([row.field.title for row in low])
            lines.append(
                f"The {factor.title} {hardly_told(low)} from {names}: a gap between its levels could be"
                f" {whose(low)}."
            )
    for one in audit.networks:
        lines += _held_fixed(audit, one)
    if company is None:
        lines.append(
            f"The table has no column beside the {factor.title}: whether a gap is the {factor.title}'s, or"
            " comes with other patients, doses or kernels, cannot be told."
        )
    if not table.patients_known:
        lines.append(
            "The table has no column of patients, so each exam is taken for another patient: with several"
            " exams of one, intervals are too narrow."
        )
    if not table.is_dice and not table.are_probabilities:
        lines.append(
            "The scores are no probabilities (0 to 1): they are ranked, but calibration is not judged, and"
            " there is no sensitivity without --threshold."
        )
    for one in audit.networks:
        area = one.whole.figures.get("auroc")
        if area is not None and area.value < _BACKWARDS:
            lines.append(
                f"{_named(one)}the AUROC of all exams is {printed(area.value, 'percent')} %: are the scores,"
                " or the labels, the wrong way round (--positive)?"
            )
        if not table.is_dice and np.unique(one.network.values).size <= 2:
            lines.append(
                f"{_named(one)}the scores have two values, so its AUROC is the mean of sensitivity and"
                " specificity, and no second threshold can be chosen."
            )
        limit = one.threshold
        if limit is not None and not (one.network.values.min() < limit <= one.network.values.max()):
            side = "negative" if limit > one.network.values.max() else "positive"
            lines.append(
                f"{_named(one)}at the threshold of {limit:g} every exam is {side}: it lies beside the scores."
            )
    return tuple(line[0].upper() + line[1:] for line in lines)


def _held_fixed(audit: Audit, one: NetworkAudit) -> list[str]:
    """Gaps of the answer that are less than half among exams which agree in another column."""
    found = {(gap.first, gap.second): gap.estimate.mean for gap in one.main_gaps if is_found(gap)}
    kind = kind_of(audit)
    return [
        f"{_named(one)}among exams with the same {within.column.title}, {within.first} minus"
        f" {within.second} is {printed(within.gap.mean, kind)} ({interval(within.gap, kind)}): the gap may be"
        f" the {within.column.title}'s."
        for within in one.within
        if (within.first, within.second) in found
        and within.gap.holds(0.0)
        and abs(within.gap.mean) < abs(found[within.first, within.second]) / 2
    ] + [
        f"{_named(one)}among exams with the same {within.column.title}, {within.first} minus {within.second}"
        f" is {printed(within.gap.mean, kind)} ({interval(within.gap, kind)}, looked at alone), which all"
        " exams together hide."
        for within in one.within
        if (within.first, within.second) not in found and within.gap.holds(0.0) is False
    ]


def _named(one: NetworkAudit) -> str:
    return f"{one.network.name}: " if one.network.name else ""
