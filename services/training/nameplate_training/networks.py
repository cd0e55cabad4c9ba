"""The paper's three networks, shaped by ``NetworkSettings``; all return logits."""

from collections.abc import Sequence

from torch import Tensor, nn

from nameplate.campaign.experiment import InputSettings, NetworkSettings, Task
from nameplate.errors import UserError
from nameplate.pack.shapes import resnet_sizes, resnet_strides, unet_channels


class SliceNetwork(nn.Module):
    """Experiment 1: blocks of 3x3 convolution, batch norm, ReLU and 2x2 max pooling, then a dense unit.

    (batch, slices, j, i) -> logits (batch,). ``pooling`` says what comes before the dense unit: the
    flattened maps, or their average over the image.
    """

    def __init__(self, slices: int, channels: Sequence[int], pooling: str, spatial_ji: tuple[int, int]):
        super().__init__()
        layers: list[nn.Module] = []
        before, (j, i) = slices, spatial_ji
        for after in channels:
            # Batch norm would subtract any bias of the convolution.
            layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after)]
            layers += [nn.ReLU(inplace=True), nn.MaxPool2d(2)]
            before, j, i = after, j // 2, i // 2
        self.blocks = nn.Sequential(*layers)
        self.average = pooling == "average"
        self.dense = nn.Linear(before if self.average else before * j * i, 1)

    def forward(self, x_BCJI: Tensor) -> Tensor:
        """Logits of the positive class."""
        maps = self.blocks(x_BCJI)
        features = maps.mean(dim=(2, 3)) if self.average else maps.flatten(1)
        logits: Tensor = self.dense(features).squeeze(1)
        return logits


class IdentityBlock(nn.Module):
    """A pre-activation residual block (He et al. 2016b): norm, ReLU, convolution, twice.

    If the size or the number of channels changes, the shortcut is a 1x1x1 convolution with the same
    stride; otherwise it is the identity.
    """

    def __init__(self, before: int, after: int, stride: int):
        super().__init__()
        self.norm1 = nn.BatchNorm3d(before)
        self.conv1 = nn.Conv3d(before, after, 3, stride=stride, padding=1, bias=False)
        self.norm2 = nn.BatchNorm3d(after)
        self.conv2 = nn.Conv3d(after, after, 3, padding=1, bias=False)
        self.relu = nn.ReLU(inplace=True)
        same = stride == 1 and before == after
        self.shortcut = None if same else nn.Conv3d(before, after, 1, stride=stride, bias=False)

    def forward(self, x_BCKJI: Tensor) -> Tensor:
        """The block's output, smaller by the stride."""
        active = self.relu(self.norm1(x_BCKJI))
        kept = x_BCKJI if self.shortcut is None else self.shortcut(active)
        change: Tensor = self.conv2(self.relu(self.norm2(self.conv1(active))))
        return change + kept


class ResNet(nn.Module):
    """Experiment 2: 7x7x7 stem with stride 2 and 2x2x2 max pooling, two blocks per scale, dense layers.

    (batch, 1, k, j, i) -> logits (batch,). The head is an average pool, a dense layer of ``hidden``
    units with ReLU, and one output unit.
    """

    def __init__(self, channels: Sequence[int], strides: Sequence[int], hidden: int | None):
        super().__init__()
        self.stem = nn.Conv3d(1, channels[0], 7, stride=2, padding=3, bias=False)
        self.norm = nn.BatchNorm3d(channels[0])
        self.pool = nn.MaxPool3d(2)
        blocks: list[nn.Module] = []
        before = channels[0]
        for after, stride in zip(channels, strides, strict=True):
            blocks += [IdentityBlock(before, after, stride), IdentityBlock(after, after, 1)]
            before = after
        self.blocks = nn.Sequential(*blocks)
        self.last_norm = nn.BatchNorm3d(before)
        self.relu = nn.ReLU(inplace=True)
        self.hidden = nn.Linear(before, hidden) if hidden else None
        self.dense = nn.Linear(hidden or before, 1)
        # He et al. 2015, with the fan out as in their residual nets. With torch's smaller default the
        # blocks add little at first, and many runs never leave a loss of ln 2.
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x_BCKJI: Tensor) -> Tensor:
        """Logits of the positive class."""
        maps = self.blocks(self.pool(self.relu(self.norm(self.stem(x_BCKJI)))))
        features = self.relu(self.last_norm(maps)).mean(dim=(2, 3, 4))
        if self.hidden is not None:
            features = self.relu(self.hidden(features))
        logits: Tensor = self.dense(features).squeeze(1)
        return logits


def build_network(
    task: Task, network: NetworkSettings, seen: InputSettings, spatial: tuple[int, int, int]
) -> nn.Module:
    """The network of a task for packed exams of size ``spatial`` = (k, j, i).

    Factor: (batch, slices, j, i) -> (batch,). Spheres: (batch, 1, k, j, i) -> (batch,).
    Segmentation: (batch, 1, k, j, i) -> (batch, 1, k, j, i). Outputs are logits. Weights are drawn
    from torch's global generator. Raises UserError for a network that does not fit the input.
    """
    if task == "factor":
        if min(spatial[1:]) < 2 ** len(network.channels):
            raise UserError(f"{spatial[1:]} pixels are too few for {len(network.channels)} poolings")
        return SliceNetwork(seen.slices, network.channels, network.pooling, spatial[1:])
    if task == "spheres":
        strides = resnet_strides(network)
        resnet_sizes(spatial, strides)
        return ResNet(network.channels, strides, network.hidden)
    return _unet(unet_channels(network, spatial))


def _unet(channels: tuple[int, int, int, int, int]) -> nn.Module:
    """MONAI's BasicUNet with batch norm and ReLU: five stages, two 3x3x3 convolutions each."""
    from monai.networks.nets.basic_unet import BasicUNet  # here: the import takes seconds

    net: nn.Module = BasicUNet(
        spatial_dims=3,
        in_channels=1,
        out_channels=1,
        # The sixth number is the last decoding stage, which mirrors the first.
        features=(*channels, channels[0]),
        act=("relu", {"inplace": True}),
        norm=("batch", {}),
        bias=False,
        upsample="deconv",
    )
    return net


def parameters_of(network: nn.Module) -> int:
    """Number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
