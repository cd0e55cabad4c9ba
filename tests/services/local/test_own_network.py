"""A campaign with networks that nameplate did not write, from the file to the report."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from nameplate_local.cli import main

CODE = """
from torch import nn

def small(task, shape, filters):
    assert task == "spheres"
    return nn.Sequential(
        nn.Conv3d(shape[0], filters, 3, stride=2), nn.InstanceNorm3d(filters), nn.ReLU(),
        nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(filters, 1),
    )
"""
DENSE = {"init_features": 4, "growth_rate": 2, "block_config": [1, 1], "bn_size": 1}


def _campaign(tiny_text: str) -> dict[str, Any]:
    """One difficulty, looked for by a network of MONAI's and by one's own, and a segmenting network."""
    raw: dict[str, Any] = yaml.safe_load(tiny_text)
    _, spheres, skull = raw["experiments"]
    raw["datasets"]["spheres"]["difficulties"] = raw["datasets"]["spheres"]["difficulties"][:1]
    spheres["training_sets"] = ["GE", "Siemens"]
    spheres["training"]["epochs"] = skull["training"]["epochs"] = 1
    del spheres["convergence"]["hard"]
    spheres["rounds"] = skull["rounds"] = {"first": 1, "target": 1, "limit": 1}
    monai = {"kind": "monai", "name": "DenseNet", "arguments": DENSE}
    python = {"kind": "python", "entry": "own_networks.small:small", "arguments": {"filters": 4}}
    unet = {"kind": "monai", "name": "UNet", "arguments": {"channels": [2, 4], "strides": [2]}}
    raw["experiments"] = [
        {**spheres, "network": monai},
        {**spheres, "name": "own", "title": "Find the sphere again", "network": python},
        {**skull, "network": unet},
    ]
    return raw


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package of networks, as PYTHONPATH names it."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "own_networks").mkdir()
    (folder / "own_networks" / "__init__.py").write_text("")
    (folder / "own_networks" / "small.py").write_text(CODE)
    return folder


@pytest.fixture
def file(tmp_path: Path, tiny_text: str, package: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The campaign's file; its package can be imported."""
    monkeypatch.syspath_prepend(package)
    path = tmp_path / "own.yaml"
    path.write_text(yaml.safe_dump(_campaign(tiny_text)))
    return path


def test_the_plan_counts_them(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(file)]) == 0
    printed = capsys.readouterr().out
    counted = dict(line.strip().split(":") for line in printed.splitlines() if "GFLOP forward" in line)
    assert list(counted) == ["spheres (monai)", "own (python)", "skull (monai)"]
    # Four filters of 27 weights and a bias each, and a unit of four weights and a bias.
    assert counted["own (python)"].startswith(" 117 parameters, ")


def test_without_torch_the_plan_says_that_it_did_not(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nameplate_local.command_line._count", lambda: None)
    assert main(["plan", str(file)]) == 0
    printed = capsys.readouterr().out
    assert "own (python): not counted: the training extra is not installed" in printed
    (row,) = (line for line in printed.splitlines() if line.strip().startswith("own/study/easy/GE/"))
    assert row.split()[-2:] == ["-", "-"]


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ({"kind": "python", "entry": "own_networks.none:small"}, "own_networks.none does not import here"),
        ({"kind": "python", "entry": "own_networks.small:small"}, "could not be built: TypeError"),
        ({"kind": "monai", "name": "DenseNet120"}, "did you mean DenseNet"),
        (
            {"kind": "monai", "name": "UNet", "arguments": {"channels": [2, 4], "strides": [2]}},
            "MONAI's UNet: expected logits of shape (2,) or (2, 1), it returned (2, 1, 8, 32, 32)",
        ),
    ],
)
def test_a_network_that_cannot_run_ends_before_anything_is_made(
    network: dict[str, Any], said: str, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = yaml.safe_load(file.read_text())
    raw["experiments"][1]["network"] = network
    file.write_text(yaml.safe_dump(raw))
    for command in (["plan", str(file)], ["run", str(file), "--store", str(tmp_path / "store")]):
        assert main(command) == 2
        printed = capsys.readouterr().err
        assert said in printed
        assert printed.count("\n") == 1
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_it_runs_to_the_report(
    file: Path,
    package: Path,
    tmp_path: Path,
    run_campaign: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(package), prepend=":")
    store = tmp_path / "store"
    ran = run_campaign(file, store)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    run = json.loads((store / "models/own/study/easy/GE/g0/s000/run.json").read_text())
    assert run["parameters"] == 117
    assert run["versions"]["own_networks"].startswith("sha256 ")
    report = (store / "report" / "index.html").read_text()
    assert "own_networks.small:small" in report
    assert "have no one last unit whose input could be kept" in report  # of the segmenting network
    assert run_campaign(file, store).stdout.startswith("nothing to do")
