"""Which routines NumPy and SciPy multiply matrices with: the same on every machine of a campaign."""

import os
import platform
from pathlib import Path

_CORE = "Haswell"
_NEEDED = {"avx2", "fma"}


def same_kernels() -> None:
    """Settle it for libraries that are loaded from now on, here and in processes that are started.

    OpenBLAS chooses by the processor, and by variables of the environment. Its routines for AVX-512 add up in
    another order than those for AVX2, so images that two nodes of a cluster resampled would differ in single
    voxels, and so would those of a pod and of a shell. Those for AVX2 run on nearly every x86-64 server;
    where they do not, and on other architectures, OpenBLAS chooses.
    """
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
