"""Processes that a command starts calculate in one thread each."""

import subprocess
import sys

import pytest

from nameplate.service.threads import one_thread_a_process

COUNT = (
    "import numpy, threadpoolctl; print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
)


def _threads() -> str:
    return subprocess.run(
        [sys.executable, "-c", COUNT], check=True, capture_output=True, text=True
    ).stdout.strip()


def test_a_process_started_afterwards_has_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "2")
    assert _threads() == "{2}"
    one_thread_a_process()
    assert _threads() == "{1}"
