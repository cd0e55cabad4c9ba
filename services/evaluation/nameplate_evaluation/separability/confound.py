"""One field against the factor: how far its values go with the levels, and a verdict.

The verdict rests on overlap, which no number of exams can make up for, and on whether the association is
more than chance would make with patients kept together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nameplate.campaign.field import Field, Value
from nameplate_evaluation.separability.association import (
    chi_squares,
    cramers_v,
    rank_spreads,
    standardised_difference,
)
from nameplate_evaluation.separability.bins import MOST_BINS, Bins, number_bins, text_bins
from nameplate_evaluation.separability.labels import Labels, Positions
from nameplate_evaluation.separability.overlap import overlaps

Kind = Literal["told apart", "partly", "cannot be told", "constant", "not known"]
DRAWS = 499
"""Of levels dealt by chance."""
ALPHA = 0.02
"""Of the test against chance."""
NO_OVERLAP = 0.05
"""Below it, no comparison within values is left."""
LITTLE_OVERLAP = 0.75
"""Below it a field is not called told apart, though few exams may make it so by chance."""
GOOD_OVERLAP = 0.90
SMALL = 0.10
"""A standardised difference or V below it is commonly taken as balanced (Austin, Stat Med 28, 2009)."""
FEWEST_PATIENTS = 5
"""Of each level, with the field known: with fewer, nothing can be told from chance."""
LEAST_CHANCE = 0.20
"""Where levels dealt by chance overlap less, nearly every exam has a value of its own."""


@dataclass(frozen=True, kw_only=True)
class Confound:
    """What one field has to do with the levels, in the exams of one stage."""

    kind: Kind
    known: tuple[int, ...]
    """Exams of each level with a value."""
    missing: tuple[int, ...]
    """Exams of each level without."""
    unknown: tuple[str, ...] = ()
    """Levels of which too little is known."""
    reason: str = ""
    """Why nothing is known."""
    difference: float | None = None
    """Of a number, in pooled standard deviations; the largest of two levels."""
    v: float | None = None
    """Cramer's V; of a number that of its bins, which sees more than a difference of means."""
    overlap: float | None = None
    """Share of the exams with a value that all levels have, as a share of what chance would give."""
    p: float | None = None
    """Of no association and the overlap of chance, patients kept together."""


def bins_of(values: Sequence[Value], kind: Literal["number", "text"], levels: int) -> Bins:
    """The bins of known values of a field."""
    if kind == "number":
        return number_bins(np.array(values, dtype=np.float64), levels)
    return text_bins([str(value) for value in values])


def known_places(values: Sequence[Value]) -> Positions:
    """The places of the exams whose value is known."""
    return np.flatnonzero(np.array([value is not None for value in values], dtype=bool)).astype(np.int64)


def confound_of(values: Sequence[Value], field: Field, labels: Labels, rng: np.random.Generator) -> Confound:
    """Judge one field; ``values`` are those of the exams of ``labels``, None where not known."""
    present = np.array([value is not None for value in values], dtype=bool)
    part = labels.where(present)
    known = part.counts
    missing = tuple(whole - have for whole, have in zip(labels.counts, known, strict=True))
    none = tuple(level for level, n in zip(labels.levels, known, strict=True) if n == 0)
    if none:
        reason = "no exam" if 0 in labels.counts else "no value"
        return Confound(kind="not known", known=known, missing=missing, unknown=none, reason=reason)
    given = [value for value in values if value is not None]
    if len(set(given)) == 1:
        return Confound(kind="constant", known=known, missing=missing)
    few = tuple(level for level, n in zip(part.levels, part.patients, strict=True) if n < FEWEST_PATIENTS)
    if few:
        reason = f"fewer than {FEWEST_PATIENTS} patients"
        return Confound(kind="not known", known=known, missing=missing, unknown=few, reason=reason)
    return _judged(given, field, part, missing, rng)


def _judged(
    given: Sequence[Value], field: Field, part: Labels, missing: tuple[int, ...], rng: np.random.Generator
) -> Confound:
    levels = len(part.levels)
    bins = bins_of(given, field.kind, levels)
    ways = np.concatenate([part.level[None, :], part.dealt(DRAWS, rng)])
    shares = overlaps(bins, levels, ways)
    statistics = [-shares, chi_squares(bins, levels, ways)]
    if bins.ordered:
        # Finer bins see what a wide one hides; a test by chance alone can do with few exams in each.
        fine = number_bins(np.array(given, dtype=np.float64), levels, exams_a_bin=2, most=2 * MOST_BINS)
        statistics += [chi_squares(fine, levels, ways), rank_spreads(bins.rank, levels, ways)]
    p = p_of_any(statistics)
    by_chance = float(shares[1:].mean())
    v = cramers_v(bins.code, part.level, levels)
    difference = None
    if field.kind == "number":
        difference = standardised_difference(np.array(given, dtype=np.float64), part.level, levels)
    if by_chance == 0 or (by_chance < LEAST_CHANCE and p > ALPHA):
        return Confound(
            kind="not known",
            known=part.counts,
            missing=missing,
            unknown=part.levels,
            reason="nearly every exam has a value of its own",
            difference=difference,
            v=v,
            p=p,
        )
    overlap = min(1.0, float(shares[0]) / by_chance)
    small = max(difference or 0.0, v or 0.0) < SMALL and overlap >= GOOD_OVERLAP
    kind: Kind = "told apart"
    if overlap < NO_OVERLAP:
        kind = "cannot be told"
    elif (p <= ALPHA and not small) or overlap < LITTLE_OVERLAP:
        kind = "partly"
    return Confound(
        kind=kind,
        known=part.counts,
        missing=missing,
        difference=difference,
        v=v,
        overlap=overlap,
        p=p,
    )


def p_of_any(statistics: Sequence[NDArray[np.float64]]) -> float:
    """P-value of the first way among all, (ways,) each, by the statistic in which it is most unusual.

    Each way is ranked in each statistic and counts with its best rank; so no correction for the number of
    statistics is needed. Ties, by rounding included, count as as far.
    """
    best = np.ones(statistics[0].size)
    for values in statistics:
        steps = np.round(values / max(1e-300, float(np.abs(values).max())), 9)
        ascending = np.sort(steps)
        best = np.minimum(best, 1 - np.searchsorted(ascending, steps, side="left") / steps.size)
    return float((best <= best[0] + 1e-12).mean())
