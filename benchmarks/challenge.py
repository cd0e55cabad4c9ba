"""What `nameplate challenge` finds of a scorer whose sensitivity is known, and what it costs beside the
model.

    python benchmarks/challenge.py [--exams 60] [--simulations 100] [--many 1000]

Heads are simulated, ingested and stripped at 256 x 256 x 35, with noise of their own in every exam. The
scorer is a process that looks up the untouched exam, so it knows the lesion, and answers by a logistic curve
in the logarithm of the radius whose middle depends on the manufacturer. The same curve then answers simulated
tables, without images: how often the truth is within 1 mm and within the interval. At last many exams, for
the memory.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from fingerprint import Size, heads
from scipy.special import expit

from nameplate.image.volume import write_nifti
from nameplate.steps.challenge import Outcome
from nameplate.streams import stream
from nameplate_challenge.analysis import Question, analysed
from nameplate_challenge.case import lesions_of

R50_MM = {"GE": 4.0, "Siemens": 6.5}
SLOPE = 6.0
ALARMS = {"GE": 0.02, "Siemens": 0.08}
RADII_MM, HU = (2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0), 30.0
COMMAND = "import sys; from nameplate_challenge.cli import main; sys.exit(main())"
SCORER = """
import hashlib, json, math, os, sys, time
import numpy as np
folder, r50, slope, alarms, radii = sys.argv[1], *map(json.loads, sys.argv[2:])
spent = 0.0
for line in sys.stdin:
    start = time.process_time()
    data = open(json.loads(line)["image"], "rb").read()
    image = np.frombuffer(data, dtype="<i2", offset=352)
    number = int(image[0])
    added = image - np.load(f"{folder}/{number}.npy", mmap_mode="r")
    level = ("GE", "Siemens")[number % 2]
    if added.any():
        volume = float(added.sum()) / added.max() * float(np.load(f"{folder}/{number}-mm3.npy"))
        radius = min(radii, key=lambda r: abs(r - (volume * 3 / 4 / math.pi) ** (1 / 3)))
        chance = alarms[level] + (1 - alarms[level]) / (1 + (radius / r50[level]) ** -slope)
    else:
        chance = alarms[level]
    drawn = int(hashlib.sha256(data).hexdigest()[:12], 16) / 16**12
    spent += time.process_time() - start
    # Before the answer, and whole: after the last one the process is ended.
    with open(f"{folder}/spent.part", "w") as file:
        file.write(str(spent))
    os.replace(f"{folder}/spent.part", f"{folder}/spent")
    print(0.9 if drawn < chance else 0.1, flush=True)
"""


def true_radius(level: str) -> float:
    """Found in 90 %, chance alarms included."""
    part = (0.9 - ALARMS[level]) / (1 - ALARMS[level])
    return R50_MM[level] * (part / (1 - part)) ** (1 / SLOPE)


def exams(folder: Path, count: int) -> None:
    """Images and masks, the table, and what the scorer looks up."""
    made = heads(Size(512, 256, 35), folder / "made", defaultdict(float))
    lookup, images = folder / "lookup", folder / "images"
    lookup.mkdir()
    images.mkdir()
    rows = ["exam,patient,manufacturer"]
    for number in range(count):
        image, mask = made[number % len(made)]
        hu = image.array + np.rint(stream(number, "noise").normal(0, 3, image.array.shape)).astype(np.int16)
        hu[0, 0, 0] = number
        write_nifti(images / f"e{number}.nii.gz", image.with_array(hu))
        write_nifti(images / f"e{number}_mask.nii.gz", mask)
        np.save(lookup / f"{number}.npy", hu.ravel(order="F"))
        np.save(lookup / f"{number}-mm3.npy", image.voxel_ml * 1000)
        rows.append(f"e{number},p{number},{('GE', 'Siemens')[number % 2]}")
    (folder / "exams.csv").write_text("\n".join(rows) + "\n")
    print(f"image {' x '.join(map(str, made[0][0].array.shape))}, {count} exams")


def command(folder: Path, serve: list[str], images: Path, *more: str) -> tuple[float, float, str]:
    """Wall and CPU seconds of the command (its own and its model's), and what it printed."""
    words = [sys.executable, "-c", COMMAND, "--serve", " ".join(serve), "--images", str(images)]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [*words, "--out", str(folder / "out"), *more], check=True, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu, done.stdout


def with_images(folder: Path, count: int) -> None:
    """The command with the scorer: radius, gap, and the cost beside the model."""
    exams(folder, count)
    scorer = folder / "scorer.py"
    scorer.write_text(SCORER)
    told = [json.dumps(value).replace(" ", "") for value in (R50_MM, SLOPE, ALARMS, RADII_MM)]
    serve = [sys.executable, str(scorer), str(folder / "lookup"), *(f"'{one}'" for one in told)]
    wall, cpu, printed = command(
        folder, serve, folder / "images", "--exams", str(folder / "exams.csv"), "--hu", f"{HU:g}"
    )
    print("\n".join(f"  | {line}" for line in printed.splitlines()))
    found = json.loads((folder / "out" / "challenge.json").read_text())
    for level in found["levels"]:
        (curve,) = level["curves"]
        truth = true_radius(level["level"])
        print(f"{level['level']}: true {truth:.2f} mm, found {curve['radius_mm']} mm")
    gap = next(one for one in found["gaps"] if one["figure"] == "radius, mm")
    truth = true_radius("Siemens") - true_radius("GE")
    held = (gap["low"] or -math.inf) <= truth <= (gap["high"] or math.inf)
    print(f"gap: true {truth:.2f} mm, within its interval: {'yes' if held else 'NO'}")
    cases = sum(level["cases"] for level in found["levels"])
    beside = cpu - float((folder / "lookup" / "spent").read_text())
    print(
        f"{cases} cases in {wall:.0f} s of wall time; beside the model {beside:.1f} s of one core: ", end=""
    )
    print(f"{beside / cases:.3f} s a case")


def without_images(simulations: int, patients: int) -> None:
    """Tables of answers by the same curve, with a spread of patients: errors and coverage."""
    lesions = lesions_of(RADII_MM, (HU,), 2)
    question = Question("manufacturer", 0.5, 0.9, 0.95, 0, 500)
    inside, held, errors = 0, 0, []
    for number in range(simulations):
        rng = stream(number, "benchmark")
        rows = []
        for patient in range(patients):
            level = ("GE", "Siemens")[patient % 2]
            for lesion in (None, *lesions):
                chance = ALARMS[level]
                if lesion is not None:
                    away = math.log(lesion.radius_mm / R50_MM[level])
                    chance += (1 - chance) * float(expit(SLOPE * away))
                score = float(rng.random() < chance)
                name = f"p{patient}"
                rows.append(Outcome(key="", exam=name, patient=name, level=level, lesion=lesion, score=score))
        found = analysed(rows, question, refused=0)
        for level in found.levels:
            radius = level.curves[0].radius_mm
            errors.append(math.inf if radius is None else radius - true_radius(level.level))
            inside += abs(errors[-1]) <= 1
        gap = next(one for one in found.gaps if one.figure == "radius, mm")
        truth = true_radius("Siemens") - true_radius("GE")
        low = -math.inf if gap.low is None else gap.low
        held += low <= truth <= (math.inf if gap.high is None else gap.high)
    print(f"{simulations} simulated tables of {patients} patients, {len(lesions)} lesions each:")
    print(
        f"  radius within 1 mm of the truth: {inside / len(errors):.1%}; mean error {np.mean(errors):+.2f} mm"
    )
    print(f"  the true gap is within its interval: {held / simulations:.1%} (asked: 95 %)")


def many(folder: Path, count: int) -> None:
    """The largest process of the command over many exams: the same files under other names."""
    images = folder / "many"
    images.mkdir()
    there = sorted((folder / "images").glob("*[0-9].nii.gz"))
    for number in range(count):
        source = there[number % len(there)].name.removesuffix(".nii.gz")
        for ending in (".nii.gz", "_mask.nii.gz"):
            (images / f"m{number}{ending}").hardlink_to(folder / "images" / f"{source}{ending}")
    (folder / "many.py").write_text("import sys\nfor line in sys.stdin:\n    print(0.7, flush=True)\n")
    (folder / "out").rename(folder / "before")
    wall, cpu, _ = command(
        folder,
        [sys.executable, str(folder / "many.py")],
        images,
        "--radii-mm",
        "4",
        "8",
        "12",
        "--places",
        "1",
        "--hu",
        f"{HU:g}",
    )
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"{count} exams, 4 cases each: {wall:.0f} s, {cpu / count / 4:.3f} core seconds a case with a model "
    )
    print(f"that looks at nothing; {peak:.0f} MiB the largest process")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--exams", type=int, default=60)
    parser.add_argument("--simulations", type=int, default=100)
    parser.add_argument("--many", type=int, default=1000)
    arguments = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if arguments.simulations:
        without_images(arguments.simulations, arguments.exams)
    with tempfile.TemporaryDirectory() as name:
        with_images(Path(name), arguments.exams)
        if arguments.many:
            many(Path(name), arguments.many)


if __name__ == "__main__":
    main()
