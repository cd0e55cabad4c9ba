"""Synthesis: seconds per exam on one thread, and the bytes of an exam as NIfTI and packed.

python benchmarks/synthesis.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from nameplate.campaign.dataset import DifficultySettings
from nameplate.image.sphere import insert
from nameplate.image.volume import Volume, nifti_bytes
from nameplate.image.window import Window
from nameplate.pack.packed import pack_volume
from nameplate.steps.synthesis import Sphere
from nameplate.streams import stream
from nameplate_synthesis.difficulty import draw_sphere
from nameplate_synthesis.slices import brain_slices

FIELD_MM, SLICE_MM = 240.0, 5.0
EASY = DifficultySettings(name="easy", radius_mm=(21, 26), hu_mean=50, hu_sd=2)
HARD = DifficultySettings(name="hard", start="easy", share=0.35, radius_mm=(13, 17), hu_mean=40, hu_sd=2)


def head(matrix: int, slices: int) -> tuple[Volume, Volume]:
    """A noisy ellipsoid of brain in bone and air, and its mask."""
    pixel = FIELD_MM / matrix
    affine = np.diag([pixel, pixel, SLICE_MM, 1.0])
    counts = (matrix, matrix, slices)
    axes = [(np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(counts, (pixel, pixel, SLICE_MM), strict=True)]
    x, y, z = (axes[0][:, None, None], axes[1][None, :, None], axes[2][None, None, :])
    brain = (x / 68) ** 2 + (y / 85) ** 2 + (z / 70) ** 2 <= 1
    skull = (x / 75) ** 2 + (y / 92) ** 2 + (z / 77) ** 2 <= 1
    noise = stream(1, "noise").normal(0, 4, counts)
    hu = np.where(brain, 32 + noise, np.where(skull, 1000 + noise, -1000 + noise))
    return Volume(np.rint(hu).astype(np.int16), affine), Volume(brain.astype(np.uint8), affine)


def seconds(work: Callable[[], object], repeats: int = 9) -> float:
    """Median processor time of one call, after a warm-up; other programs do not count."""
    work()
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def main() -> None:
    """Print seconds and bytes for the paper's size and the demo's."""
    print(f"{'':16} {'slices':>8} {'draw':>8} {'insert':>8} {'together':>9} {'next one':>11}   seconds")
    sizes = []
    for matrix, have, keep in ((256, 35, 35), (64, 34, 32)):
        image, mask = head(matrix, have)
        cut = brain_slices(image, mask, keep, -1024)
        easy = draw_sphere(EASY, "e1", [cut.mask], None, seed=1, cohort="x")
        assert isinstance(easy, Sphere)

        def chosen(image: Volume = image, mask: Volume = mask, keep: int = keep) -> object:
            return brain_slices(image, mask, keep, -1024)

        def drawn(mask: Volume = cut.mask) -> object:
            return draw_sphere(EASY, "e1", [mask], None, seed=1, cohort="x")

        def inserted(image: Volume = cut.image, sphere: Sphere = easy) -> object:
            return insert(image, sphere, stream(1, "hu"), "per_voxel")

        def following(mask: Volume = cut.mask, image: Volume = cut.image, start: Sphere = easy) -> object:
            sphere = draw_sphere(HARD, "e1", [mask], start, seed=1, cohort="x")
            assert isinstance(sphere, Sphere)
            return insert(image, sphere, stream(1, "hu"), "per_voxel")

        parts = [seconds(work) for work in (chosen, drawn, inserted)]
        name = f"{matrix} x {matrix} x {keep}"
        print(
            f"{name:16} {parts[0]:8.4f} {parts[1]:8.4f} {parts[2]:8.4f} {sum(parts):9.4f} "
            f"{seconds(following):11.4f}"
        )
        made = insert(cut.image, easy, stream(1, "hu"), "per_voxel")
        packed = pack_volume(made.array, Window(width=100, level=50))
        sizes.append(
            f"{name:16} {made.array.nbytes / 1e6:9.2f} {len(nifti_bytes(made)) / 1e6:8.2f} "
            f"{len(nifti_bytes(cut.mask)) / 1e6:8.3f} {packed.nbytes / 1e6:8.2f} "
            f"{seconds(partial(nifti_bytes, made)):8.3f}"
        )
    print(f"\n{'':16} {'in memory':>9} {'.nii.gz':>8} {'mask':>8} {'packed':>8} MB, {'write':>4} in seconds")
    print("\n".join(sizes))


if __name__ == "__main__":
    main()
