"""Scanners of a cohort (manufacturer, model and kernel), their numbers, and what sets each apart."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.catalogue import BAND_WIDTH, BANDS, Measure, Stage
from nameplate.image.fingerprint.measure import MEASURES
from nameplate.steps.ingest import Exam
from nameplate.steps.measured import MeasuredExam

Floats = NDArray[np.float64]

FEWEST = 5
"""Exams of a scanner, and of all others, below which nothing is said to stand out."""
_LARGE = 0.8
"""Standardised difference that is large, after Cohen."""
_NOT_THE_SCANNERS = ("head", "header")
"""Groups that cannot stand out: a head's size is the patient's, and texts have no spread."""
SHOWN: tuple[Measure, ...] = tuple(measure for measure in MEASURES if measure.group != "header")
"""The measures of a card: all that are numbers."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """One scanner, and its exams at the stage that is shown."""

    manufacturer: str
    model: str
    kernel: str
    exams: tuple[Exam, ...]
    rows: tuple[MeasuredExam | None, ...]
    """Of the exams, in their order; None where one was not measured."""

    @property
    def name(self) -> str:
        """As a heading says it."""
        words = (self.manufacturer or "manufacturer not given", self.model or "model not given")
        return f"{', '.join(words)}, {f'kernel {self.kernel}' if self.kernel else 'kernel not given'}"

    @property
    def patients(self) -> int:
        """How many patients its exams are of."""
        return len({exam.patient for exam in self.exams})

    def values(self, measure: Measure) -> Floats:
        """The known values of a measure, in the order of the exams."""
        if measure.group == "protocol":
            known = [exam.value_of(measure.name) for exam in self.exams]
        else:
            known = [row.numbers.get(measure.name) for row in self.rows if row is not None]
        numbers = [float(value) for value in known if isinstance(value, float | int)]
        return np.array([number for number in numbers if np.isfinite(number)], dtype=np.float64)

    def why_none(self, measure: Measure) -> str:
        """The most frequent reason for which a measure has no number, or ''."""
        reasons = Counter(
            row.missing[measure.name] for row in self.rows if row is not None and measure.name in row.missing
        )
        return min(reasons, key=lambda why: (-reasons[why], why), default="")

    def spectra(self) -> Floats:
        """Noise power density in each band over the noise's variance, mm^2: (exams, bands), NaN if missing.

        A band's share of the variance over the area of its ring in the plane of frequencies.
        """
        names = [f"noise_band_{round(100 * low):03d}" for low in BANDS]
        rows = [row.numbers if row is not None else {} for row in self.rows]
        shares = [[np.nan if (n := numbers.get(name)) is None else n for name in names] for numbers in rows]
        middles = np.array(BANDS) + BAND_WIDTH / 2
        density = np.array(shares, dtype=np.float64).reshape(len(rows), len(BANDS))
        return np.asarray(density / (2 * np.pi * middles * BAND_WIDTH), dtype=np.float64)


def scanners_of(exams: Sequence[Exam], measured: Sequence[MeasuredExam], stage: Stage) -> tuple[Scanner, ...]:
    """All scanners with at least one exam, the most used first, then by name."""
    rows = {row.exam: row for row in measured if row.stage == stage}
    found: dict[tuple[str, str, str], list[Exam]] = {}
    for exam in sorted(exams, key=lambda exam: exam.exam):
        found.setdefault((exam.manufacturer, exam.model, exam.kernel), []).append(exam)
    order = sorted(found, key=lambda key: (-len(found[key]), key))
    return tuple(
        Scanner(*key, tuple(found[key]), tuple(rows.get(exam.exam) for exam in found[key])) for key in order
    )


@dataclass(frozen=True, slots=True)
class Outstanding:
    """A measure in which a scanner stands out among the others."""

    measure: Measure
    median: float
    others: tuple[float, float, float]
    """10th percentile, median and 90th percentile of all other exams."""
    difference: float | None
    """Of the means, in standard deviations; None if nothing varies."""
    outside: bool
    """Whether the median is outside the others' 10 to 90 %."""


def outstanding(scanner: Scanner, others: Sequence[Scanner]) -> tuple[Outstanding, ...]:
    """What sets a scanner apart, the largest difference first; only of measures with enough exams.

    Its median is outside the 10 to 90 % of all other exams together, or it is not theirs and the means
    differ by more than 0.8 standard deviations (pooled, each side alike).
    """
    found: list[Outstanding] = []
    for measure in SHOWN:
        if measure.group in _NOT_THE_SCANNERS:
            continue
        own, other = scanner.values(measure), together(others, measure)
        if min(len(own), len(other)) < FEWEST:
            continue
        low, middle, high = (float(value) for value in np.quantile(other, (0.1, 0.5, 0.9)))
        median = float(np.median(own))
        spread = float(np.sqrt((own.var(ddof=1) + other.var(ddof=1)) / 2))
        # What varies only in the last digits does not vary.
        varies = spread > 1e-9 * max(1.0, abs(middle))
        difference = float(own.mean() - other.mean()) / spread if varies else None
        slack = 1e-9 * max(1.0, abs(middle))
        outside = not low - slack <= median <= high + slack
        apart = abs(median - middle) > slack and difference is not None and abs(difference) > _LARGE
        if outside or apart:
            found.append(Outstanding(measure, median, (low, middle, high), difference, outside))
    return tuple(sorted(found, key=lambda one: (-_size(one), one.measure.name)))


def comparable(scanner: Scanner, others: Sequence[Scanner]) -> bool:
    """Whether both sides have enough measured exams for something to stand out."""
    measured = sum(row is not None for row in scanner.rows)
    rest = sum(row is not None for other in others for row in other.rows)
    return min(measured, rest) >= FEWEST


def together(others: Sequence[Scanner], measure: Measure) -> Floats:
    """The known values of all exams of several scanners."""
    return np.concatenate([np.empty(0), *(other.values(measure) for other in others)])


def _size(one: Outstanding) -> float:
    return np.inf if one.difference is None else abs(one.difference)
