"""Predictive values at a stated prevalence, from a sensitivity and a specificity."""

import math

from nameplate_evaluation.audit.figure import Figure
from nameplate_evaluation.measure import Estimate


def predictive_values(
    sensitivity: Figure, specificity: Figure, prevalence: float, confidence: float
) -> tuple[Estimate, Estimate]:
    """Positive and negative predictive value: what a call, or none, means where so many are ill.

    On the scale of their odds they are a ratio of two shares times a constant, so the interval is made of
    those of the shares (Zou and Donner 2008, for a ratio). Raises ValueError unless 0 < prevalence < 1.
    """
    if not 0 < prevalence < 1:
        raise ValueError(f"prevalence: expected a number between 0 and 1, got {prevalence}")
    ends = {}
    for name, figure in (("sens", sensitivity), ("spec", specificity)):
        found = figure.share()
        ends[name] = (found.value, *found.interval(confidence))
    (sens, sens_low, sens_high), (spec, spec_low, spec_high) = ends["sens"], ends["spec"]
    odds = prevalence / (1 - prevalence)
    positive = _of_ratio((sens, sens_low, sens_high), (1 - spec, 1 - spec_high, 1 - spec_low), odds)
    negative = _of_ratio((spec, spec_low, spec_high), (1 - sens, 1 - sens_high, 1 - sens_low), 1 / odds)
    exams = int(sensitivity.patient.size + specificity.patient.size)
    runs = sensitivity.merit.values.size
    first, second = (
        Estimate(mean=value, low=low, high=high, models=runs, exams=exams)
        if value is not None
        else Estimate(mean=math.nan, models=runs, exams=exams, note="no such call")
        for value, low, high in (positive, negative)
    )
    return first, second


def _of_ratio(
    top: tuple[float, float, float], bottom: tuple[float, float, float], odds: float
) -> tuple[float | None, float, float]:
    """odds x top / bottom as a share, with its interval; each is given as value, low and high."""
    if top[0] <= 0 and bottom[0] <= 0:
        return None, 0.0, 1.0
    if bottom[0] <= 0:
        return 1.0, _share(odds * top[1] / bottom[2]), 1.0
    if top[0] <= 0:
        return 0.0, 0.0, _share(odds * top[2] / bottom[1]) if bottom[1] > 0 else 1.0
    log_top, log_bottom = ([math.log(v) if v > 0 else -math.inf for v in ends] for ends in (top, bottom))
    middle = log_top[0] - log_bottom[0] + math.log(odds)
    down = math.hypot(log_top[0] - log_top[1], log_bottom[2] - log_bottom[0])
    up = math.hypot(log_top[2] - log_top[0], log_bottom[0] - log_bottom[1])
    low = 0.0 if math.isinf(down) else _share(math.exp(middle - down))
    high = 1.0 if math.isinf(up) else _share(math.exp(middle + up))
    return _share(math.exp(middle)), low, high


def _share(odds: float) -> float:
    return odds / (1 + odds)
