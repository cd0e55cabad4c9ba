import pytest
import torch

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import SliceCnnSettings
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate_training.networks import build_network, parameters_of

SEEN = InputSettings(window=Window(width=100, level=50), slices=3)


@pytest.mark.parametrize(("pooling", "parameters"), [("flatten", 224_545), ("average", 93_601)])
def test_slice_network_of_the_paper(pooling: str, parameters: int) -> None:
    network = SliceCnnSettings(channels=(32, 64, 128), pooling=pooling)  # type: ignore[arg-type]
    built = build_network("factor", network, SEEN, (35, 256, 256))
    assert parameters_of(built) == parameters
    assert built(torch.zeros(2, 3, 256, 256)).shape == (2,)


def test_slices_that_are_too_small_are_refused() -> None:
    with pytest.raises(UserError, match="too few for 3 poolings"):
        build_network("factor", SliceCnnSettings(channels=(4, 8, 8)), SEEN, (9, 7, 64))
