"""Skull stripping: seconds per exam on one thread; Dice and volume on heads whose true mask is known.

python benchmarks/skullstrip.py [FOLDER]

FOLDER has the DICOM files of the real GE head of the tests; without it, only simulated heads are measured.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import Volume, read_nifti
from nameplate_ingest.ingest import ingest_folder
from nameplate_skullstrip.strip import skullstrip

TESTS = Path(__file__).resolve().parents[1] / "tests" / "services" / "skullstrip"
GRIDS = ((256, 5.0), (256, 2.5), (256, 4.5), (256, 7.0), (128, 5.0), (64, 5.0))
"""Rows and columns, and slice distance in mm, at which the real head is measured."""


def from_tests(name: str) -> ModuleType:
    """A module beside the tests: ``head``, ``changes`` or ``ge_reference``."""
    spec = importlib.util.spec_from_file_location(f"skullstrip_{name}", TESTS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(TESTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def seconds(image: Volume, repeats: int = 7) -> float:
    """Median of the wall time of one exam, after a warm-up."""
    skullstrip(image)
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        skullstrip(image)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def outward_mm(found: NDArray[Any], truth: NDArray[Any], spacing: tuple[float, float, float]) -> float:
    """Mean distance of the found outline from the true one within the slices, in mm; negative is inside."""
    gaps = []
    for one, other in zip(np.moveaxis(found > 0, 2, 0), np.moveaxis(truth > 0, 2, 0), strict=True):
        if one.any() and other.any():
            depth = ndimage.distance_transform_edt(other, spacing[:2])
            away = ndimage.distance_transform_edt(~other, spacing[:2])
            edge = one & ~ndimage.binary_erosion(one)
            gaps.append((away - depth + spacing[0])[edge])
    return float(np.concatenate(gaps).mean()) if gaps else float("nan")


def table(title: str, cases: Iterator[tuple[str, Volume, NDArray[Any]]]) -> None:
    """Print Dice, volume and distance of each head, and mean and worst Dice."""
    print(f"\n{title:26s}   Dice    volume   outline   flags")
    scores = []
    for name, image, truth in cases:
        found = skullstrip(image)
        mask = found.mask.array > 0
        scores.append(2.0 * float((mask & (truth > 0)).sum()) / float(mask.sum() + (truth > 0).sum()))
        volume = 100.0 * (found.volume_ml / (float((truth > 0).sum()) * image.voxel_ml) - 1.0)
        distance = outward_mm(mask, truth, image.spacing_mm)
        print(
            f"  {name:24s} {scores[-1]:7.4f} {volume:+7.1f} % {distance:+6.2f} mm   {' '.join(found.flags)}"
        )
    print(f"  mean {statistics.mean(scores):.4f}, worst {min(scores):.4f}")


def real_heads(folder: Path) -> Iterator[tuple[str, Volume, NDArray[Any]]]:
    """The real head on several grids, and its simulated changes on the first."""
    made = from_tests("ge_reference")
    native = made.read_native(folder)
    outlines = made.outlines(native)
    for matrix, slice_mm in GRIDS:
        with tempfile.TemporaryDirectory() as out:
            settings = IngestSettings(matrix=matrix, slice_mm=slice_mm)
            ingest_folder(folder, Path(out), settings, key=b"k" * 16)
            [path] = (Path(out) / "images").glob("*.nii.gz")
            image = read_nifti(path)
        inside = made.reference(native, outlines, image)
        yield f"{matrix} pixels, {slice_mm} mm", image, inside
        if (matrix, slice_mm) == GRIDS[0]:
            yield from from_tests("changes").changed_heads(image, inside)


def main() -> None:
    """Print the tables."""
    head = from_tests("head")
    print("seconds per exam, one thread")
    for name in ("full matrix", "plain", "demo 3.5 mm", "demo 4 mm"):
        image, _ = head.simulate_head(head.PLANS[name])
        shape = " x ".join(str(count) for count in image.array.shape)
        print(f"  {shape:18s} {seconds(image):.3f}")
    simulated = ((name, *head.simulate_head(plan)) for name, plan in head.PLANS.items())
    table("simulated head", ((name, image, truth.array) for name, image, truth in simulated))
    if len(sys.argv) > 1:
        table("real head", real_heads(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
