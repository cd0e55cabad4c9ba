"""Threads of the numerical libraries in the processes that a command starts."""

import os

_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread_a_process() -> None:
    """Let every process that is started from now on calculate in one thread.

    More would compete for the cores with the other processes, and sums in another order differ in their
    last bits. The calling process itself keeps the threads that its libraries have been loaded with.
    """
    for variable in _VARIABLES:
        os.environ[variable] = "1"
