"""Bytes of the paper's 552 training exams, packed: measured on volumes of that size, not computed.

    python benchmarks/pack.py [--exams 552]

Writes simulated volumes of 256 x 256 x 35 (smooth heads with noise) as the pack of the sphere
experiment and prints the size of the file, and the time.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nameplate.image.window import Window
from nameplate.pack.packed import pack_volume, write_rows
from nameplate.streams import stream


def main() -> None:
    """Pack and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exams", type=int, default=552)
    exams: int = parser.parse_args().exams
    window = Window(width=100, level=50)
    x, y, z = np.meshgrid(
        np.linspace(-1, 1, 256), np.linspace(-1, 1, 256), np.linspace(-1, 1, 35), indexing="ij"
    )
    head = np.where(x**2 + y**2 + z**2 < 0.6, 35.0, -1000.0)

    def rows() -> Iterator[NDArray[np.uint8]]:
        for exam in range(exams):
            noise = stream(1, "benchmark", exam).normal(0.0, 4.0, size=(256, 256, 1))
            yield pack_volume(np.rint(head + noise).astype(np.int16), window)

    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        write_rows(Path(folder) / "images.npy", exams, rows())
        seconds = time.perf_counter() - began
        size = (Path(folder) / "images.npy").stat().st_size
    print(f"{exams} exams of 256 x 256 x 35: {size / 1e9:.3f} GB packed, {seconds / exams:.3f} s an exam")


if __name__ == "__main__":
    main()
