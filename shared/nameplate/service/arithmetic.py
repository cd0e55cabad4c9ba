"""How NumPy and SciPy multiply and add up: the same in every process of a campaign, on every machine."""

import os
import platform
from pathlib import Path

_CORE = "Haswell"
_NEEDED = {"avx2", "fma"}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SETTLED = (*_THREADS, "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Variables whose value in a process of ours is not the one that its user gave."""


def settle_arithmetic() -> None:
    """Settle it for libraries that are loaded from now on, here and in processes that are started.

    One thread a process: sums that two threads share differ in their last bits, and more threads would
    compete with the other processes for the cores. A training asks PyTorch for the number its campaign says.

    OpenBLAS chooses its routines by the processor, and by variables of the environment. Those for AVX-512 add
    up in another order than those for AVX2, so images that two nodes of a cluster resampled would differ in
    single voxels, and so would those of a pod and of a shell. Those for AVX2 run on nearly every x86-64
    server; where they do not, and on other architectures, OpenBLAS chooses.
    """
    for variable in _THREADS:
        os.environ[variable] = "1"
    if platform.machine() == "x86_64" and _flags() >= _NEEDED:
        os.environ["OPENBLAS_CORETYPE"] = _CORE
        os.environ.pop("OPENBLAS_L2_SIZE", None)


def _flags() -> set[str]:
    """What the processor can do, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())
