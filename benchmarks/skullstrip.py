"""Skull stripping: seconds per exam on one thread, and Dice on simulated heads with an exact truth.

python benchmarks/skullstrip.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib.util
import statistics
import sys
import time
from pathlib import Path
from types import ModuleType

from nameplate.image.volume import Volume
from nameplate_skullstrip.strip import skullstrip

HEADS = Path(__file__).resolve().parents[1] / "tests" / "services" / "skullstrip" / "head.py"


def heads() -> ModuleType:
    """The generator of simulated heads that the tests use."""
    spec = importlib.util.spec_from_file_location("simulated_heads", HEADS)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(HEADS)
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


def main() -> None:
    """Print both tables."""
    head = heads()
    print("seconds per exam, one thread")
    for name in ("full matrix", "plain", "demo 3.5 mm", "demo 4 mm"):
        image, _ = head.simulate_head(head.PLANS[name])
        shape = " x ".join(str(count) for count in image.array.shape)
        print(f"  {shape:18s} {seconds(image):.3f}")
    print("\nsimulated head              Dice    volume   flags")
    scores = []
    for name, plan in head.PLANS.items():
        image, truth = head.simulate_head(plan)
        found = skullstrip(image)
        scores.append(head.dice(found.mask.array, truth.array))
        volume = 100.0 * (found.volume_ml / (float(truth.array.sum()) * truth.voxel_ml) - 1.0)
        print(f"  {name:24s} {scores[-1]:7.4f} {volume:+7.1f} %   {' '.join(found.flags)}")
    print(f"  mean {statistics.mean(scores):.4f}, worst {min(scores):.4f}")


if __name__ == "__main__":
    main()
