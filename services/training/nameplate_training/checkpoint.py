"""The state of an interrupted run in one file, written so that a torn file is never trusted.

A file is one line of JSON (run, size and SHA-256 of the rest) and then a torch file. It is written under
a temporary name and renamed; the previous file stays beside it as a second copy.
"""

import hashlib
import io
import json
import logging
import os
from pathlib import Path
from typing import Any

import torch

logger = logging.getLogger(__name__)

CURRENT, PREVIOUS, UNFINISHED = "checkpoint.pt", "checkpoint-before.pt", ".checkpoint-unfinished"


PAUSE_SECONDS = 30.0
"""Between two checkpoints on a GPU, where an epoch can take less time than writing one."""


def is_due(device: str, seconds: float) -> bool:
    """Whether to write a checkpoint after an epoch, so many seconds after the one before.

    On a CPU always. The clock decides only how much a killed run repeats, and nothing of what it ends in.

    >>> is_due("cpu", 0.1), is_due("cuda", 0.1), is_due("cuda", 31)
    (True, False, True)
    """
    return device != "cuda" or seconds >= PAUSE_SECONDS


def save_checkpoint(folder: Path, run: str, state: dict[str, Any]) -> None:
    """Write the state of the run named ``run`` (a digest of everything that decides it)."""
    buffer = io.BytesIO()
    torch.save(state, buffer)
    body = buffer.getbuffer()
    head = {"run": run, "size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / UNFINISHED).open("wb") as file:
        file.write(json.dumps(head).encode() + b"\n")
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    # Between the two renames only the older file exists under a name; loading finds it.
    if (folder / CURRENT).exists():
        (folder / CURRENT).replace(folder / PREVIOUS)
    (folder / UNFINISHED).replace(folder / CURRENT)


def written(folder: Path) -> int | None:
    """When the newest checkpoint was written (nanoseconds); None if there is none."""
    path = folder / CURRENT
    return path.stat().st_mtime_ns if path.exists() else None


def load_checkpoint(folder: Path, run: str) -> dict[str, Any] | None:
    """The newest whole state of this exact run; None when there is none."""
    for name in (CURRENT, PREVIOUS):
        path = folder / name
        try:
            state = _read(path, run)
        except FileNotFoundError:
            continue
        except ValueError as error:
            logger.warning("checkpoint not used", extra={"file": name, "reason": str(error)})
            continue
        return state
    return None


def _read(path: Path, run: str) -> dict[str, Any]:
    """One file; ValueError says what is wrong with it."""
    line, _, body = path.read_bytes().partition(b"\n")
    try:
        head = json.loads(line)
        expected = head["run"], head["size"], head["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("no header") from error
    if expected[0] != run:
        raise ValueError("from a run with other settings, data or code")
    if expected[1] != len(body):
        raise ValueError(f"{len(body)} bytes, expected {expected[1]}")
    if expected[2] != hashlib.sha256(body).hexdigest():
        raise ValueError("damaged: wrong digest")
    state: dict[str, Any] = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
    return state
