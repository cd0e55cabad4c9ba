"""What the measures of the fingerprint cost: core seconds an exam at each stage, and a whole folder.

    python benchmarks/fingerprint.py [--exams 100] [--workers 2]

Heads are simulated, once at the size of a hospital's exams (source 512 x 512, image 256 x 256 x 35) and once
at the demo's (128 x 128, 64 x 64 x 28). The folder is measured by the command; masks are made before.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import nameplate_ingest.study as study
from nameplate.campaign.ingest import IngestSettings
from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.fingerprint import measure
from nameplate.image.fingerprint.slices import Numbers, Slices
from nameplate.image.volume import Volume, read_nifti, write_nifti
from nameplate.image.window import Window
from nameplate_fingerprint.stages import measured_stages
from nameplate_ingest.ingest import ingest_folder
from nameplate_phantom.study import simulate_study
from nameplate_skullstrip.strip import skullstrip

WINDOW = Window(width=100, level=50)
HEADS = 4
COMMAND = "import sys; from nameplate_fingerprint.cli import main; sys.exit(main())"


@dataclass(frozen=True)
class Size:
    """Matrix of the source and of the image, and slices of the image."""

    source: int
    matrix: int
    slices: int


def clocked(function: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    """The function, adding its core seconds to ``spent``."""

    def timed(*arguments: Any, **options: Any) -> Any:
        start = time.process_time()
        result = function(*arguments, **options)
        spent[name] += time.process_time() - start
        return result

    return timed


def heads(size: Size, folder: Path, spent: dict[str, float]) -> list[tuple[Volume, Volume]]:
    """Simulated heads and masks; adds the core seconds of the measures within the ingest to ``spent``."""
    simulated = PhantomSettings(exams=HEADS, matrix=size.source, thin_mm=2.5, bone_share=0)
    for number in range(HEADS):
        simulate_study(simulated, seed=2, cohort="cost", number=number, out=folder / "dicom")
    original, study.measured_as_read = (
        study.measured_as_read,
        clocked(study.measured_as_read, spent, "as read"),
    )
    ingest_folder(
        folder / "dicom", folder / "nifti", IngestSettings(matrix=size.matrix), key=b"a key of a benchmark"
    )
    study.measured_as_read = original
    made = []
    for path in sorted((folder / "nifti" / "images").iterdir()):
        whole = read_nifti(path)
        low = max(0, whole.array.shape[2] - size.slices)
        image = Volume(whole.array[:, :, low:], whole.affine)
        made.append((image, skullstrip(image).mask))
    return made


def by_stage(volumes: list[tuple[Volume, Volume]], spent: dict[str, float]) -> None:
    """Core seconds of the later stages, and of each module over all three, added to ``spent``."""
    parts = measure._PARTS
    measure._PARTS = tuple(
        (names, clocked(function, spent, f"  {function.__name__}")) for names, function in parts
    )
    for image, mask in volumes:
        stages = measured_stages(image, mask, WINDOW)
        while True:
            start = time.process_time()
            stage, numbers = next(stages, (None, None))
            if stage is None:
                break
            spent[stage] += time.process_time() - start
            assert numbers
    measure._PARTS = parts


def folder_seconds(
    volumes: list[tuple[Volume, Volume]], folder: Path, exams: int, workers: int
) -> tuple[float, float]:
    """Wall seconds of the command on so many exams, and its largest process in MB."""
    images, masks = folder / "images", folder / "masks"
    images.mkdir(parents=True)
    masks.mkdir()
    for number, (image, mask) in enumerate(volumes):
        write_nifti(images / f"e{number:03d}.nii.gz", image)
        write_nifti(masks / f"e{number:03d}.nii.gz", mask)
    for number in range(len(volumes), exams):
        for place in (images, masks):
            shutil.copy(place / f"e{number % len(volumes):03d}.nii.gz", place / f"e{number:03d}.nii.gz")
    command = [sys.executable, "-c", COMMAND, str(images), "--masks", str(masks), "--workers", str(workers)]
    start = time.perf_counter()
    subprocess.run([*command, "--out", str(folder / "out")], check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    return wall, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def warm(slices: Slices) -> Numbers:
    """Imports that wait for the first exam."""
    return measure.measured(slices)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--exams", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {HEADS} heads a size")
    for size in (Size(512, 256, 35), Size(128, 64, 28)):
        spent: dict[str, float] = defaultdict(float)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            volumes = heads(size, folder, spent)
            warm(Slices.of_volume(*volumes[0]))
            by_stage(volumes, spent)
            shape = " x ".join(map(str, volumes[0][0].array.shape))
            print(f"source {size.source} x {size.source}, image {shape}: core seconds an exam")
            for stage, seconds in spent.items():
                print(f"  {stage:<16} {seconds / HEADS:.3f}")
            total = sum(seconds for stage, seconds in spent.items() if not stage.startswith(" "))
            print(f"  {'all four stages':<16} {total / HEADS:.3f}")
            wall, peak = folder_seconds(volumes, folder / "command", arguments.exams, arguments.workers)
            print(
                f"  the command on {arguments.exams} exams, {arguments.workers} processes: {wall:.1f} s, ",
                end="",
            )
            print(f"{peak:.0f} MB the largest process")


if __name__ == "__main__":
    main()
