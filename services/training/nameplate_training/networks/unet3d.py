"""The 3-D U-Net, that of the paper's third experiment."""

from torch import nn

from nameplate.campaign.networks import UNet3dSettings
from nameplate.pack.shapes import STAGES, check_unet_size
from nameplate_training.networks.network_input import NetworkInput


def build(network: UNet3dSettings, given: NetworkInput) -> nn.Module:
    """(batch, 1, k, j, i) -> logits of the same shape; raises UserError for volumes that are too small.

    MONAI's BasicUNet with batch norm and ReLU: five stages, two 3x3x3 convolutions each.
    """
    from monai.networks.nets.basic_unet import BasicUNet, UpCat  # here: the import takes seconds

    check_unet_size(given.spatial)
    net: nn.Module = BasicUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=1,
        # The sixth number is the last decoding stage, which mirrors the first.
        features=(*network.channels, network.channels[0]),
        act=("relu", {"inplace": True}),
        norm=("batch", {}),
        bias=False,
        upsample="deconv",
    )
    if all(length % 2 ** (STAGES - 1) == 0 for length in given.spatial):
        for module in net.modules():
            if isinstance(module, UpCat):
                module.is_pad = False  # it would pad by nothing, which copies the largest maps
    return net
