"""One field against the factor: how far its values go with the levels, and a verdict.

The verdict rests on overlap, which no number of exams can make up for, on whether the association is more
than chance would make with patients kept together, and, if it is not, on whether so many patients could have
shown it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from nameplate_evaluation.separability.power import Sensitivity, sensitivity_of

Kind = Literal["told apart", "no difference found", "partly", "cannot be told", "constant", "not known"]
"""What can be said of a field. "No difference found" is no verdict: a large one could have been missed."""
DRAWS = 499
"""Of levels dealt by chance, at the least; see ``draws_for``."""
ALPHA = 0.05
"""Of the tests against chance of all fields of a cohort together."""
NO_OVERLAP = 0.05
"""Below it, no comparison within values is left."""
LITTLE_OVERLAP = 0.75
"""Below it a field is not called told apart, though its p-value may be that of chance."""
LOW_OVERLAP = 0.20
"""Below it little can be compared, whatever made it so, and the report warns in its first block."""
GOOD_OVERLAP = 0.90
SMALL = 0.10
"""A standardised difference or V below it is commonly taken as balanced (Austin, Stat Med 28, 2009)."""
FEWEST_PATIENTS = 5
"""Of each level, with the field known: with fewer, nothing can be told from chance."""
LEAST_CHANCE = 0.20
"""Where levels dealt by chance overlap less, nearly every exam has a value of its own."""
LEAST_EXCHANGEABLE = 0.5
"""Of ``Labels.exchangeable``: below it one exam of each patient is compared with chance."""
OWN_VALUES = "nearly every exam has a value of its own"


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
    by_chance: float | None = None
    """The share that levels dealt by chance would have: what ``overlap`` is a share of."""
    p: float | None = None
    """Of no association and the overlap of chance, patients kept together, as of a single field."""
    adjusted: float | None = None
    """The p-value after Holm's correction for the fields that are tested with it."""
    sensitivity: Sensitivity | None = None
    level: float = ALPHA
    """The significance level at which a difference was looked for."""

    @property
    def detectable(self) -> float | None:
        """The least difference (of a number, in standard deviations) or V (of a text) found at 80 % power."""
        return None if self.sensitivity is None else self.sensitivity.detectable(self.level)


def bins_of(values: Sequence[Value], kind: Literal["number", "text"], levels: int) -> Bins:
    """The bins of known values of a field."""
    if kind == "number":
        return number_bins(np.array(values, dtype=np.float64), levels)
    return text_bins([str(value) for value in values])


def known_places(values: Sequence[Value]) -> Positions:
    """The places of the exams whose value is known."""
    return np.flatnonzero(np.array([value is not None for value in values], dtype=bool)).astype(np.int64)


def draws_for(fields: int) -> int:
    """Draws with which the smallest p-value can be significant among so many fields."""
    return max(DRAWS, round(2 * fields / ALPHA) - 1)


def confound_of(
    values: Sequence[Value], field: Field, labels: Labels, rng: np.random.Generator, draws: int = DRAWS
) -> Confound:
    """Judge one field by itself; ``values`` are those of the exams of ``labels``, None where not known.

    Several fields of a cohort are judged together by giving what this returns to ``corrected``.
    """
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
    return _judged(given, field, part, missing, rng, draws)


def corrected(found: Sequence[Confound]) -> tuple[Confound, ...]:
    """The same fields judged together: p-values with Holm's step-down correction, and verdicts by these.

    A field in which no difference was found had to be found at the level of the last step: ``ALPHA`` over
    the number of fields without a difference.
    """
    tested = sorted((one.p, place) for place, one in enumerate(found) if one.p is not None)
    result = list(found)
    adjusted = 0.0
    open_fields = len(tested)
    for step, (p, place) in enumerate(tested):
        adjusted = max(adjusted, min(1.0, p * (len(tested) - step)))
        if adjusted <= ALPHA:
            open_fields = len(tested) - step - 1
        result[place] = replace(found[place], adjusted=adjusted)
    level = ALPHA / max(1, open_fields)
    return tuple(one if one.p is None else _with_verdict(replace(one, level=level)) for one in result)


def _judged(
    given: Sequence[Value],
    field: Field,
    part: Labels,
    missing: tuple[int, ...],
    rng: np.random.Generator,
    draws: int,
) -> Confound:
    levels = len(part.levels)
    bins = bins_of(given, field.kind, levels)
    difference = None
    if field.kind == "number":
        difference = standardised_difference(np.array(given, dtype=np.float64), part.level, levels)
    v = cramers_v(bins.code, part.level, levels)
    labels, values = part, given
    if part.exchangeable < LEAST_EXCHANGEABLE:
        # Too few patients could exchange their levels with others that have as many exams.
        chosen = part.one_each(rng)
        labels, values = part.where(chosen), [one for one, kept in zip(given, chosen, strict=True) if kept]
        bins = bins_of(values, field.kind, levels)
    ways = np.concatenate([labels.level[None, :], labels.dealt(draws, rng)])
    shares = overlaps(bins, levels, ways)
    statistics = [-shares, chi_squares(bins, levels, ways)]
    if bins.ordered:
        # Finer bins see what a wide one hides; a test by chance alone can do with few exams in each.
        fine = number_bins(np.array(values, dtype=np.float64), levels, exams_a_bin=2, most=2 * MOST_BINS)
        statistics += [chi_squares(fine, levels, ways), rank_spreads(bins.rank, levels, ways)]
    by_chance = float(shares[1:].mean())
    return _with_verdict(
        Confound(
            kind="not known",
            known=part.counts,
            missing=missing,
            unknown=part.levels,
            difference=difference,
            v=v,
            overlap=min(1.0, float(shares[0]) / by_chance) if by_chance else None,
            by_chance=by_chance,
            p=p_of_any(statistics),
            sensitivity=sensitivity_of(field.kind, labels.patients, bins.count),
        )
    )


def _with_verdict(found: Confound) -> Confound:
    """The same with the verdict of its figures; of ``adjusted`` if it is there, else of ``p``."""
    p = found.p if found.adjusted is None else found.adjusted
    differs = p is not None and p <= ALPHA
    if found.overlap is None or ((found.by_chance or 0.0) < LEAST_CHANCE and not differs):
        return replace(found, kind="not known", unknown=found.unknown, reason=OWN_VALUES, overlap=None)
    small = max(found.difference or 0.0, found.v or 0.0) < SMALL and found.overlap >= GOOD_OVERLAP
    enough = found.sensitivity is not None and found.sensitivity.enough(found.level)
    kind: Kind = "told apart"
    if found.overlap < NO_OVERLAP:
        kind = "cannot be told"
    elif differs:
        kind = "told apart" if small else "partly"
    elif found.overlap < (LITTLE_OVERLAP if enough else LOW_OVERLAP):
        kind = "partly"
    elif not enough:
        kind = "no difference found"
    return replace(found, kind=kind)


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
