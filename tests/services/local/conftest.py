"""The command line in a process of its own, and what a store holds."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def run_command() -> Callable[..., list[str]]:
    """The words of `nameplate run` with two workers."""

    def words(campaign: Path, store: str | Path, *more: str) -> list[str]:
        arguments = ["run", str(campaign), "--store", str(store), "--workers", "2", *more]
        return [sys.executable, "-m", "nameplate_local", *arguments]

    return words


@pytest.fixture(scope="session")
def run_campaign(
    run_command: Callable[..., list[str]],
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a campaign to its end; ``environment`` is put into that of the process."""

    def run(
        campaign: Path, store: str | Path, *more: str, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            run_command(campaign, store, *more),
            capture_output=True,
            text=True,
            timeout=600,
            env={**os.environ, **environment},
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def digests_of() -> Callable[[Path], dict[str, str]]:
    """Of every file of a store but logs and scratch, by key."""

    def digests(store: Path) -> dict[str, str]:
        return {
            path.relative_to(store).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(store.rglob("*"))
            if path.is_file() and path.relative_to(store).parts[0] not in ("logs", "work")
        }

    return digests


@pytest.fixture
def tiny(tmp_path: Path, tiny_text: str) -> Path:
    """The file of the tiny campaign."""
    path = tmp_path / "tiny.yaml"
    path.write_text(tiny_text)
    return path
