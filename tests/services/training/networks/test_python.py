"""Entries of a package that a test makes, since what is installed differs from machine to machine."""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

from nameplate.campaign.experiment import InputSettings
from nameplate.campaign.networks import PythonSettings, SliceCnnSettings
from nameplate.errors import UserError
from nameplate.image.window import Window
from nameplate_training.networks import build_network, check_code, code_of

SEEN = InputSettings(window=Window(width=100, level=50), slices=3)
SPATIAL = (8, 9, 10)
CODE = """
from torch import nn

calls = []
number = 3

def mean(task, shape, hidden=4, sizes=()):
    calls.append((task, shape, hidden, sizes))
    sizes and sizes.clear()
    pool = nn.AdaptiveAvgPool3d(1) if len(shape) == 4 else nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(pool, nn.Flatten(), nn.Linear(shape[0], hidden), nn.ReLU(), nn.Linear(hidden, 1))

def nothing(task, shape):
    return None

def without_task(shape):
    return None
"""


@pytest.fixture(autouse=True)
def own_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package ``own_networks`` on the path."""
    package = tmp_path / "own_networks"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "mean.py").write_text(CODE)
    (package / "broken.py").write_text("raise ValueError('not today')")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "own_networks"]:
        del sys.modules[name]


def test_the_function_is_given_the_task_the_shape_and_its_arguments() -> None:
    network = PythonSettings(entry="own_networks.mean:mean", arguments={"hidden": 2, "sizes": [1, 2]})
    assert build_network("spheres", network, SEEN, SPATIAL)(torch.rand(2, 1, *SPATIAL)).shape == (2,)
    assert build_network("factor", network, SEEN, SPATIAL)(torch.rand(2, 3, 9, 10)).shape == (2,)
    calls = sys.modules["own_networks.mean"].calls
    assert [call[:3] for call in calls] == [("spheres", (1, *SPATIAL), 2), ("factor", (3, 9, 10), 2)]
    assert network.arguments == {"hidden": 2, "sizes": [1, 2]}  # whatever the function does to its own


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("own_networks.none:mean", "own_networks.none does not import here: ModuleNotFoundError"),
        ("own_networks.broken:mean", "own_networks.broken does not import here: ValueError: not today"),
        ("own_networks.mean:median", "own_networks.mean has no 'median'"),
        ("own_networks.mean:number", "own_networks.mean:number is no function but int"),
        (
            "own_networks.mean:nothing",
            "own_networks.mean:nothing: expected a torch.nn.Module, it returned NoneType",
        ),
        ("own_networks.mean:without_task", "could not be built: TypeError: .*'task'"),
    ],
)
def test_an_entry_that_cannot_be_used_is_one_line(entry: str, said: str) -> None:
    with pytest.raises(UserError, match=said) as refused:
        build_network("spheres", PythonSettings(entry=entry), SEEN, SPATIAL)
    assert "\n" not in str(refused.value)


def test_the_code_behind_an_entry_has_a_version(own_networks: Path) -> None:
    assert code_of(PythonSettings(entry="torch.nn:Linear")) == {"torch": version("torch")}
    assert code_of(SliceCnnSettings(channels=(4,))) == {}
    entry = PythonSettings(entry="own_networks.mean:mean")
    before = code_of(entry)
    assert list(before) == ["own_networks"]
    check_code(entry, before | {"torch": "1"})
    (own_networks / "mean.py").write_text(CODE + "\n")
    with pytest.raises(UserError, match=r"trained with own_networks sha256 .*, here is sha256"):
        check_code(entry, before)
