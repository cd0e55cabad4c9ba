import pytest
import torch
from torch import nn

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import ResNet3dSettings
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate_training.networks import build_network, parameters_of
from nameplate_training.networks.resnet3d import stem_by_blocks

SEEN = InputSettings(window=Window(width=100, level=50), slices=3)
PAPER_RESNET = ResNet3dSettings(channels=(32, 64, 128, 256), strides=(1, 2, 2, 2), hidden=1000)


def test_resnet_of_the_paper() -> None:
    built = build_network("spheres", PAPER_RESNET, SEEN, (35, 256, 256))
    assert parameters_of(built) == pytest.approx(8.55e6, rel=1e-3)
    sizes: list[tuple[int, ...]] = []
    for name in ("stem", "pool", *(f"blocks.{block}" for block in (1, 3, 5, 7))):
        built.get_submodule(name).register_forward_hook(lambda _m, _i, out: sizes.append(tuple(out.shape)))
    # A meta tensor has a shape and no numbers: the sizes of the full input cost nothing.
    assert built.to("meta")(torch.zeros(1, 1, 35, 256, 256, device="meta")).shape == (1,)
    assert sizes == [
        (1, 32, 18, 128, 128), (1, 32, 9, 64, 64),
        (1, 32, 9, 64, 64), (1, 64, 5, 32, 32), (1, 128, 3, 16, 16), (1, 256, 2, 8, 8),
    ]  # fmt: skip
    assert sum(isinstance(module, nn.Conv3d) for module in built.modules()) == 1 + 4 * 2 * 2 + 3


def test_identity_blocks_pass_their_input_on() -> None:
    built = build_network("spheres", ResNet3dSettings(channels=(4, 8), hidden=5), SEEN, (16, 32, 32))
    block = built.get_submodule("blocks.1")
    nn.init.zeros_(block.get_parameter("conv2.weight"))
    x = torch.randn(2, 4, 4, 8, 8)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("spatial", [(35, 64, 48), (34, 33, 40), (9, 17, 16), (8, 8, 8)])
def test_the_stem_by_blocks_is_the_stem(spatial: tuple[int, int, int]) -> None:
    stem = nn.Conv3d(1, 4, 7, stride=2, padding=3, bias=False).double()
    images = torch.randn(2, 1, *spatial).double()
    wanted = stem(images)
    found = stem_by_blocks(images, stem.weight)
    torch.testing.assert_close(found, wanted)
    weights = torch.randn_like(wanted)
    gradients = [torch.autograd.grad((out * weights).sum(), stem.weight)[0] for out in (wanted, found)]
    torch.testing.assert_close(gradients[1], gradients[0])


def test_volumes_that_are_too_small_are_refused() -> None:
    with pytest.raises(UserError, match="too small for the 3-D ResNet"):
        build_network("spheres", PAPER_RESNET, SEEN, (2, 64, 64))
