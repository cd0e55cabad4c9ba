"""Figures of merit on some exams, with intervals over patients, and over runs where there are several."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.stats.contrast import Contrast, Term, contrast
from nameplate.stats.influence import Merit, auroc_merit, calibration_merits, mean_merit
from nameplate.stats.share import Difference, Share
from nameplate_evaluation.measure import AT_CEILING, NOTHING_VARIES, Estimate

Floats = NDArray[np.float64]
FEWEST = 5
"""Patients that a figure needs, of each class that it looks at."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Sample:
    """Some exams with the scores of one network's runs."""

    values: Floats
    """(runs, exams)"""
    labels: NDArray[np.bool_] | None
    """(exams,); None for Dice."""
    patient: NDArray[np.int64]
    """(exams,)"""

    def where(self, chosen: NDArray[np.bool_]) -> "Sample":
        """The chosen exams, (exams,)."""
        labels = None if self.labels is None else self.labels[chosen]
        return Sample(values=self.values[:, chosen], labels=labels, patient=self.patient[chosen])

    @property
    def exams(self) -> int:
        """How many."""
        return int(self.patient.size)


@dataclass(frozen=True, eq=False, kw_only=True)
class Figure:
    """One figure of every run on a set of exams."""

    merit: Merit
    patient: NDArray[np.int64]
    """(exams,) of ``merit``."""
    units: float
    """Patients that it rests on, of the rarer class where it looks at two."""
    is_share: bool = True
    """Whether it lies in 0 to 1."""
    is_count: bool = False
    """Whether it is a share of right answers, whose variance follows from the share itself."""

    @property
    def value(self) -> float:
        """Mean over the runs."""
        return float(self.merit.values.mean())

    @property
    def _runs_vary(self) -> bool:
        return self.merit.values.size > 1

    def spread(self) -> Contrast:
        """Its variance."""
        return contrast([Term("", 1.0, self.merit, self.patient)], runs_vary=self._runs_vary)

    def share(self) -> Share:
        """As a share with its variance, and the degrees of freedom of that.

        They are at most those of the rarer class. A count has all of these: its variance follows from the
        share, so that it is no less well known where few went wrong.
        """
        found = self.spread()
        df, most = found.df or 1.0, max(self.units - 1.0, 1.0)
        if found.variance > 0:
            df = most if self.is_count and not self._runs_vary else min(df, most)
        return Share(found.value, found.variance, self.units, df)

    def estimate(self, confidence: float) -> Estimate:
        """For printing."""
        found = self.share() if self.is_share else self.spread()
        low, high = found.interval(confidence) or (found.value, found.value)
        values = self.merit.values
        return Estimate(
            mean=found.value,
            sd=float(values.std(ddof=1)) if values.size > 1 else None,
            low=low,
            high=high,
            models=values.size,
            exams=int(self.patient.size),
        )


def weighted(figures: Sequence[Figure], weights: Sequence[float]) -> Figure:
    """The weighted mean of figures of the same runs on different exams; weights add up to one."""
    parts = list(zip(weights, figures, strict=True))
    merit = Merit(
        np.asarray(sum(weight * figure.merit.values for weight, figure in parts)),
        np.concatenate([weight * figure.merit.influence for weight, figure in parts], axis=1),
    )
    return Figure(
        merit=merit,
        patient=np.concatenate([figure.patient for figure in figures]),
        units=sum(figure.units for figure in figures),
        is_share=all(figure.is_share for figure in figures),
    )


def difference(first: Figure, second: Figure, confidence: float) -> Estimate:
    """First minus second, with its interval, p-value and the least difference that would be found."""
    parts = [Term("", 1.0, first.merit, first.patient), Term("", -1.0, second.merit, second.patient)]
    plain = contrast(parts, runs_vary=first._runs_vary)
    varies = plain.variance > 0
    found: Contrast | Difference = plain
    note = "" if varies else NOTHING_VARIES
    if first.is_share and second.is_share:
        found = Difference(first.share(), second.share(), plain.variance, plain.df or 1.0)
        note = "" if varies else AT_CEILING
    ends = found.interval(confidence) if varies or isinstance(found, Difference) else None
    return Estimate(
        mean=found.value,
        low=ends[0] if ends else None,
        high=ends[1] if ends else None,
        models=first.merit.values.size,
        exams=int(first.patient.size + second.patient.size),
        p=found.p(),
        detectable=found.detectable(confidence) if varies else None,
        note=note,
    )


Metric = Callable[[Sample], "Figure | str"]
"""A figure of a sample, or why there is none."""


def _few(sample: Sample, chosen: NDArray[np.bool_], what: str) -> str | int:
    """Patients among the chosen exams, or why these are too few."""
    patients = int(np.unique(sample.patient[chosen]).size)
    if patients >= FEWEST:
        return patients
    return f"no {what}" if not patients else f"fewer than {FEWEST} patients with {what}s"


def auroc(sample: Sample) -> Figure | str:
    """Area under the ROC curve."""
    assert sample.labels is not None
    units = []
    for chosen, what in ((sample.labels, "positive"), (~sample.labels, "negative")):
        found = _few(sample, chosen, what)
        if isinstance(found, str):
            return found
        units.append(found)
    merit = auroc_merit(sample.values, sample.labels)
    assert merit is not None
    return Figure(merit=merit, patient=sample.patient, units=min(units))


def _rate(sample: Sample, chosen: NDArray[np.bool_], right: NDArray[np.bool_], what: str) -> Figure | str:
    units = _few(sample, chosen, what)
    if isinstance(units, str):
        return units
    merit = mean_merit(right[:, chosen].astype(np.float64))
    assert merit is not None
    return Figure(merit=merit, patient=sample.patient[chosen], units=units, is_count=True)


def sensitivity_at(threshold: float) -> Metric:
    """Share of the positives at or above a threshold."""

    def metric(sample: Sample) -> Figure | str:
        assert sample.labels is not None
        return _rate(sample, sample.labels, sample.values >= threshold, "positive")

    return metric


def specificity_at(threshold: float) -> Metric:
    """Share of the negatives below a threshold."""

    def metric(sample: Sample) -> Figure | str:
        assert sample.labels is not None
        return _rate(sample, ~sample.labels, sample.values < threshold, "negative")

    return metric


def accuracy_at(threshold: float) -> Metric:
    """Share of all exams on the right side of a threshold."""

    def metric(sample: Sample) -> Figure | str:
        assert sample.labels is not None
        everyone = np.ones(sample.exams, dtype=bool)
        return _rate(sample, everyone, (sample.values >= threshold) == sample.labels, "exam")

    return metric


def dice(sample: Sample) -> Figure | str:
    """Mean Dice; its interval is that of a mean."""
    units = _few(sample, np.ones(sample.exams, dtype=bool), "exam")
    if isinstance(units, str):
        return units
    merit = mean_merit(sample.values)
    assert merit is not None
    return Figure(merit=merit, patient=sample.patient, units=units, is_share=False)


def calibration(sample: Sample) -> tuple[Figure, Figure] | str:
    """Observed minus expected share of positives, and the slope of the label on the score's logit.

    0 and 1 are perfect. The first is the mean of label minus score; the second is that of a logistic
    regression with an intercept.
    """
    area = auroc(sample)
    if isinstance(area, str):
        return area
    if area.merit.values.max() == 1.0:
        return "a score that parts the classes has no finite slope"
    assert sample.labels is not None
    merits = calibration_merits(sample.values, sample.labels)
    assert merits is not None
    excess = mean_merit(sample.labels - sample.values)
    assert excess is not None
    large, slope = (
        Figure(merit=merit, patient=sample.patient, units=area.units, is_share=False)
        for merit in (excess, merits[1])
    )
    return large, slope
