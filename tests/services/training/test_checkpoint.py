import os
from pathlib import Path

import pytest
import torch

from nameplate_training.checkpoint import (
    CURRENT,
    PAUSE_SECONDS,
    PREVIOUS,
    is_due,
    load_checkpoint,
    save_checkpoint,
    written,
)


def epochs(folder: Path, run: str = "run") -> int | None:
    state = load_checkpoint(folder, run)
    return None if state is None else state["epoch"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two checkpoints, of epochs 1 and 2."""
    for epoch in (1, 2):
        save_checkpoint(tmp_path / "work", "run", {"epoch": epoch, "tensor": torch.arange(epoch * 10)})
    return tmp_path / "work"


def test_the_newest_is_read(folder: Path) -> None:
    state = load_checkpoint(folder, "run")
    assert state is not None
    assert state["epoch"] == 2
    assert torch.equal(state["tensor"], torch.arange(20))
    assert sorted(path.name for path in folder.iterdir()) == [PREVIOUS, CURRENT]


@pytest.mark.parametrize("size", [0, 1, 40, 300, -1])
def test_a_torn_one_falls_back_to_the_one_before(folder: Path, size: int) -> None:
    data = (folder / CURRENT).read_bytes()
    (folder / CURRENT).write_bytes(data[:size])
    assert epochs(folder) == 1


def test_one_turned_bit_is_noticed(folder: Path) -> None:
    data = bytearray((folder / CURRENT).read_bytes())
    data[-200] ^= 1
    (folder / CURRENT).write_bytes(data)
    assert epochs(folder) == 1


def test_killed_between_the_two_renames(folder: Path) -> None:
    (folder / CURRENT).rename(folder / PREVIOUS)
    assert epochs(folder) == 2


def test_of_another_run_or_none(folder: Path, tmp_path: Path) -> None:
    assert epochs(folder, "another") is None
    assert epochs(tmp_path / "absent") is None


def test_both_torn(folder: Path) -> None:
    for name in (CURRENT, PREVIOUS):
        (folder / name).write_bytes(b"{}\n")
    assert epochs(folder) is None


def test_on_a_gpu_a_checkpoint_waits_for_its_turn() -> None:
    assert is_due("cpu", 0.0)
    assert not is_due("cuda", PAUSE_SECONDS - 1)
    assert is_due("cuda", PAUSE_SECONDS)


def test_one_sees_whether_a_checkpoint_was_written(tmp_path: Path) -> None:
    assert written(tmp_path) is None
    save_checkpoint(tmp_path, "run", {"step": 1})
    first = written(tmp_path)
    assert first is not None
    os.utime(tmp_path / "checkpoint.pt", ns=(0, 5))
    assert written(tmp_path) == 5
