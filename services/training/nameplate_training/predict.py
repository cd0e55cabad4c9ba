"""What a trained network predicts for exams: one score each."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nameplate.campaign.experiment import LearningSettings
from nameplate.campaign.tasks import TASKS, TaskName
from nameplate.pack.packed import Pack
from nameplate.steps.training import Prediction
from nameplate_training.batches import Batch, Batches, divided


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of some exams, in the order of the rows asked for, and their mean loss."""

    scores: tuple[float, ...]
    """Probability of the positive class, or Dice of the mask for segmentation."""
    loss: float


def loss_of(task: TaskName, logits: Tensor, targets: Tensor) -> Tensor:
    """Mean loss of a batch: cross-entropy, or for segmentation the Dice loss of V-Net.

    V-Net's denominator sums squares (Milletari et al. 2016); the mean is over the exams.
    """
    if TASKS[task].answers == "class":
        return functional.binary_cross_entropy_with_logits(logits, targets)
    from monai.losses.dice import DiceLoss  # here: the import takes seconds

    loss: Tensor = DiceLoss(sigmoid=True, squared_pred=True)(logits, targets)
    return loss


def precision(learning: LearningSettings, device: torch.device) -> AbstractContextManager[object]:
    """Autocast to bfloat16 if the settings ask for it and the device is a GPU."""
    if learning.training.precision == "bfloat16" and device.type == "cuda":
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()


@torch.no_grad()
def evaluate(network: nn.Module, batches: Batches, rows: Sequence[int]) -> Evaluation:
    """Scores and loss of these rows, with batch norm's stored statistics."""
    task, scores, losses = batches.learning.task, [], []
    network.eval()
    for part in divided(np.asarray(rows), batches.learning.training.batch):
        batch = batches.fixed(part)
        with precision(batches.learning, batches.device):
            logits = _logits(network, batch.images).float()
        losses.append((float(loss_of(task, logits, batch.targets)), len(part)))
        scores += _scores(task, logits, batch)
    network.train()
    return Evaluation(tuple(scores), sum(loss * count for loss, count in losses) / len(rows))


def _logits(network: nn.Module, images: Tensor) -> Tensor:
    """The network's output; images that a GPU cannot hold at once pass in halves."""
    try:
        logits: Tensor = network(images)
        return logits
    except torch.OutOfMemoryError:
        if len(images) < 2:
            raise
    torch.cuda.empty_cache()
    return torch.cat([_logits(network, half) for half in images.tensor_split(2)])


def _scores(task: TaskName, logits: Tensor, batch: Batch) -> list[float]:
    if TASKS[task].answers == "class":
        probabilities: list[float] = logits.double().sigmoid().tolist()
        return probabilities
    mask, truth = logits >= 0, batch.targets > 0.5
    axes = (1, 2, 3, 4)
    both, either = (mask & truth).sum(axes).double(), (mask.sum(axes) + truth.sum(axes)).double()
    # Two empty masks agree.
    dice: list[float] = torch.where(either > 0, 2 * both / either.clamp(min=1), 1.0).tolist()
    return dice


def predictions_of(pack: Pack, rows: Sequence[int], scores: Sequence[float]) -> tuple[Prediction, ...]:
    """Scores as records, one per exam."""
    predictions = []
    for row, score in zip(rows, scores, strict=True):
        sample = pack.samples[row]
        predictions.append(
            Prediction(
                exam=sample.exam,
                patient=sample.patient,
                level=sample.level,
                split=sample.split,
                label=sample.label,
                score=score,
                difficulty=sample.sphere.difficulty if sample.sphere else None,
                radius_mm=sample.sphere.radius_mm if sample.sphere else None,
            )
        )
    return tuple(predictions)
