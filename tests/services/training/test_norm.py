import pytest
import torch
from torch import nn

from nameplate_training.norm import renew_norms


def test_statistics_become_those_of_the_batches_and_nothing_else_changes() -> None:
    net = nn.Sequential(nn.Conv3d(1, 2, 1), nn.BatchNorm3d(2)).eval()
    before = {name: value.clone() for name, value in net.named_parameters()}
    batches = [torch.randn(4, 1, 2, 2, 2) * 3 + 5 for _ in range(3)]
    renew_norms(net, batches)
    with torch.no_grad():
        means = torch.stack([net[0](x).mean(dim=(0, 2, 3, 4)) for x in batches])
        variances = torch.stack([net[0](x).transpose(0, 1).flatten(1).var(dim=1) for x in batches])
    torch.testing.assert_close(net[1].running_mean, means.mean(0))
    torch.testing.assert_close(net[1].running_var, variances.mean(0))
    assert all(torch.equal(value, before[name]) for name, value in net.named_parameters())
    assert net[1].momentum == pytest.approx(0.1)
    assert not net.training


def test_a_net_whose_statistics_lag_is_mended() -> None:
    net = nn.Sequential(nn.BatchNorm1d(1), nn.Linear(1, 1))
    x = torch.randn(200, 1) + 40
    net.eval()
    assert net[0](x).mean() > 30
    renew_norms(net, [x])
    assert net[0](x).mean().abs() < 1e-3


def test_a_net_without_statistics_is_not_asked() -> None:
    class Counting(nn.Sequential):
        calls = 0

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.calls += 1
            result: torch.Tensor = super().forward(x)
            return result

    for norm in (nn.InstanceNorm3d(2), nn.BatchNorm3d(2, track_running_stats=False)):
        net = Counting(nn.Conv3d(1, 2, 1), norm)
        renew_norms(net, [torch.zeros(2, 1, 2, 2, 2)])
        assert net.calls == 0
