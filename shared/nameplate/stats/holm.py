"""Holm's adjustment of p-values."""

from collections.abc import Sequence


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's adjustment for testing several differences at once; None stays None and is not counted."""
    tested = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    worst = 0.0
    for step, (p, place) in enumerate(tested):
        worst = max(worst, min(1.0, p * (len(tested) - step)))
        adjusted[place] = worst
    return adjusted
