"""From outcomes to figures: detection by level of the factor, and the gaps between levels."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nameplate.stats.holm import holm
from nameplate.steps.challenge import Outcome
from nameplate.streams import stream
from nameplate_challenge.curve import Fit, Floats, fitted
from nameplate_challenge.findings import Bound, Curve, Findings, Gap, Level, Point
from nameplate_challenge.radius import Radius, radius_of
from nameplate_challenge.share import Share, difference, share_of

DIGITS = 6
"""Decimals of what is written, so that the last bits of a machine's arithmetic reach no file."""
FEWEST_RADII = 3
"""Of which a curve is fitted."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be known of the scores; other answers need no new scores."""

    factor: str
    threshold: float
    sensitivity: float
    confidence: float
    seed: int
    resamples: int


def analysed(outcomes: Sequence[Outcome], question: Question, *, refused: int) -> Findings:
    """All figures of the cases with a score."""
    names = sorted({outcome.level for outcome in outcomes})
    hus = sorted({outcome.lesion.hu for outcome in outcomes if outcome.lesion is not None})
    weights = _resampled(outcomes, question)
    cells: dict[tuple[str, float], tuple[Curve, Share, Radius | None]] = {}
    untouched: dict[str, Share] = {}
    levels = []
    for name in names:
        here = [one for one in outcomes if one.level == name]
        scored = [one for one in here if one.score is not None]
        alone = [one for one in scored if one.lesion is None]
        alarms = _share(alone, question)
        if alarms is not None:
            untouched[name] = alarms
        for hu in hus:
            planted = [one for one in scored if one.lesion is not None and one.lesion.hu == hu]
            if planted:
                cells[name, hu] = _curve(hu, planted, alone, weights, question)
        levels.append(
            Level(
                level=name,
                exams=len({one.exam for one in here}),
                patients=len({one.patient for one in here}),
                cases=len(scored),
                failed=sum(one.asked and one.score is None for one in here),
                no_room=sum(not one.asked for one in here),
                untouched=None if alarms is None else _point(0.0, alarms),
                regions=_regions(alone),
                curves=tuple(cells[name, hu][0] for hu in hus if (name, hu) in cells),
            )
        )
    gaps = _gaps(names, hus, cells, untouched, question)
    adjusted = holm([gap.p for gap in gaps])
    return Findings(
        factor=question.factor,
        threshold=question.threshold,
        sensitivity=question.sensitivity,
        confidence=question.confidence,
        seed=question.seed,
        resamples=question.resamples,
        levels=tuple(levels),
        gaps=tuple(
            gap.model_copy(update={"p_adjusted": _rounded(p)}) for gap, p in zip(gaps, adjusted, strict=True)
        ),
        reasons=dict(sorted(Counter(one.reason for one in outcomes if one.reason).items())),
        refused=refused,
    )


def _found(outcomes: Sequence[Outcome], question: Question) -> NDArray[np.bool_]:
    return np.array(
        [one.score is not None and one.score >= question.threshold for one in outcomes], dtype=bool
    )


def _share(outcomes: Sequence[Outcome], question: Question) -> Share | None:
    return share_of(_found(outcomes, question), [one.patient for one in outcomes], question.confidence)


def _point(radius_mm: float, share: Share) -> Point:
    return Point(
        radius_mm=radius_mm,
        cases=share.cases,
        found=share.hits,
        share=round(share.value, DIGITS),
        low=_rounded(share.low),
        high=_rounded(share.high),
    )


def _regions(alone: Sequence[Outcome]) -> float | None:
    counts = [one.alarms for one in alone if one.alarms is not None]
    return round(sum(counts) / len(counts), DIGITS) if counts else None


def _resampled(outcomes: Sequence[Outcome], question: Question) -> dict[str, Floats]:
    """How often each patient is in the data (once) and in every resample, (1 + resamples,).

    Drawn among the patients who have the same levels: those with exams of two manufacturers stay together.
    """
    levels: dict[str, set[str]] = {}
    for outcome in outcomes:
        levels.setdefault(outcome.patient, set()).add(outcome.level)
    alike: dict[tuple[str, ...], list[str]] = {}
    for patient in sorted(levels):
        alike.setdefault(tuple(sorted(levels[patient])), []).append(patient)
    weights: dict[str, Floats] = {}
    for kind, patients in sorted(alike.items()):
        rng = stream(question.seed, "challenge", "patients", *kind)
        count = len(patients)
        drawn = rng.multinomial(count, np.full(count, 1.0 / count), size=question.resamples)
        for column, patient in enumerate(patients):
            weights[patient] = np.concatenate([[1.0], drawn[:, column].astype(np.float64)])
    return weights


def _curve(
    hu: float,
    planted: Sequence[Outcome],
    alone: Sequence[Outcome],
    weights: dict[str, Floats],
    question: Question,
) -> tuple[Curve, Share, Radius | None]:
    by_radius: dict[float, list[Outcome]] = {}
    for one in planted:
        assert one.lesion is not None
        by_radius.setdefault(one.lesion.radius_mm, []).append(one)
    radii = np.array(sorted(by_radius))
    points = []
    for radius in radii.tolist():
        share = _share(by_radius[radius], question)
        assert share is not None
        points.append(_point(radius, share))
    whole = _share(planted, question)
    assert whole is not None
    fit = _fit(radii, by_radius, alone, weights, question) if len(radii) >= FEWEST_RADII else None
    wanted = None if fit is None else radius_of(fit, radii, question.sensitivity)
    bound, radius_mm, low, high = _shown(wanted, question, len({one.patient for one in planted}))
    curve = Curve(
        hu=hu,
        points=tuple(points),
        bound=bound,
        radius_mm=radius_mm,
        low=low,
        high=high,
        r50_mm=None if fit is None else round(float(np.exp(fit.log_r50[0])), DIGITS),
        slope=None if fit is None else round(float(fit.slope[0]), DIGITS),
        guess=None if fit is None else round(float(fit.guess[0]), DIGITS),
        lapse=None if fit is None else round(float(fit.lapse[0]), DIGITS),
        sensitivity=_point(0.0, whole),
    )
    return curve, whole, wanted


def _fit(
    radii: Floats,
    by_radius: dict[float, list[Outcome]],
    alone: Sequence[Outcome],
    weights: dict[str, Floats],
    question: Question,
) -> Fit:
    def counts(outcomes: Sequence[Outcome]) -> tuple[Floats, Floats]:
        hits: Counter[str] = Counter()
        hits.update(one.patient for one, hit in zip(outcomes, _found(outcomes, question), strict=True) if hit)
        cases = Counter(one.patient for one in outcomes)
        nothing = np.zeros(1 + question.resamples)
        return (
            sum((weights[patient] * n for patient, n in hits.items()), start=nothing),
            sum((weights[patient] * n for patient, n in cases.items()), start=nothing),
        )

    found, cases = zip(*(counts(by_radius[radius]) for radius in radii.tolist()), strict=True)
    # A mask's score is that of the lesion's own region, where nothing is guessed from the rest of the exam.
    alarms, untouched = counts([one for one in alone if one.alarms is None])
    return fitted(radii, np.stack(found, axis=1), np.stack(cases, axis=1), alarms, untouched)


def _shown(
    radius: Radius | None, question: Question, patients: int
) -> tuple[Bound, float | None, float | None, float | None]:
    """Bound, radius, and its interval."""
    if radius is None:
        return "not known", None, None, None
    low, high = radius.interval(question.confidence) if patients > 1 else (0.0, np.inf)
    bound: Bound = "reached" if radius.value is not None else "above" if radius.most[0] == np.inf else "below"
    return bound, _rounded(radius.value), _rounded(low) if low > 0 else None, _finite(high)


def _gaps(
    names: Sequence[str],
    hus: Sequence[float],
    cells: dict[tuple[str, float], tuple[Curve, Share, Radius | None]],
    untouched: dict[str, Share],
    question: Question,
) -> list[Gap]:
    gaps: list[Gap] = []
    for first, second in combinations(names, 2):
        for hu in hus:
            if (first, hu) in cells and (second, hu) in cells:
                (_, one_share, one), (_, other_share, other) = cells[first, hu], cells[second, hu]
                if one is not None and other is not None:
                    gaps.append(_radius_gap(hu, first, second, one, other, question))
                gaps.append(_share_gap("sensitivity", hu, first, second, one_share, other_share, question))
        if first in untouched and second in untouched:
            gaps.append(
                _share_gap("false alarms", None, first, second, untouched[first], untouched[second], question)
            )
    return gaps


def _radius_gap(hu: float, first: str, second: str, one: Radius, other: Radius, question: Question) -> Gap:
    gap = other.minus(one)
    low, high = gap.interval(question.confidence)
    return Gap(
        figure="radius, mm",
        hu=hu,
        first=first,
        second=second,
        value=_rounded(gap.value),
        low=_finite(low),
        high=_finite(high),
        p=_rounded(gap.p()),
        p_adjusted=None,
    )


def _share_gap(
    figure: Literal["sensitivity", "false alarms"],
    hu: float | None,
    first: str,
    second: str,
    one: Share,
    other: Share,
    question: Question,
) -> Gap:
    found = difference(one, other, question.confidence)
    return Gap(
        figure=figure,
        hu=hu,
        first=first,
        second=second,
        value=round(found.value, DIGITS),
        low=_rounded(found.low),
        high=_rounded(found.high),
        p=_rounded(found.p),
        p_adjusted=None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS)


def _finite(value: float) -> float | None:
    return _rounded(value) if np.isfinite(value) else None
