import pytest
import torch
from torch import nn

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import UNet3dSettings
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate_training.networks import build_network, parameters_of

SEEN = InputSettings(window=Window(width=100, level=50), slices=3)
PAPER_UNET = UNet3dSettings(channels=(8, 16, 32, 64, 128))


def test_unet_of_the_paper() -> None:
    built = build_network("segmentation", PAPER_UNET, SEEN, (32, 256, 256))
    kernels = [m for m in built.modules() if isinstance(m, nn.Conv3d) and m.kernel_size == (3, 3, 3)]
    ups = [m for m in built.modules() if isinstance(m, nn.ConvTranspose3d)]
    pools = [m for m in built.modules() if isinstance(m, nn.MaxPool3d)]
    norms = [m for m in built.modules() if isinstance(m, nn.BatchNorm3d)]
    assert (len(kernels), len(ups), len(pools), len(norms)) == (18, 4, 4, 18)
    filters = [convolution.out_channels for convolution in kernels]
    assert filters == [8, 8, 16, 16, 32, 32, 64, 64, 128, 128, 64, 64, 32, 32, 16, 16, 8, 8]
    weights = sum(27 * m.in_channels * m.out_channels for m in kernels)
    weights += sum(8 * m.in_channels * m.out_channels + m.out_channels for m in ups)
    assert parameters_of(built) == weights + 2 * sum(filters) + 8 + 1
    assert built.to("meta")(torch.zeros(1, 1, 32, 256, 256, device="meta")).shape == (1, 1, 32, 256, 256)


def test_unet_sees_as_far_as_its_stages_say() -> None:
    built = build_network("segmentation", UNet3dSettings(channels=(2, 2, 2, 2, 2)), SEEN, (16, 16, 288))
    for module in list(built.modules()):
        if isinstance(module, nn.Conv3d | nn.ConvTranspose3d):
            nn.init.constant_(module.weight, 0.1)
        for name, child in list(module.named_children()):
            if isinstance(child, nn.MaxPool3d):  # whose gradient would follow one voxel in eight only
                setattr(module, name, nn.AvgPool3d(2))
    x = torch.rand(1, 1, 16, 16, 288, dtype=torch.float64, requires_grad=True)
    built.double().eval()(x)[0, 0, 8, 8, 144].backward()
    assert x.grad is not None
    touched = x.grad[0, 0].abs().sum(dim=(0, 1)).nonzero().ravel()
    # By hand: back up the decoder, two convolutions a stage, then through all of the encoder.
    low, high = 144, 144
    for _ in range(4):
        low, high = (low - 2) // 2, (high + 2) // 2
    for _ in range(4):
        low, high = 2 * (low - 2), 2 * (high + 2) + 1
    assert (int(touched[0]), int(touched[-1])) == (low - 2, high + 2)


@pytest.mark.parametrize(("spatial", "padded"), [((16, 32, 16), False), ((17, 32, 16), True)])
def test_the_unet_pads_only_where_halving_dropped_a_plane(
    spatial: tuple[int, int, int], padded: bool
) -> None:
    built = build_network("segmentation", PAPER_UNET, SEEN, spatial)
    assert {module.is_pad for module in built.modules() if hasattr(module, "is_pad")} == {padded}
    assert built(torch.zeros(2, 1, *spatial)).shape == (2, 1, *spatial)


def test_volumes_that_are_too_small_are_refused() -> None:
    with pytest.raises(UserError, match="too small for the U-Net"):
        build_network("segmentation", PAPER_UNET, SEEN, (12, 64, 64))
