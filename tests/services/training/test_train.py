import io
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from nameplate.campaign.experiment import ArmSettings, ConvergenceSettings, LearningSettings
from nameplate.errors import CohortError, TryAgain, UserError
from nameplate.pack.packed import Pack
from nameplate.stats.metrics import auroc
from nameplate.steps.cell import Cell
from nameplate.steps.training import Epoch, Run, TrainingJob
from nameplate_training import train
from nameplate_training.features import features_bytes
from nameplate_training.train import Interrupted, TrainedRun, predict_run, train_run

TASKS = ("factor", "spheres", "segmentation")
MIXED = ArmSettings(name="mixed")
GE = ArmSettings(name="GE", levels=("GE",))


def go(
    learning: LearningSettings,
    pack: Pack,
    *,
    arm: ArmSettings = MIXED,
    choose_on: Literal["all", "own"] = "all",
    folder: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
) -> TrainedRun:
    job = TrainingJob(
        campaign_seed=5,
        cell=Cell(experiment="tiny", cohort="study", dataset="easy", training_set=arm.name, group=0),
        seed=3,
        round=0,
        arm=arm,
        learning=learning,
        choose_on=choose_on,
        convergence=ConvergenceSettings(loss_drop=0.0, late_rise=10.0),
    )
    return train_run(job, pack, checkpoint_folder=folder, should_stop=should_stop, on_epoch=on_epoch)


@pytest.mark.parametrize("task", TASKS)
def test_stopped_after_every_step_and_resumed_it_ends_in_the_same_bytes(
    task: str, learning: Any, tiny_pack: Any, tmp_path: Path
) -> None:
    settings, pack = learning(task, training={"schedule": "one_cycle"}), tiny_pack()
    undisturbed = go(settings, pack)
    torch.rand(7)  # whatever else the process draws must not matter
    stops, heard = 0, []
    while True:
        try:
            resumed = go(settings, pack, folder=tmp_path, should_stop=lambda: True, on_epoch=heard.append)
            break
        except Interrupted:
            stops += 1
            assert stops <= 6
    assert stops == 2 * 3
    assert resumed.weights == undisturbed.weights
    assert resumed.run == undisturbed.run
    assert resumed.predictions == undisturbed.predictions
    assert tuple(heard) == undisturbed.run.history


def test_killed_without_warning_it_goes_on_from_the_last_epoch(
    learning: Any, tiny_pack: Any, tmp_path: Path
) -> None:
    settings, pack = learning("spheres", training={"epochs": 3}), tiny_pack()

    def killed(epoch: Epoch) -> None:
        if epoch.epoch == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go(settings, pack, folder=tmp_path, on_epoch=killed)
    (tmp_path / "checkpoint.pt").write_bytes(b"torn")
    heard: list[int] = []
    resumed = go(settings, pack, folder=tmp_path, on_epoch=lambda epoch: heard.append(epoch.epoch))
    assert heard == [2, 3]
    assert resumed.weights == go(settings, pack).weights


def test_a_checkpoint_of_other_images_is_not_used(learning: Any, tiny_pack: Any, tmp_path: Path) -> None:
    settings, pack = learning("spheres"), tiny_pack()
    go(settings, pack, folder=tmp_path)
    images = pack.images.copy()
    images[0, 0, 0, 0] += 1
    heard: list[Epoch] = []
    go(settings, Pack(images, pack.masks, pack.samples), folder=tmp_path, on_epoch=heard.append)
    assert len(heard) == 2


def test_being_stopped_is_no_failure() -> None:
    assert issubclass(Interrupted, TryAgain)
    assert Interrupted.exit_code == 75


@pytest.mark.parametrize("task", TASKS)
def test_a_trained_run_is_predicted_again_from_its_weights(task: str, learning: Any, tiny_pack: Any) -> None:
    settings, pack = learning(task), tiny_pack()
    made = go(settings, pack)
    assert predict_run(5, settings, pack, made.weights, split="val").predictions == made.predictions
    test = predict_run(5, settings, pack, made.weights, split="test")
    assert [prediction.exam for prediction in test.predictions] == ["e04", "e09", "e14", "e19"]
    assert test.features.shape == (4, {"factor": 8, "spheres": 10, "segmentation": 8}[task])
    with pytest.raises(UserError):
        predict_run(5, settings, pack, made.weights[:-100], split="test")


def test_the_features_of_an_exam_are_those_that_its_score_is_made_of(learning: Any, tiny_pack: Any) -> None:
    settings, pack = learning("spheres"), tiny_pack(40)
    made = go(settings, pack)
    test = predict_run(5, settings, pack, made.weights, split="test")
    saved = torch.load(io.BytesIO(made.weights), weights_only=True)
    weights = saved.get("network", saved)
    logits = test.features @ weights["dense.weight"][0].numpy() + weights["dense.bias"].numpy()
    scores = [prediction.score for prediction in test.predictions]
    assert len({prediction.level for prediction in test.predictions}) == 2
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), scores, rtol=1e-4)
    again = predict_run(5, settings, pack, made.weights, split="test")
    assert features_bytes(again.features) == features_bytes(test.features)


def test_it_learns_what_there_is_to_learn(learning: Any, tiny_pack: Any) -> None:
    rates = {"rate": 1e-2, "epochs": 8, "schedule": "one_cycle"}
    run = go(learning("spheres", training=rates), tiny_pack(40)).run
    assert (run.outcome, run.val_accuracy, run.val_auroc) == ("converged", 1.0, 1.0)
    assert (run.train_exams, run.norm_batch, run.device) == (24, 4, "cpu")
    assert run.versions == {name: version(name) for name in ("torch", "monai")}
    run = go(learning("segmentation", training={"rate": 3e-2, "epochs": 8}), tiny_pack(40)).run
    assert run.val_accuracy > 0.95
    assert run.val_auroc is None
    assert run.sensitivity is None


@pytest.mark.parametrize(("choose_on", "counted"), [("all", {"GE", "Siemens"}), ("own", {"GE"})])
def test_one_level_is_trained_on_all_validation_exams_are_predicted_and_those_asked_for_count(
    choose_on: Literal["all", "own"], counted: set[str], learning: Any, tiny_pack: Any
) -> None:
    made = go(learning("spheres"), tiny_pack(40), arm=GE, choose_on=choose_on)
    assert made.run.train_exams == 12
    assert [p.level for p in made.predictions].count("GE") == 4
    assert len(made.predictions) == 8
    rows = [p for p in made.predictions if p.level in counted]
    assert made.run.val_accuracy == np.mean([(p.score >= 0.5) == p.label for p in rows])
    assert made.run.val_auroc == auroc([p.label for p in rows], [p.score for p in rows])
    last = made.run.history[-1]
    assert (last.val_accuracy, last.val_auroc) == (made.run.val_accuracy, made.run.val_auroc)


def test_what_counts_changes_no_weight_and_no_prediction(learning: Any, tiny_pack: Any) -> None:
    settings, pack = learning("spheres"), tiny_pack(40)
    everyone, own = (go(settings, pack, arm=GE, choose_on=which) for which in ("all", "own"))
    assert everyone.weights == own.weights
    assert everyone.predictions == own.predictions
    assert everyone.run.history != own.run.history


def test_a_level_without_exams(learning: Any, tiny_pack: Any) -> None:
    nobody = ArmSettings(name="Philips", levels=("Philips",))
    with pytest.raises(CohortError, match="0 training and 8 validation exams of 'Philips'"):
        go(learning("spheres"), tiny_pack(40), arm=nobody)


def test_an_arm_of_some_exams_resumes_and_ends_in_the_same_bytes(
    learning: Any, tiny_pack: Any, tmp_path: Path
) -> None:
    settings, pack = learning("spheres"), tiny_pack(40)
    some = ArmSettings(name="some", exams=8)
    undisturbed = go(settings, pack, arm=some)
    assert undisturbed.run.train_exams == 8
    assert undisturbed.run.norm_batch == 4
    with pytest.raises(Interrupted):
        go(settings, pack, arm=some, folder=tmp_path, should_stop=lambda: True)
    assert go(settings, pack, arm=some, folder=tmp_path).weights == undisturbed.weights


def test_a_checkpoint_of_other_exams_is_not_used(learning: Any, tiny_pack: Any, tmp_path: Path) -> None:
    settings, pack = learning("spheres"), tiny_pack(40)
    go(settings, pack, arm=ArmSettings(name="some", exams=8), folder=tmp_path)
    heard: list[Epoch] = []
    go(settings, pack, arm=ArmSettings(name="some", exams=10), folder=tmp_path, on_epoch=heard.append)
    assert len(heard) == 2


def test_a_diverged_run_is_an_outcome_that_can_be_stored(learning: Any, tiny_pack: Any) -> None:
    made = go(learning("spheres", range=(0.0, 3e38)), tiny_pack())
    assert made.run.outcome == "diverged"
    assert made.run.reasons == ("training loss was nan at step 1 of epoch 1",)
    assert made.predictions == ()
    assert Run.model_validate_json(made.run.model_dump_json()) == made.run


class SmallCard(nn.Module):
    """A network on a card that holds two exams at a time."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        if self.training and torch.is_grad_enabled() and len(x) > 2:
            raise torch.OutOfMemoryError
        result: Tensor = self.network(x)
        return result


def test_a_batch_that_does_not_fit_the_card_is_cut(
    learning: Any, tiny_pack: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = train.build_network
    monkeypatch.setattr(train, "build_network", lambda *a: SmallCard(build(*a)))
    settings = learning("spheres")
    whole = go(settings, tiny_pack())
    assert whole.run.norm_batch == 2
    # The cut outlives an interruption.
    with pytest.raises(Interrupted):
        go(settings, tiny_pack(), folder=tmp_path, should_stop=lambda: True)
    assert go(settings, tiny_pack(), folder=tmp_path).weights == whole.weights


def test_gradients_of_a_cut_batch_add_up_to_the_whole_ones(
    learning: Any, batches_of: Any, tiny_pack: Any
) -> None:
    settings = learning("segmentation")
    net = nn.Conv3d(1, 1, 3, padding=1)
    batch, found = batches_of(settings, tiny_pack()).fixed(range(5)), []
    for splits in (1, 2, 4):
        loss, used = train._backward(net, batch, settings, torch.device("cpu"), splits)
        assert used == splits
        assert net.weight.grad is not None
        found.append(torch.cat([loss.reshape(1), net.weight.grad.flatten()]))
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a card")
def test_a_card_that_was_asked_for_and_is_not_there_is_a_failure(
    learning: Any, tiny_pack: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, pack = learning("spheres"), tiny_pack()
    trained = go(settings, pack)
    monkeypatch.setenv(train.GPU_VARIABLE, "yes")
    with pytest.raises(UserError, match=r"a GPU was asked for, and torch sees none.*image with CUDA"):
        go(settings, pack)
    with pytest.raises(UserError, match="a GPU was asked for"):
        predict_run(7, settings, pack, trained.weights, split="test")
