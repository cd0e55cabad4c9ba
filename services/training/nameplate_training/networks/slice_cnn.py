"""The network of a few slices, that of the paper's first experiment."""

from collections.abc import Sequence

from torch import Tensor, nn

from nameplate.campaign.networks import SliceCnnSettings
from nameplate.pack.shapes import check_slice_size
from nameplate_training.networks.network_input import NetworkInput


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


def build(network: SliceCnnSettings, given: NetworkInput) -> nn.Module:
    """(batch, slices, j, i) -> logits (batch,); raises UserError for slices that are too small."""
    check_slice_size(given.spatial, len(network.channels))
    return SliceNetwork(given.slices, network.channels, network.pooling, given.spatial[1:])
