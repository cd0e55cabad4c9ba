import subprocess
import sys

import pytest
import torch
from torch import nn

from nameplate.errors import UserError
from nameplate_training.weights import load_weights, weights_bytes

MAKE = """
import hashlib, torch
from torch import nn
from nameplate_training.weights import weights_bytes
torch.manual_seed(4)
net = nn.Sequential(nn.Conv3d(2, 4, 3), nn.BatchNorm3d(4)).to(memory_format=torch.channels_last_3d)
print(hashlib.sha256(weights_bytes(net)).hexdigest())
"""


def net() -> nn.Module:
    return nn.Sequential(nn.Conv3d(2, 4, 3), nn.BatchNorm3d(4))


def test_two_processes_write_the_same_bytes() -> None:
    runs = [subprocess.run([sys.executable, "-c", MAKE], capture_output=True, check=True) for _ in range(2)]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout) == 65


def test_there_and_back_whatever_the_layout() -> None:
    one, other = net(), net().to(memory_format=torch.channels_last_3d)
    data = weights_bytes(one)
    load_weights(other, data)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))
    assert weights_bytes(other) == data


@pytest.mark.parametrize("data", [b"", b"not weights", b"PK\x03\x04 torn"])
def test_damaged_weights(data: bytes) -> None:
    with pytest.raises(UserError, match="damaged or belong to another network"):
        load_weights(net(), data)


def test_weights_of_another_network() -> None:
    with pytest.raises(UserError, match="another network"):
        load_weights(nn.Linear(2, 2), weights_bytes(net()))
