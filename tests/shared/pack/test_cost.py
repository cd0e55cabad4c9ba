import subprocess
import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from nameplate.campaign.experiment import InputSettings, TrainingSettings
from nameplate.campaign.networks import MonaiSettings, ResNet3dSettings, SliceCnnSettings, UNet3dSettings
from nameplate.image.window import Window
from nameplate.pack.cost import Cost, network_cost, packed_bytes, packed_spatial, training_flop
from nameplate_training.networks import build_network, parameters_of

BRAIN = Window(width=100, level=50)
CASES = [
    ("factor", SliceCnnSettings(channels=(4, 8, 16)), 3, (10, 37, 40)),
    ("factor", SliceCnnSettings(channels=(4, 8), pooling="average"), 5, (10, 16, 16)),
    ("spheres", ResNet3dSettings(channels=(4, 8, 8), strides=(1, 2, 2), hidden=9), 18, (18, 40, 38)),
    ("spheres", ResNet3dSettings(channels=(4, 4)), 16, (16, 32, 32)),
    ("segmentation", UNet3dSettings(channels=(2, 4, 6, 8, 10)), 18, (18, 32, 39)),
]


@pytest.mark.parametrize(("task", "network", "slices", "spatial"), CASES)
def test_cost_is_what_torch_counts(task, network, slices, spatial) -> None:  # type: ignore[no-untyped-def]
    seen = InputSettings(window=BRAIN, slices=slices)
    built = build_network(task, network, seen, spatial).eval()
    shape = (1, slices, *spatial[1:]) if task == "factor" else (1, 1, *spatial)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        built(torch.zeros(shape))
    assert network_cost(network, seen, spatial) == Cost(parameters_of(built), counter.get_total_flops())


def test_the_papers_resnet() -> None:
    network = ResNet3dSettings(channels=(32, 64, 128, 256), strides=(1, 2, 2, 2), hidden=1000)
    seen = InputSettings(window=BRAIN, slices=35)
    cost = network_cost(network, seen, (35, 256, 256))
    assert cost is not None
    assert cost.parameters / 1e6 == pytest.approx(8.55, abs=0.01)
    assert cost.forward_flop / 1e9 == pytest.approx(22.6, abs=0.1)
    deeper = network.model_copy(update={"strides": (2, 2, 2, 2)})
    cost = network_cost(deeper, seen, (35, 256, 256))
    assert cost is not None
    assert cost.forward_flop / 1e9 == pytest.approx(8.8, abs=0.1)
    assert network_cost(MonaiSettings(name="DenseNet121"), seen, (35, 256, 256)) is None


def test_the_papers_pack_of_training_exams() -> None:
    seen = InputSettings(window=BRAIN, slices=35)
    spatial = packed_spatial("spheres", seen, 40, 256)
    assert spatial == (35, 256, 256)
    assert 552 * packed_bytes("spheres", seen, spatial) / 1e9 == pytest.approx(1.27, abs=0.01)
    wide = InputSettings(window=Window(width=400, level=40), slices=3)
    assert packed_spatial("factor", wide, 40, 64) == (40, 64, 64)
    assert packed_bytes("factor", wide, (40, 64, 64)) == 40 * 64 * 64 * 2


def test_a_run_counts_backward_passes_and_evaluations() -> None:
    training = TrainingSettings(rate=1e-3, epochs=2, norm_exams=10)
    assert training_flop(100, training, train_exams=50, val_exams=20) == 2 * 100 * (150 + 20 + 10)


def test_what_planning_and_selecting_need_works_without_torch() -> None:
    names = [
        "nameplate.plan.estimate",
        *(f"nameplate.pack.{name}" for name in ("cost", "packed", "shapes")),
        *(f"nameplate_training.{name}" for name in ("convergence", "selection", "selection_step")),
    ]
    code = f"import sys, {', '.join(names)}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
