"""Figures of merit of a cell's runs on a set of exams, and weighted sums of them for printing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nameplate.stats.contrast import Contrast, Term, contrast
from nameplate.stats.influence import Merit, auroc_merit, mean_merit, probit
from nameplate.stats.threshold import THRESHOLD
from nameplate_evaluation.scores import Scores

CEILING_AUROC = 0.99
"""From this mean AUROC on, differences say little: the task is too easy for them."""
CEILING_ERRORS = 5
"""With fewer wrong answers in all runs together, accuracies cannot be compared."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A figure for printing."""

    mean: float
    """Over the kept runs."""
    sd: float | None = None
    """Over the kept runs; None for a single one or for a sum over several cells."""
    low: float | None = None
    high: float | None = None
    """The interval over runs and patients; None with one run in a cell, at the ceiling, or where all runs
    and exams give the same."""
    models: int
    """Different runs that it rests on."""
    exams: int
    """Different exams that it rests on."""
    p: float | None = None
    """Two-sided, of the figure being zero; only for differences."""
    detectable: float | None = None
    """The smallest difference that would have been found in four campaigns of five."""
    run_share: float | None = None
    """Share of its variance that comes from the runs; the rest comes from the patients."""
    note: str = ""
    """Why there is no interval."""

    @property
    def patient_share(self) -> float | None:
        """Share of its variance that comes from the patients."""
        return None if self.run_share is None else 1.0 - self.run_share

    def within(self, least: float, most: float) -> "Estimate":
        """With an interval that is cut where the figure cannot be."""
        low, high = (end if end is None else min(max(end, least), most) for end in (self.low, self.high))
        return replace(self, low=low, high=high)

    def holds(self, value: float) -> bool | None:
        """Whether the interval contains the value; None without an interval."""
        if self.low is None or self.high is None:
            return None
        return self.low <= value <= self.high


AT_CEILING, ONE_RUN, NOTHING_VARIES = "at the ceiling", "one run", "nothing varies"


@dataclass(frozen=True, eq=False, kw_only=True)
class Measured:
    """One figure of merit of one cell on one set of exams."""

    cell: str
    merit: Merit
    exams: tuple[str, ...]
    patients: tuple[str, ...]
    at_ceiling: bool = False
    unbounded: bool = False
    """Whether the figure can leave 0 to 1; the interval of one that cannot is cut there."""

    @property
    def mean(self) -> float:
        """Over the kept runs."""
        return float(self.merit.values.mean())

    def of_runs(self, count: int | None) -> "Measured":
        """The same for the best runs only; None for all."""
        if count is None:
            return self
        return replace(self, merit=Merit(self.merit.values[:count], self.merit.influence[:count]))

    def estimate(self, confidence: float) -> Estimate:
        """Mean, standard deviation over runs and interval over runs and patients."""
        values = self.merit.values
        sum_ = combine([(1.0, self)], confidence)
        sd = float(values.std(ddof=1)) if values.size > 1 else None
        bounded = sum_ if self.unbounded else sum_.within(0.0, 1.0)
        return replace(bounded, sd=sd, p=None, detectable=None)


def combine(parts: Sequence[tuple[float, Measured]], confidence: float, *, ceiling: bool = True) -> Estimate:
    """A weighted sum of figures with its interval.

    With ``ceiling``, no interval is given if a part is at the ceiling.
    """
    found = contrast_of(parts)
    interval = found.interval(confidence)
    note = ""
    if interval is None:
        note = ONE_RUN
    elif ceiling and any(part.at_ceiling for _, part in parts):
        note, interval = AT_CEILING, None
    elif found.variance == 0:
        note, interval = NOTHING_VARIES, None
    return Estimate(
        mean=found.value,
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        models=sum(found.kept),
        exams=len({exam for _, part in parts for exam in part.exams}),
        p=None if interval is None else found.p(),
        detectable=None if interval is None else found.detectable(confidence),
        run_share=None if interval is None else found.run_share,
        note=note,
    )


def contrast_of(parts: Sequence[tuple[float, Measured]]) -> Contrast:
    """A weighted sum of figures, with the parts of its variance."""
    return contrast([Term(part.cell, factor, part.merit, part.patients) for factor, part in parts])


def measure(
    cell: str, metric: str, scores: Scores, thresholds: NDArray[np.float64] | None = None
) -> Measured | None:
    """One metric of all runs on these exams; None if it is not defined.

    ``metric`` is accuracy, sensitivity, specificity, auroc, probit (the AUROC on a scale without a
    ceiling) or dice; ``thresholds`` (runs,) are those above which a score is positive, 0.5 if not given.
    """
    labels, values = scores.labels, scores.values
    chosen = np.ones_like(labels)
    at_ceiling = False
    merit: Merit | None
    if metric in ("auroc", "probit"):
        merit = auroc_merit(values, labels)
        if merit is not None:
            at_ceiling = bool(merit.values.mean() >= CEILING_AUROC)
            merit = probit(merit, labels) if metric == "probit" else merit
    elif metric == "dice":
        merit = mean_merit(values)
    else:
        chosen = {"accuracy": chosen, "sensitivity": labels, "specificity": ~labels}[metric]
        limits = np.full(len(values), THRESHOLD) if thresholds is None else thresholds
        right = ((values >= limits[:, None]) == labels)[:, chosen].astype(np.float64)
        merit = mean_merit(right, labels[chosen])
        at_ceiling = right.size - right.sum() < CEILING_ERRORS
    if merit is None:
        return None
    return Measured(
        cell=cell,
        merit=merit,
        exams=_chosen(scores.exams, chosen),
        patients=_chosen(scores.patients, chosen),
        at_ceiling=bool(at_ceiling),
        unbounded=metric == "probit",
    )


def _chosen(names: Collection[str], chosen: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(name for name, wanted in zip(names, chosen, strict=True) if wanted)
