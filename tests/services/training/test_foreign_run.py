"""Whole runs of networks that nameplate did not write."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import nn

from nameplate.campaign.experiment import ArmSettings, ConvergenceSettings, LearningSettings
from nameplate.campaign.networks import MonaiSettings, NetworkSettings, PythonSettings
from nameplate.errors import UserError
from nameplate.pack.packed import Pack
from nameplate.steps.cell import Cell
from nameplate.steps.training import TrainingJob
from nameplate_training.train import Interrupted, TrainedRun, predict_run, train_run


def dropping(task: str, shape: tuple[int, ...]) -> nn.Module:
    """With dropout and without any norm; of slices and volumes in 2-D convolutions alone."""
    return nn.Sequential(nn.Flatten(1, -3), nn.Conv2d(shape[-3], 4, 3), nn.ReLU(), nn.Dropout(0.5),
                         nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1))  # fmt: skip


OWN = PythonSettings(entry=f"{__name__}:dropping")
DENSE = MonaiSettings(
    name="DenseNet", arguments={"init_features": 4, "growth_rate": 2, "block_config": [1, 1], "bn_size": 1}
)
UNET = MonaiSettings(name="UNet", arguments={"channels": [2, 4], "strides": [2], "norm": "batch"})
CASES = [("factor", OWN), ("spheres", OWN), ("factor", DENSE), ("spheres", DENSE), ("segmentation", UNET)]
FEATURES = {OWN.title: 4, DENSE.title: 5, UNET.title: 0}


def go(
    learning: LearningSettings,
    pack: Pack,
    folder: Path | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> TrainedRun:
    job = TrainingJob(
        campaign_seed=5,
        cell=Cell(experiment="own", cohort="study", dataset="easy", training_set="mixed", group=0),
        seed=3,
        round=0,
        arm=ArmSettings(name="mixed"),
        learning=learning,
        choose_on="all",
        convergence=ConvergenceSettings(loss_drop=0.0, late_rise=10.0),
    )
    return train_run(job, pack, checkpoint_folder=folder, should_stop=should_stop, on_epoch=lambda _: None)


@pytest.mark.parametrize(("task", "network"), CASES)
def test_it_trains_stops_resumes_and_predicts_like_any_other(
    task: str, network: NetworkSettings, learning: Any, tiny_pack: Any, tmp_path: Path
) -> None:
    settings, pack = learning(task, network=network), tiny_pack()
    undisturbed = go(settings, pack)
    while True:
        try:
            resumed = go(settings, pack, tmp_path, should_stop=lambda: True)
            break
        except Interrupted:
            continue
    assert resumed == undisturbed
    predicted = predict_run(5, settings, pack, undisturbed.weights, split="val")
    assert predicted.predictions == undisturbed.predictions
    scores = np.array([row.score for row in predicted.predictions])
    assert scores.min() >= 0
    assert scores.max() <= 1
    assert predicted.features.shape == (len(scores), FEATURES[network.title])


def test_a_run_names_the_code_behind_it(learning: Any, tiny_pack: Any) -> None:
    trained = go(learning("spheres", network=OWN), tiny_pack())
    assert set(trained.run.versions) == {"torch", "monai", __name__.partition(".")[0]}
    assert trained.run.parameters == 16 * 4 * 9 + 4 + 4 + 1


def test_an_output_of_another_shape_ends_the_run_in_one_line(learning: Any, tiny_pack: Any) -> None:
    network = MonaiSettings(name="UNet", arguments={"channels": [2, 4], "strides": [2]})
    with pytest.raises(UserError, match=r"logits of shape \(4,\) or \(4, 1\), it returned \(4, 1, 16"):
        go(learning("spheres", network=network), tiny_pack())
