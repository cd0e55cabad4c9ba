import pytest
import torch

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import MonaiSettings
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate_training.networks import build_network, parameters_of

SEEN = InputSettings(window=Window(width=100, level=50), slices=3)
SPATIAL = (16, 16, 16)
DENSE = {"init_features": 4, "growth_rate": 2, "block_config": [1, 1], "bn_size": 1}


def test_a_classifier_of_volumes_and_of_slices() -> None:
    network = MonaiSettings(name="DenseNet", arguments=DENSE)
    volumes = build_network("spheres", network, SEEN, SPATIAL)
    assert volumes(torch.rand(2, 1, *SPATIAL)).shape == (2,)
    slices = build_network("factor", network, SEEN, SPATIAL)
    assert slices(torch.rand(2, 3, 16, 16)).shape == (2,)
    # A 3x3x3 kernel has more numbers than a 3x3 one of as many filters.
    assert parameters_of(volumes) > parameters_of(slices)


def test_a_network_that_is_told_the_size_of_its_input() -> None:
    arguments = {"classes": 1} | {"channels": [2, 4], "strides": [2, 2]}
    with pytest.raises(UserError, match=r"network\.arguments\.classes follows from the task"):
        build_network("spheres", MonaiSettings(name="Classifier", arguments=arguments), SEEN, SPATIAL)
    del arguments["classes"]
    built = build_network("spheres", MonaiSettings(name="Classifier", arguments=arguments), SEEN, SPATIAL)
    assert built(torch.rand(2, 1, *SPATIAL)).shape == (2,)


def test_a_segmenting_network() -> None:
    network = MonaiSettings(name="UNet", arguments={"channels": [2, 4], "strides": [2]})
    built = build_network("segmentation", network, SEEN, SPATIAL)
    assert built(torch.rand(2, 1, *SPATIAL)).shape == (2, 1, *SPATIAL)


def test_an_argument_that_is_handed_on_to_the_class_above() -> None:
    built = build_network(
        "spheres", MonaiSettings(name="SEResNet50", arguments={"layers": [1, 1, 1, 1]}), SEEN, SPATIAL
    )
    assert parameters_of(built) > 0


@pytest.mark.parametrize("name", ["DenseNet122", "Conv3d", "torch", "nn", "resnet18", "Sequential"])
def test_nothing_but_the_networks_of_monai_can_be_named(name: str) -> None:
    with pytest.raises(UserError, match=f"'{name}' is no network of monai.networks.nets"):
        build_network("spheres", MonaiSettings(name=name), SEEN, SPATIAL)


def test_what_another_release_may_import_there_is_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    import monai.networks.nets as nets

    monkeypatch.setattr(nets, "Linear", torch.nn.Linear, raising=False)
    with pytest.raises(UserError, match="'Linear' is no network of"):
        build_network("spheres", MonaiSettings(name="Linear"), SEEN, SPATIAL)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(UserError, match="did you mean DenseNet121"):
        build_network("spheres", MonaiSettings(name="DenseNet122"), SEEN, SPATIAL)


def test_arguments_that_it_does_not_take() -> None:
    network = MonaiSettings(name="UNet", arguments={"channels": [2, 4], "strides": [2], "depth": 3})
    with pytest.raises(UserError, match=r"MONAI's UNet: could not be built: TypeError: .*'depth'"):
        build_network("segmentation", network, SEEN, SPATIAL)


def test_one_weight_for_one_seed() -> None:
    network = MonaiSettings(name="DenseNet", arguments=DENSE)
    weights = []
    for _ in range(2):
        torch.manual_seed(4)
        weights.append(
            torch.cat([p.flatten() for p in build_network("spheres", network, SEEN, SPATIAL).parameters()])
        )
    assert torch.equal(*weights)
