"""Matrices are multiplied alike wherever a campaign runs."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from nameplate.service.kernels import same_kernels

ARCHITECTURE = (
    "import numpy, threadpoolctl; print({pool['architecture'] for pool in threadpoolctl.threadpool_info()})"
)
able = pytest.mark.skipif(
    platform.machine() != "x86_64" or "avx2" not in Path("/proc/cpuinfo").read_text(),
    reason="the routines for AVX2 are not for this machine",
)


def ran(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


@able
def test_what_the_environment_says_decides_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")
    assert ran(ARCHITECTURE) == "{'Nehalem'}\n"
    same_kernels()
    assert ran(ARCHITECTURE) == "{'Haswell'}\n"


@able
@pytest.mark.parametrize(
    "start",
    [
        "from nameplate.service.main import service_main\n"
        "try: service_main('ingest', ['--help'])\nexcept SystemExit: pass",
        "import sys; sys.argv[1:] = ['--version']; from nameplate_local.cli import main; main()",
    ],
)
def test_every_entry_settles_it_before_numpy_is_loaded(start: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    assert ran(f"{start}\n{ARCHITECTURE}").endswith("{'Haswell'}\n")


def test_a_processor_that_cannot_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    monkeypatch.setattr("nameplate.service.kernels._flags", lambda: {"sse4_2", "avx"})
    before = dict(os.environ)
    same_kernels()
    assert dict(os.environ) == before
