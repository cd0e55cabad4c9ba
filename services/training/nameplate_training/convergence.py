"""Whether a run has converged, and every number that decides it."""

from collections.abc import Sequence
from statistics import fmean

from nameplate.campaign.experiment import ConvergenceSettings
from nameplate.campaign.tasks import TASKS, TaskName
from nameplate.stats.metrics import accuracy, auroc, sensitivity, specificity
from nameplate.steps.training import Assessment, Epoch, Prediction

LOSS_FLOOR = 0.1
"""A validation loss below this is as good as zero: its relative rise would mean nothing."""


def assess(
    task: TaskName,
    history: Sequence[Epoch],
    validation: Sequence[Prediction],
    thresholds: ConvergenceSettings,
    diverged: str | None = None,
) -> Assessment:
    """Compare a run with the thresholds.

    ``validation`` are its predictions for the exams that count; ``diverged`` says where the loss stopped
    being a number, and decides the outcome. Without predictions the accuracy is 0.
    """
    labels = [prediction.label for prediction in validation]
    scores = [prediction.score for prediction in validation]
    masks = TASKS[task].answers == "mask"
    if masks:
        measured: float = fmean(scores) if scores else 0.0
        area = sens = spec = None
    else:
        measured = accuracy(labels, scores) or 0.0
        area, sens, spec = auroc(labels, scores), sensitivity(labels, scores), specificity(labels, scores)
    drop, rise = loss_drop(history), late_rise(history)
    word = "Dice" if masks else "accuracy"
    reasons: list[str] = []
    if diverged is not None:
        reasons.append(diverged)
    else:
        if measured < thresholds.accuracy:
            reasons.append(f"validation {word} {measured:.3f} is below {thresholds.accuracy:g}")
        if not masks and area is None:
            reasons.append("validation AUROC is undefined: one class is absent")
        if area is not None and area < thresholds.auroc:
            reasons.append(f"validation AUROC {area:.3f} is below {thresholds.auroc:g}")
        if drop < thresholds.loss_drop:
            reasons.append(f"training loss fell by {drop:.1%}, less than {thresholds.loss_drop:.1%}")
        if rise > thresholds.late_rise:
            reasons.append(f"validation loss rose late by {rise:.1%}, more than {thresholds.late_rise:.1%}")
    return Assessment(
        outcome="diverged" if diverged is not None else "not-converged" if reasons else "converged",
        reasons=tuple(reasons),
        val_accuracy=measured,
        val_auroc=area,
        sensitivity=sens,
        specificity=spec,
        loss_drop=drop,
        late_rise=rise,
    )


def loss_drop(history: Sequence[Epoch]) -> float:
    """Relative fall of the training loss from the first tenth of the epochs to the last tenth."""
    if len(history) < 2:
        return 0.0
    some = _tenth(history)
    first = fmean(epoch.train_loss for epoch in history[:some])
    last = fmean(epoch.train_loss for epoch in history[-some:])
    return (first - last) / first if first > 0 else 0.0


def late_rise(history: Sequence[Epoch]) -> float:
    """Rise of the validation loss from its lowest epoch to the last tenth, relative to the lowest.

    Losses below ``LOSS_FLOOR`` count as the floor; a loss that ends at its lowest gives 0.
    """
    if not history:
        return 0.0
    lowest = max(min(epoch.val_loss for epoch in history), LOSS_FLOOR)
    last = fmean(epoch.val_loss for epoch in history[-_tenth(history) :])
    return max(last / lowest - 1.0, 0.0)


def _tenth(history: Sequence[Epoch]) -> int:
    return max(1, len(history) // 10)
