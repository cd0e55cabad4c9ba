import pytest
import torch
from torch import nn

from nameplate.campaign.experiment import InputSettings, NetworkSettings
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate_training.networks import build_network, parameters_of, stem_by_blocks

SEEN = InputSettings(window=Window(width=100, level=50), slices=3)
PAPER_RESNET = NetworkSettings(channels=(32, 64, 128, 256), strides=(1, 2, 2, 2), hidden=1000)
PAPER_UNET = NetworkSettings(channels=(8, 16, 32, 64, 128))


@pytest.mark.parametrize(("pooling", "parameters"), [("flatten", 224_545), ("average", 93_601)])
def test_slice_network_of_the_paper(pooling: str, parameters: int) -> None:
    network = NetworkSettings(channels=(32, 64, 128), pooling=pooling)  # type: ignore[arg-type]
    built = build_network("factor", network, SEEN, (35, 256, 256))
    assert parameters_of(built) == parameters
    assert built(torch.zeros(2, 3, 256, 256)).shape == (2,)


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
    built = build_network("spheres", NetworkSettings(channels=(4, 8), hidden=5), SEEN, (16, 32, 32))
    block = built.get_submodule("blocks.1")
    nn.init.zeros_(block.get_parameter("conv2.weight"))
    x = torch.randn(2, 4, 4, 8, 8)
    assert torch.equal(block(x), x)


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
    built = build_network("segmentation", NetworkSettings(channels=(2, 2, 2, 2, 2)), SEEN, (16, 16, 288))
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


def test_networks_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UserError, match="5 stages, got 3"):
        build_network("segmentation", NetworkSettings(channels=(8, 16, 32)), SEEN, (32, 64, 64))
    with pytest.raises(UserError, match="too small for the U-Net"):
        build_network("segmentation", PAPER_UNET, SEEN, (12, 64, 64))
    with pytest.raises(UserError, match="expected 2 numbers"):
        build_network("spheres", NetworkSettings(channels=(4, 8), strides=(1,)), SEEN, (16, 64, 64))
    with pytest.raises(UserError, match="too small for the 3-D ResNet"):
        build_network("spheres", PAPER_RESNET, SEEN, (2, 64, 64))
    with pytest.raises(UserError, match="too few for 3 poolings"):
        build_network("factor", NetworkSettings(channels=(4, 8, 8)), SEEN, (9, 7, 64))


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


@pytest.mark.parametrize(("spatial", "padded"), [((16, 32, 16), False), ((17, 32, 16), True)])
def test_the_unet_pads_only_where_halving_dropped_a_plane(
    spatial: tuple[int, int, int], padded: bool
) -> None:
    built = build_network("segmentation", PAPER_UNET, SEEN, spatial)
    assert {module.is_pad for module in built.modules() if hasattr(module, "is_pad")} == {padded}
    assert built(torch.zeros(2, 1, *spatial)).shape == (2, 1, *spatial)
