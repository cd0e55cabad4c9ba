"""Seconds of one process per simulated study, files included: ``python benchmarks/phantom.py``."""

import argparse
import os
import tempfile
import time
from pathlib import Path

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate_phantom.study import simulate_study


def measure(settings: PhantomSettings, studies: int) -> tuple[float, float, float, float]:
    """CPU seconds, wall seconds, files and MB per study."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        simulate_study(settings, seed=1, cohort="warm", number=10**6, out=out / "warm")
        clock, wall = time.process_time(), time.perf_counter()
        for number in range(studies):
            simulate_study(settings, seed=1, cohort="bench", number=number, out=out / "bench")
        clock, wall = time.process_time() - clock, time.perf_counter() - wall
        written = [path.stat().st_size for path in (out / "bench").rglob("*.dcm")]
    return clock / studies, wall / studies, len(written) / studies, sum(written) / studies / 1e6


def main() -> None:
    """Print one line a setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=8)
    studies = parser.parse_args().studies
    print(f"{studies} studies each, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("matrix  bone series    cpu s   wall s   files     MB   (per study)")
    for matrix, thin_mm, bone in ((128, 2.5, 1.0), (128, 2.5, 0.0), (512, 2.5, 0.0), (512, 1.25, 1.0)):
        settings = PhantomSettings(exams=studies, matrix=matrix, thin_mm=thin_mm, bone_share=bone)
        cpu, wall, files, size = measure(settings, studies if matrix < 256 else max(2, studies // 4))
        kind = f"{thin_mm} mm" if bone else "none"
        print(f"{matrix:6d}  {kind:11s} {cpu:8.3f} {wall:8.3f} {files:7.0f} {size:6.1f}")


if __name__ == "__main__":
    main()
