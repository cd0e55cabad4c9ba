"""Sums and matrix products come out alike wherever a campaign runs, whatever the environment says."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
import scipy.linalg  # noqa: F401 (what it loads is looked at)
from threadpoolctl import threadpool_info

from nameplate.service.arithmetic import settle_arithmetic

SERVICES = sorted(path.name for path in (Path(__file__).parents[3] / "services").iterdir())
SHOWN = (
    "import numpy, scipy.linalg, threadpoolctl\n"
    "print(sorted({(pool['architecture'], pool['num_threads']) for pool in threadpoolctl.threadpool_info()"
    " if pool['internal_api'] == 'openblas'}))"
)
SETTLED = "[('Haswell', 1)]\n"
able = pytest.mark.skipif(
    platform.machine() != "x86_64" or "avx2" not in Path("/proc/cpuinfo").read_text(),
    reason="the routines for AVX2 are not for this machine",
)


@pytest.fixture(autouse=True)
def another_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(variable, "2")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Nehalem")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "512")


def ran(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout


@able
def test_what_the_environment_says_decides_nothing() -> None:
    assert ran(SHOWN) == "[('Nehalem', 2)]\n"
    settle_arithmetic()
    assert ran(SHOWN) == SETTLED
    assert "OPENBLAS_L2_SIZE" not in os.environ


@able
def test_the_process_of_the_tests_calculates_like_the_product() -> None:
    for pool in threadpool_info():
        if pool["internal_api"] == "openblas":
            assert (pool["architecture"], pool["num_threads"]) == ("Haswell", 1)


@able
@pytest.mark.parametrize(
    ("service", "words"),
    [
        *((service, [more]) for service in SERVICES for more in ("--help", "job")),
        *(("evaluation", [command]) for command in ("audit", "report", "export")),
        *(("cluster", [command]) for command in ("plan", "setup", "check")),
        ("challenge", ["attend"]),
        ("training", ["arm"]),
    ],
)
def test_every_entry_settles_it_before_numpy_is_loaded(service: str, words: list[str]) -> None:
    start = (
        f"import sys; sys.argv = ['program', *{words}, '--help']\n"
        f"from nameplate_{service}.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
    )
    assert ran(start + SHOWN).endswith(SETTLED)


def test_a_processor_that_cannot_keeps_its_routines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nameplate.service.arithmetic._flags", lambda: {"sse4_2", "avx"})
    settle_arithmetic()
    assert os.environ["OPENBLAS_CORETYPE"] == "Nehalem"
    assert os.environ["OMP_NUM_THREADS"] == "1"
