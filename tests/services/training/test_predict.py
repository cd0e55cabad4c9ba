import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nameplate.pack.packed import Pack
from nameplate.stats.metrics import dice
from nameplate_training.predict import evaluate, loss_of, predictions_of


class Above(nn.Module):
    """Says yes to voxels above a threshold."""

    def forward(self, x: Tensor) -> Tensor:
        return (x - 0.395) * 50


def test_dice_loss_is_v_nets() -> None:
    logits, targets = torch.randn(3, 1, 4, 4, 4), torch.randint(2, (3, 1, 4, 4, 4)).float()
    p = logits.sigmoid()
    axes = (1, 2, 3, 4)
    expected = 1 - 2 * (p * targets).sum(axes) / ((p**2).sum(axes) + (targets**2).sum(axes))
    assert loss_of("segmentation", logits, targets).item() == pytest.approx(expected.mean().item(), abs=1e-5)


def test_segmentation_scores_are_dice_of_each_exam(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    pack = tiny_pack()
    settings = learning("segmentation")
    rows = pack.rows("val")
    found = evaluate(Above(), batches_of(settings, pack), rows)
    expected = [dice(pack.images[row] >= 40, pack.masks[row]) for row in rows]
    assert found.scores == pytest.approx(expected)
    empty = Pack(np.zeros_like(pack.images), np.zeros_like(pack.masks), pack.samples)
    assert evaluate(Above(), batches_of(settings, empty), rows).scores == (1.0,) * len(rows)


def test_predictions_carry_what_the_report_splits_by(tiny_pack) -> None:  # type: ignore[no-untyped-def]
    pack = tiny_pack()
    made = predictions_of(pack, [3, 8], [0.25, 0.75])
    assert [(p.exam, p.score, p.label, p.level, p.split) for p in made] == [
        ("e03", 0.25, 1, "Siemens", "val"),
        ("e08", 0.75, 0, "GE", "val"),
    ]
    assert [(p.difficulty, p.radius_mm) for p in made] == [("easy", 21.5), (None, None)]


class FewAtOnce(nn.Module):
    """Holds two exams at a time."""

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > 2:
            raise torch.OutOfMemoryError
        return (x - 0.395) * 50


def test_an_evaluation_that_does_not_fit_the_card_is_made_in_halves(learning, batches_of, tiny_pack) -> None:  # type: ignore[no-untyped-def]
    pack = tiny_pack()
    batches = batches_of(learning("segmentation"), pack)
    rows = range(7)
    assert evaluate(FewAtOnce(), batches, rows) == evaluate(Above(), batches, rows)
    with pytest.raises(torch.OutOfMemoryError):
        evaluate(NoneFits(), batches, rows)


class NoneFits(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        raise torch.OutOfMemoryError
