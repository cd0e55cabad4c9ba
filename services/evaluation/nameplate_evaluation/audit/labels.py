"""Which exams are positive: labels in the words that people use for two values."""

from collections import defaultdict
from collections.abc import Iterable

from nameplate.errors import UserError
from nameplate_evaluation.audit.score_table import Losses

_POSITIVE = frozenset(("1", "1.0", "true", "yes", "y", "positive", "pos", "present", "abnormal"))
_NEGATIVE = frozenset(("0", "0.0", "false", "no", "n", "negative", "neg", "absent", "normal"))


def labels_of(
    given: Iterable[tuple[str, str]], positive: str | None, losses: Losses, where: str
) -> dict[str, bool]:
    """The label of each exam that has one, from pairs of exam and text.

    ``positive`` is the text that is positive; None to tell it from usual words. Raises UserError unless there
    are two labels and it is clear which is positive; ``where`` is the file and column.
    """
    seen: dict[str, set[str]] = defaultdict(set)
    for exam, text in given:
        seen[exam].add(text.casefold())
    values = {text for of_exam in seen.values() for text in of_exam} - {""}
    found = _positive(values, positive, where)
    if positive is not None and len(values) > 2:
        others = sum(bool(of_exam - {""} - found) for of_exam in seen.values())
        losses["exams", f"have one of {len(values) - 1} other labels: taken for negative"] += others
    labels = {}
    for exam, of_exam in seen.items():
        known = {text in found for text in of_exam - {""}}
        if not known:
            losses["exams", "have no label"] += 1
        elif len(known) > 1:
            losses["exams", "have both labels"] += 1
        else:
            labels[exam] = known.pop()
    return labels


def _positive(values: set[str], positive: str | None, where: str) -> set[str]:
    """Which of the values are positive; UserError unless they are two, and it is clear which is which."""
    if positive is not None:
        if positive.casefold() not in values:
            raise UserError(f"{where}: no label is {positive!r} (--positive)")
        return {positive.casefold()}
    odd = values - _POSITIVE - _NEGATIVE
    if odd:
        raise UserError(
            f"{where}: expected two values such as 0 and 1 or no and yes, got {len(values)} different ones;"
            " --positive VALUE says which is positive, and all others are then negative"
        )
    if not values & _POSITIVE or not values & _NEGATIVE:
        raise UserError(f"{where}: all exams have the same label, so nothing can be told from the scores")
    return values & _POSITIVE
