"""The figures of every level of a column, and the gaps between levels, for one network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from nameplate_evaluation.audit import figure as figures
from nameplate_evaluation.audit.figure import Figure, Metric, Sample, difference
from nameplate_evaluation.audit.levels import Levels
from nameplate_evaluation.audit.predictive import predictive_values
from nameplate_evaluation.measure import Estimate

ALL = "all exams"
OTHERS = "all others"


@dataclass(frozen=True, kw_only=True)
class LevelFigures:
    """One level: how many exams, and its figures."""

    level: str
    exams: int
    patients: int
    positives: int | None
    values: Mapping[str, Estimate | str]
    """By metric; a text says why there is none."""
    figures: Mapping[str, Figure]
    """Those that there are."""


@dataclass(frozen=True, kw_only=True)
class LevelGap:
    """One level minus another, or minus all others, in one metric."""

    metric: str
    first: str
    second: str
    estimate: Estimate
    p_holm: float | None = None
    """Adjusted for the family of comparisons that it belongs to."""
    main: bool = False
    """Whether the answer rests on it."""


@dataclass(frozen=True, kw_only=True)
class Odds:
    """The largest differences between levels, as fairness toolkits name them; nothing for a single level."""

    equal_opportunity: float | None
    """Of sensitivities."""
    average_odds: float | None
    """Of two levels, the mean of the differences in sensitivity and in false alarms, without their signs."""
    equalized_odds: float | None
    """The larger of the largest difference in sensitivity and that in false alarms."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One column in one network."""

    levels: Levels
    of_level: tuple[LevelFigures, ...]
    gaps: tuple[LevelGap, ...]
    odds: Odds


def metrics_of(*, dice: bool, threshold: float | None, chosen: float | None) -> dict[str, Metric]:
    """The metrics by name; those at a threshold that there is not are left out."""
    if dice:
        return {"dice": figures.dice}
    found: dict[str, Metric] = {"auroc": figures.auroc}
    if threshold is not None:
        found["accuracy"] = figures.accuracy_at(threshold)
        found["sensitivity"] = figures.sensitivity_at(threshold)
        found["specificity"] = figures.specificity_at(threshold)
    if chosen is not None:
        found["sensitivity_chosen"] = figures.sensitivity_at(chosen)
        found["specificity_chosen"] = figures.specificity_at(chosen)
    return found


def main_metric(*, dice: bool) -> str:
    """The metric that the answer is about: no threshold is part of it."""
    return "dice" if dice else "auroc"


def level_figures(
    level: str,
    sample: Sample,
    metrics: Mapping[str, Metric],
    *,
    confidence: float,
    prevalence: float | None,
    calibrated: bool,
) -> LevelFigures:
    """All figures of these exams."""
    found: dict[str, Figure] = {}
    values: dict[str, Estimate | str] = {}
    for name, metric in metrics.items():
        one = metric(sample)
        if isinstance(one, str):
            values[name] = one
        else:
            found[name] = one
            values[name] = one.estimate(confidence)
    if prevalence is not None and "sensitivity" in metrics:
        if "sensitivity" in found and "specificity" in found:
            ppv, npv = predictive_values(found["sensitivity"], found["specificity"], prevalence, confidence)
            values["ppv"], values["npv"] = ppv, npv
        else:
            values["ppv"] = values["npv"] = "no sensitivity or no specificity"
    if calibrated:
        both = figures.calibration(sample)
        for place, name in enumerate(("excess", "slope")):
            if isinstance(both, str):
                values[name] = both
            else:
                found[name] = both[place]
                values[name] = both[place].estimate(confidence)
    return LevelFigures(
        level=level,
        exams=sample.exams,
        patients=int(np.unique(sample.patient).size),
        positives=None if sample.labels is None else int(sample.labels.sum()),
        values=values,
        figures=found,
    )


def comparison_of(
    levels: Levels,
    sample: Sample,
    metrics: Mapping[str, Metric],
    *,
    main: str | None,
    confidence: float,
    prevalence: float | None,
    calibrated: bool,
) -> Comparison:
    """Every level and every gap; with ``main``, the answer's metric, between all pairs of levels."""
    of_level = tuple(
        level_figures(
            name,
            sample.where(levels.exams(place)),
            metrics,
            confidence=confidence,
            prevalence=prevalence,
            calibrated=calibrated,
        )
        for place, name in enumerate(levels.names)
    )
    gaps: Iterator[LevelGap]
    if main is not None or len(of_level) == 2:
        gaps = _pair_gaps(of_level, main, confidence)
    else:
        gaps = _gaps_to_others(of_level, levels, sample, metrics, confidence)
    return Comparison(
        levels=levels,
        of_level=of_level,
        gaps=tuple(gaps),
        odds=odds_of(of_level),
    )


def _pair_gaps(of_level: tuple[LevelFigures, ...], main: str | None, confidence: float) -> Iterator[LevelGap]:
    for first, second in combinations(of_level, 2):
        for metric, figure in first.figures.items():
            if metric in second.figures:
                yield LevelGap(
                    metric=metric,
                    first=first.level,
                    second=second.level,
                    estimate=difference(figure, second.figures[metric], confidence),
                    main=metric == main,
                )


def _gaps_to_others(
    of_level: tuple[LevelFigures, ...],
    levels: Levels,
    sample: Sample,
    metrics: Mapping[str, Metric],
    confidence: float,
) -> Iterator[LevelGap]:
    for place, one in enumerate(of_level):
        rest = sample.where((levels.of_exam >= 0) & (levels.of_exam != place))
        for metric, measure in metrics.items():
            others = measure(rest)
            if metric in one.figures and not isinstance(others, str):
                yield LevelGap(
                    metric=metric,
                    first=one.level,
                    second=OTHERS,
                    estimate=difference(one.figures[metric], others, confidence),
                )


def odds_of(of_level: tuple[LevelFigures, ...]) -> Odds:
    """The largest differences, of the levels that have both rates at the vendor's threshold."""
    rates = [
        (one.figures["sensitivity"].value, 1 - one.figures["specificity"].value)
        for one in of_level
        if {"sensitivity", "specificity"} <= one.figures.keys()
    ]
    apart = [(abs(a[0] - b[0]), abs(a[1] - b[1])) for a, b in combinations(rates, 2)]
    if not apart:
        return Odds(equal_opportunity=None, average_odds=None, equalized_odds=None)
    return Odds(
        equal_opportunity=max(found for found, _ in apart),
        average_odds=max((found + alarms) / 2 for found, alarms in apart),
        equalized_odds=max(max(found, alarms) for found, alarms in apart),
    )


def adjusted(comparison: Comparison, p_holm: Iterator[float | None], *, main: bool) -> Comparison:
    """The same with the next adjusted p-values for its gaps that are main, or that are not."""
    gaps = tuple(replace(gap, p_holm=next(p_holm)) if gap.main == main else gap for gap in comparison.gaps)
    return replace(comparison, gaps=gaps)
