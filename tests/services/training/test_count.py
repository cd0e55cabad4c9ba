from typing import Any

import pytest
import torch
from torch import Tensor, nn

from nameplate.campaign.networks import MonaiSettings, NetworkSettings, PythonSettings
from nameplate.errors import UserError
from nameplate.pack.cost import network_cost
from nameplate_training import count
from nameplate_training.count import counted
from nameplate_training.networks import parameters_of

SPATIAL = (16, 16, 16)


class Looking(nn.Module):
    """A network that looks at values, which meta tensors do not have."""

    def __init__(self, fails: bool = False) -> None:
        super().__init__()
        self.unit, self.fails = nn.Linear(SPATIAL[0] ** 3, 1), fails

    def forward(self, x: Tensor) -> Tensor:
        if self.fails or float(x.sum()) > 1:
            raise RuntimeError("these are no zeros\nand more")
        return self.unit(x.flatten(1))


class TwoInTraining(nn.Module):
    """Deep supervision: a list in training, one output in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv3d(1, 1, 1)

    def forward(self, x: Tensor) -> Any:
        return [self.layer(x)] * 2 if self.training else self.layer(x)


def looking(task: str, shape: tuple[int, ...], fails: bool = False) -> nn.Module:
    return Looking(fails)


def two_in_training(task: str, shape: tuple[int, ...]) -> nn.Module:
    return TwoInTraining()


def own(name: str, **arguments: Any) -> NetworkSettings:
    return PythonSettings(entry=f"{__name__}:{name}", arguments=arguments)


@pytest.mark.parametrize("task", ["factor", "spheres", "segmentation"])
def test_torch_counts_what_the_formulas_say(task: str, learning: Any) -> None:
    settings = learning(task)
    assert counted(settings, SPATIAL) == network_cost(settings.network, settings.input, SPATIAL)


def test_no_weights_are_made_and_no_random_numbers_are_used(learning: Any) -> None:
    network = MonaiSettings(name="DenseNet121", arguments={"dropout_prob": 0.5})
    torch.manual_seed(1)
    before = torch.get_rng_state()
    cost = counted(learning("spheres", network=network), (32, 256, 256))
    assert torch.equal(torch.get_rng_state(), before)
    assert cost.parameters == pytest.approx(11.24e6, rel=0.01)
    assert cost.forward_flop > 20 * counted(learning("spheres", network=network), (32, 48, 48)).forward_flop


def test_a_network_that_looks_at_values_is_counted_on_the_cpu(learning: Any) -> None:
    cost = counted(learning("spheres", network=own("looking")), SPATIAL)
    assert cost == count.Cost(16**3 + 1, 2 * 16**3)


def test_a_network_that_fails_is_one_line(learning: Any) -> None:
    said = (
        r"network python: fails on a batch of shape \(2, 1, 16, 16, 16\): RuntimeError: these are no zeros$"
    )
    with pytest.raises(UserError, match=f"{said}$"):
        counted(learning("spheres", network=own("looking", fails=True)), SPATIAL)


def test_it_must_fit_in_training_too(learning: Any) -> None:
    with pytest.raises(UserError, match="returned list of 2"):
        counted(learning("segmentation", network=own("two_in_training")), SPATIAL)
    with pytest.raises(UserError, match=r"expected logits of shape \(2,\)"):
        counted(learning("spheres", network=MonaiSettings(name="VNet")), SPATIAL)


def test_parameters_are_those_that_are_trained() -> None:
    network = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    network[0].requires_grad_(False)
    assert parameters_of(network) == 3
