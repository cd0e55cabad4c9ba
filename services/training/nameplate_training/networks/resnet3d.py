"""The 3-D ResNet, that of the paper's second experiment."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from nameplate.campaign.networks import ResNet3dSettings
from nameplate.pack.shapes import resnet_sizes
from nameplate_training.networks.network_input import NetworkInput


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
        stem = stem_by_blocks(x_BCKJI, self.stem.weight) if x_BCKJI.is_cuda else self.stem(x_BCKJI)
        maps = self.blocks(self.pool(self.relu(self.norm(stem))))
        features = self.relu(self.last_norm(maps)).mean(dim=(2, 3, 4))
        if self.hidden is not None:
            features = self.relu(self.hidden(features))
        logits: Tensor = self.dense(features).squeeze(1)
        return logits


def stem_by_blocks(x_B1KJI: Tensor, weight: Tensor) -> Tensor:
    """The stem's convolution (7x7x7, stride 2, padding 3) on blocks of 2x2x2 voxels as eight channels.

    The same sums, as a 4x4x4 kernel without a stride. A GPU's matrix units work on several channels at
    once and are mostly idle at one: on an H200 a step of the paper's size takes 30 ms instead of 51 in
    bfloat16, and 43 instead of 63 in float32.
    """
    pads: list[int] = []
    for length in reversed(x_B1KJI.shape[2:]):
        pads += [4, 2 + length % 2]
    padded = functional.pad(x_B1KJI, pads)
    batch, _, k, j, i = padded.shape
    blocks = padded.view(batch, k // 2, 2, j // 2, 2, i // 2, 2).permute(0, 1, 3, 5, 2, 4, 6)
    blocks = blocks.reshape(batch, k // 2, j // 2, i // 2, 8).permute(0, 4, 1, 2, 3)
    # A row of zeros before makes the kernel's width even, and its first block begin at an even voxel.
    kernel = functional.pad(weight, (1, 0, 1, 0, 1, 0)).view(-1, 4, 2, 4, 2, 4, 2)
    kernel = kernel.permute(0, 1, 3, 5, 2, 4, 6).reshape(-1, 4, 4, 4, 8).permute(0, 4, 1, 2, 3)
    return functional.conv3d(blocks, kernel)


def build(network: ResNet3dSettings, given: NetworkInput) -> nn.Module:
    """(batch, 1, k, j, i) -> logits (batch,); raises UserError for volumes that are too small."""
    resnet_sizes(given.spatial, network.all_strides)
    return ResNet(network.channels, network.all_strides, network.hidden)
