"""What the quality page shows of one exam, and which exams a person should look at first."""

import math
import statistics
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from nameplate.steps.ingest import Exam

FAR = 3.5
"""Robust standard deviations from the median that make an outlier (Iglewicz and Hoaglin 1993)."""
_FEWEST = 8
"""Exams of one manufacturer that are enough to say what is usual for it."""
_RARE = 0.1
"""What more than this share of the exams has is not unusual, however far from the median."""
_SD_OF_MAD = 1.4826


@dataclass(frozen=True, slots=True, kw_only=True)
class ExamCard:
    """One exam of the page."""

    exam: Exam
    volume_ml: float | None
    """Of the brain mask."""
    brain_hu: float | None
    """Median HU inside the mask."""
    flags: tuple[str, ...] = ()
    """Findings of the ingest and of the skull stripping."""
    usable: bool = True
    """Whether the exam may enter the cohort."""
    picture: bytes | None = None
    """PNG."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number in which exams are compared with those of the same manufacturer."""

    name: str
    unit: str
    digits: int
    least_sd: float
    """Differences of this size are usual, however alike the other exams are."""
    of: Callable[[ExamCard], float | None]


MEASURES = (
    Measure("volume", "ml", 0, 60.0, lambda card: card.volume_ml),
    Measure("brain", "HU", 1, 1.0, lambda card: card.brain_hu),
    Measure("slice thickness", "mm", 2, 0.3, lambda card: card.exam.thickness_mm),
    Measure("pixel", "mm", 2, 0.04, lambda card: card.exam.pixel_mm),
    Measure("slices", "", 0, 2.0, lambda card: float(card.exam.slices)),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A card with what makes it stand out."""

    card: ExamCard
    outlying: tuple[str, ...]
    """Measures that are unusual, with the usual value."""
    farthest: float
    """The largest distance from the usual, in robust standard deviations."""

    @property
    def first(self) -> bool:
        """Whether a person should look at it before the others."""
        return bool(self.card.flags or self.outlying or not self.card.usable)


def shown_of(cards: Sequence[ExamCard]) -> tuple[Shown, ...]:
    """The cards in the order in which to look at them.

    First those that may not be used; then those with flags, the rarest flags first; then outliers, the
    farthest first; then all others by manufacturer and pseudonym. An exam is compared with those of its
    manufacturer, or with all where these are fewer than eight; what is compared is in ``MEASURES``.
    """
    by_maker: dict[str, list[ExamCard]] = defaultdict(list)
    for card in cards:
        by_maker[card.exam.manufacturer].append(card)
    shown = []
    everyone = _Usual(cards)
    for members in by_maker.values():
        usual = _Usual(members) if len(members) >= _FEWEST else everyone
        shown += [Shown(card, *usual.outlying(card)) for card in members]
    how_many = Counter(flag for card in cards for flag in set(card.flags))
    return tuple(sorted(shown, key=lambda one: _order(one, how_many)))


def median_of(values: Sequence[float | None]) -> float | None:
    """Median of the known values; None without any."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _order(one: Shown, how_many: Mapping[str, int]) -> tuple[bool, float, float, str, str]:
    exam = one.card.exam
    rarest = min((float(how_many[flag]) for flag in one.card.flags), default=math.inf)
    return one.card.usable, rarest, -round(one.farthest, 6), exam.manufacturer, exam.exam


class _Usual:
    """Median and robust standard deviation of each measure over some exams."""

    def __init__(self, cards: Sequence[ExamCard]) -> None:
        self._of: list[tuple[Measure, float, float, list[float]]] = []
        if len(cards) < _FEWEST:
            return
        for measure in MEASURES:
            known = [value for card in cards if (value := measure.of(card)) is not None]
            if known:
                middle = statistics.median(known)
                off = sorted(abs(value - middle) for value in known)
                sd = max(_SD_OF_MAD * statistics.median(off), measure.least_sd)
                self._of.append((measure, middle, sd, off))

    def outlying(self, card: ExamCard) -> tuple[tuple[str, ...], float]:
        """What is unusual in a card, and by how many standard deviations at most."""
        words, farthest = [], 0.0
        for measure, middle, sd, off in self._of:
            value = measure.of(card)
            if value is None or abs(value - middle) <= FAR * sd:
                continue
            as_far = len(off) - bisect_left(off, abs(value - middle))
            if as_far > max(1.0, _RARE * len(off)):
                continue
            farthest = max(farthest, abs(value - middle) / sd)
            usual = f"{middle:.{measure.digits}f} {measure.unit}".rstrip()
            words.append(f"{measure.name} {value:.{measure.digits}f}, usually {usual}")
        return tuple(words), farthest
