import io
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from nameplate_training.features import LastFeatures, features_bytes
from nameplate_training.networks import build_network
from nameplate_training.networks.foreign import ForeignNetwork
from nameplate_training.networks.network_input import NetworkInput
from nameplate_training.networks.resnet3d import ResNet
from nameplate_training.networks.slice_cnn import SliceNetwork
from nameplate_training.predict import evaluate

TASKS = ("factor", "spheres", "segmentation")


def passed(network: nn.Module, *images: torch.Tensor) -> np.ndarray[Any, Any]:
    network.eval()
    with torch.no_grad(), LastFeatures(network) as last:
        for part in images:
            network(part)
    return last.rows(range(sum(map(len, images))))


def test_of_the_resnet_it_is_the_hidden_layer_after_its_relu() -> None:
    torch.manual_seed(1)
    network, images = ResNet((4, 8), (1, 2), 10), torch.randn(5, 1, 16, 16, 16)
    features = torch.from_numpy(passed(network, images))
    assert features.shape == (5, 10)
    assert features.min() == 0  # a ReLU switches some unit off
    torch.testing.assert_close(network.dense(features).squeeze(1), network(images))


def test_of_a_resnet_without_hidden_layer_it_is_the_average_pool() -> None:
    torch.manual_seed(1)
    network, images = ResNet((4, 8), (1, 2), None), torch.randn(5, 1, 16, 16, 16)
    features = torch.from_numpy(passed(network, images))
    assert features.shape == (5, 8)
    torch.testing.assert_close(network.dense(features).squeeze(1), network(images))


@pytest.mark.parametrize("pooling", ["average", "flatten"])
def test_of_the_slice_network_it_is_the_average_of_the_last_maps(pooling: str) -> None:
    torch.manual_seed(1)
    network, images = SliceNetwork(3, (4, 8), pooling, (16, 16)), torch.randn(5, 3, 16, 16)
    features = passed(network, images)
    assert features.shape == (5, 8)
    with torch.no_grad():
        np.testing.assert_allclose(features, network.blocks(images).mean(dim=(2, 3)).numpy(), rtol=1e-6)


@pytest.mark.parametrize("task", TASKS)
def test_how_exams_are_cut_into_batches_matters_to_rounding_only(
    task: str, learning: Any, tiny_pack: Any, batches_of: Any
) -> None:
    torch.manual_seed(1)
    pack, settings = tiny_pack(), learning(task)
    network = build_network(task, settings.network, settings.input, pack.spatial)  # type: ignore[arg-type]
    images = batches_of(settings, pack).fixed(range(8)).images
    with torch.no_grad():  # batch norm's first statistics would make all features of the U-Net nearly nothing
        for _ in range(40):
            network(images)
    whole = passed(network, images)
    assert whole.dtype == np.float32
    assert np.ptp(whole, axis=0).max() > 0.01
    np.testing.assert_allclose(passed(network, images[:3], images[3:]), whole, atol=1e-5)
    np.testing.assert_allclose(passed(network, images.flip(0)), whole[::-1], atol=1e-5)
    assert features_bytes(passed(network, images)) == features_bytes(whole)


@pytest.mark.parametrize("task", TASKS)
def test_scores_are_the_same_with_and_without(
    task: str, learning: Any, tiny_pack: Any, batches_of: Any
) -> None:
    torch.manual_seed(1)
    pack, settings = tiny_pack(), learning(task)
    network = build_network(task, settings.network, settings.input, pack.spatial)  # type: ignore[arg-type]
    batches, rows = batches_of(settings, pack), pack.rows("train")
    alone = evaluate(network, batches, rows)
    with LastFeatures(network) as last:
        assert evaluate(network, batches, rows) == alone
    assert last.rows(range(len(rows))).shape == (12, {"factor": 8, "spheres": 10, "segmentation": 8}[task])
    evaluate(network, batches, rows)  # closed: nothing is collected any more
    assert len(last.rows(range(len(rows)))) == 12


def test_a_pass_that_did_not_reach_its_end_leaves_nothing() -> None:
    class Failing(ResNet):
        fails = True

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            logits = super().forward(x)
            if self.fails:
                raise torch.OutOfMemoryError
            return logits

    network, images = Failing((4, 8), (1, 2), 10), torch.randn(4, 1, 16, 16, 16)
    network.eval()
    with torch.no_grad(), LastFeatures(network) as last:
        with pytest.raises(torch.OutOfMemoryError):
            network(images)
        network.fails = False
        network(images[:2])
        network(images[2:])
    assert last.rows(range(4)).shape == (4, 10)


def test_rows_go_to_their_places() -> None:
    network, images = ResNet((4,), (1,), None), torch.randn(3, 1, 8, 8, 8)
    network.eval()
    with torch.no_grad(), LastFeatures(network) as last:
        network(images)
    np.testing.assert_array_equal(last.rows([2, 0, 1])[[2, 0, 1]], last.rows([0, 1, 2]))
    with pytest.raises(ValueError, match="features of 3 exams, expected 2"):
        last.rows([0, 1])
    assert LastFeatures(network).rows([]).shape == (0, 0)


def test_the_file_is_plain_float32() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    read = np.load(io.BytesIO(features_bytes(values)), allow_pickle=False)
    assert read.dtype == np.dtype("<f4")
    np.testing.assert_array_equal(read, values)


GIVEN = NetworkInput(task="spheres", slices=4, spatial=(4, 4, 4))


def test_of_a_network_of_ones_own_it_is_the_input_of_its_one_dense_unit() -> None:
    torch.manual_seed(1)
    own = nn.Sequential(nn.Conv3d(1, 3, 4), nn.Flatten(), nn.ReLU(), nn.Linear(3, 1))
    network, images = ForeignNetwork(own, GIVEN, "x:y"), torch.randn(5, 1, 4, 4, 4)
    features = torch.from_numpy(passed(network, images[:2], images[2:]))
    assert features.shape == (5, 3)
    torch.testing.assert_close(own[3](features).squeeze(1), network(images))


@pytest.mark.parametrize(
    "own",
    [
        nn.Sequential(nn.Conv3d(1, 1, 4), nn.Flatten()),
        nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.Linear(1, 1)),
        nn.Sequential(nn.Flatten(2), nn.Linear(64, 1), nn.Flatten()),
    ],
    ids=["without a dense unit", "with two", "of one that every place passes"],
)
def test_where_no_unit_is_the_last_there_are_no_features(own: nn.Module) -> None:
    network, images = ForeignNetwork(own, GIVEN, "x:y"), torch.randn(5, 1, 4, 4, 4)
    assert passed(network, images).shape == (5, 0)
