import pytest

from nameplate.campaign.experiment import ConvergenceSettings
from nameplate.steps.training import Epoch, Prediction
from nameplate_training.convergence import assess, late_rise, loss_drop

STRICT = ConvergenceSettings(accuracy=0.7, auroc=0.8, loss_drop=0.5, late_rise=0.5)


def epochs(train: list[float], val: list[float]) -> list[Epoch]:
    return [
        Epoch(epoch=n + 1, rate=0.1, train_loss=a, val_loss=b, val_accuracy=0.5, val_auroc=0.5)
        for n, (a, b) in enumerate(zip(train, val, strict=True))
    ]


def predictions(*scored: tuple[int, float]) -> list[Prediction]:
    return [
        Prediction(exam=f"e{n}", patient=f"p{n}", level="GE", split="val", label=label, score=score,
                   difficulty=None, radius_mm=None)
        for n, (label, score) in enumerate(scored)
    ]  # fmt: skip


GOOD = predictions((1, 0.9), (1, 0.8), (0, 0.1), (0, 0.2))
FALLING = epochs([0.8, 0.6, 0.3, 0.2], [0.7, 0.6, 0.5, 0.5])


def test_converged_with_all_its_numbers() -> None:
    assessed = assess("spheres", FALLING, GOOD, STRICT)
    assert assessed.outcome == "converged"
    assert assessed.reasons == ()
    assert (assessed.val_accuracy, assessed.val_auroc) == (1.0, 1.0)
    assert (assessed.sensitivity, assessed.specificity) == (1.0, 1.0)
    assert assessed.loss_drop == pytest.approx(0.75)
    assert assessed.late_rise == 0.0


def test_every_missed_threshold_is_named_with_its_number() -> None:
    bad = predictions((1, 0.2), (1, 0.6), (0, 0.7), (0, 0.1))
    assessed = assess("spheres", epochs([0.8, 0.7], [0.4, 0.8]), bad, STRICT)
    assert assessed.outcome == "not-converged"
    assert assessed.reasons == (
        "validation accuracy 0.500 is below 0.7",
        "validation AUROC 0.500 is below 0.8",
        "training loss fell by 12.5%, less than 50.0%",
        "validation loss rose late by 100.0%, more than 50.0%",
    )


def test_a_net_that_ranks_well_but_answers_one_way_shows_both_numbers() -> None:
    assessed = assess("spheres", FALLING, predictions((1, 0.4), (1, 0.3), (0, 0.2), (0, 0.1)), STRICT)
    assert (assessed.val_auroc, assessed.val_accuracy) == (1.0, 0.5)
    assert (assessed.sensitivity, assessed.specificity) == (0.0, 1.0)
    assert assessed.reasons == ("validation accuracy 0.500 is below 0.7",)


def test_divergence_settles_it() -> None:
    assessed = assess("spheres", [], [], STRICT, "training loss was nan at step 3 of epoch 1")
    assert assessed.outcome == "diverged"
    assert assessed.reasons == ("training loss was nan at step 3 of epoch 1",)
    assert (assessed.val_accuracy, assessed.val_auroc) == (0.0, None)


def test_segmentation_is_assessed_by_dice() -> None:
    scored = predictions((0, 0.95), (1, 0.85))
    assert assess("segmentation", FALLING, scored, STRICT).val_accuracy == pytest.approx(0.9)
    strict = STRICT.model_copy(update={"accuracy": 0.95})
    assert assess("segmentation", FALLING, scored, strict).reasons == ("validation Dice 0.900 is below 0.95",)


def test_one_class_alone_has_no_auroc_and_does_not_converge() -> None:
    assessed = assess("factor", FALLING, predictions((1, 0.9), (1, 0.8)), STRICT)
    assert assessed.val_auroc is None
    assert assessed.reasons == ("validation AUROC is undefined: one class is absent",)


def test_losses_near_zero_do_not_count_as_a_rise() -> None:
    assert late_rise(epochs([1, 1, 1], [0.5, 0.001, 0.02])) == 0.0
    assert late_rise(epochs([1, 1, 1], [0.5, 0.001, 0.2])) == pytest.approx(1.0)


def test_ends_are_tenths_of_the_history() -> None:
    train = [1.0, 0.8] + [0.5] * 16 + [0.4, 0.5]
    assert loss_drop(epochs(train, train)) == pytest.approx(0.5)
    assert loss_drop(epochs([1.0], [1.0])) == 0.0
    assert late_rise([]) == 0.0
