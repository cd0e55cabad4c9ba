"""How often headers are read, and how long an ingest takes, with eight shards of one folder of studies.

    python benchmarks/sources.py [--studies 500] [--slices 30] [--packed] [--against CHECKOUT]

Writes that many small studies and does the listing and the shards of a campaign, one after the other in one
process. With --against, the checkout of an older version does the same: where there is no listing, every
shard reads all headers. Opens of the studies' files are counted by the system's own flags: headers are read
without waiting (O_NONBLOCK), pixels are not. With --packed the studies are in one tar.gz, and counted are the
bytes of it that were unpacked.
"""

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parents[1]
SHARDS, SIDE, FIELD_MM = 8, 64, 224.0
CAMPAIGN = """
name: sources
seed: 1
cohorts:
  study: {{source: {{kind: {kind}, path: {path}}}, shards: {shards}, ingest: {{matrix: 64}}}}
datasets:
  spheres:
    difficulties:
      - {{name: easy, radius_mm: [8, 12], hu_mean: 80, hu_sd: 2}}
experiments:
  - name: factor
    title: Name the manufacturer
    task: factor
    cohorts: [study]
    groups: 1
    input: {{window: {{width: 400, level: 40}}, range: [-1, 1], slices: 3}}
    network: {{kind: slice-cnn, channels: [4], pooling: flatten}}
    training: {{rate: 5.0e-3, batch: 4, epochs: 1}}
    convergence:
      default: {{accuracy: 0.5, auroc: 0.5, loss_drop: 0.0, late_rise: 10}}
    rounds: {{first: 1, target: 1, limit: 1}}
"""
WORK = """
import importlib, importlib.util, json, os, sys, time
from collections import Counter
from pathlib import Path

from nameplate.campaign import load_campaign
from nameplate.job.committed import put_campaign
from nameplate.job.run import run_job
from nameplate.plan.plan import plan
from nameplate.store import open_store

older = importlib.util.find_spec("nameplate.campaign.cohort_source") is None
source = importlib.import_module(f"nameplate.campaign.{'source' if older else 'cohort_source'}")
file, folder, place = sys.argv[1:]
headers, pixels = Counter(), Counter()


def opened(event, arguments):
    if event == "open" and str(arguments[0]).startswith(folder):
        (headers if arguments[2] & os.O_NONBLOCK else pixels)[str(arguments[0])] += 1


campaign = load_campaign(Path(file))
sources, store = source.sources_of(campaign, Path(file).parent), open_store(place)
put_campaign(store, campaign, Path(file).read_text())
digests = sources if older else {name: one.digest for name, one in sources.items()}
jobs = [job for job in plan(campaign, {}, digests).jobs if job.step in ("listing", "ingest")]
sys.addaudithook(opened)
unpacked = 0
if not older:
    from nameplate_ingest.archive.flow import Unpacked

    plain = Unpacked.read

    def read(self, count):
        global unpacked
        data = plain(self, count)
        unpacked += len(data)
        return data

    Unpacked.read = read
seconds, results, busy = {}, {}, time.process_time()
for job in jobs:
    start = time.perf_counter()
    needed = {need: results[need] for need in job.needs}
    results[job.id] = run_job(job, store, needed, source=sources["study"])
    seconds[job.step] = seconds.get(job.step, 0) + time.perf_counter() - start
outputs = {one.key: one.sha256 for job in jobs if job.step == "ingest" for one in results[job.id].outputs}
print(json.dumps({
    "headers": sum(headers.values()), "most": max(headers.values(), default=0),
    "pixels": sum(pixels.values()), "unpacked": unpacked,
    "seconds": seconds, "cpu": time.process_time() - busy, "outputs": outputs,
}))
"""


def head() -> np.ndarray:
    """Axes (slice, row, column), HU: a skull with brain in it, and air around."""
    along, down, across = np.mgrid[-1:1:30j, -1:1:64j, -1:1:64j]
    inside = (across / 0.65) ** 2 + (down / 0.8) ** 2 + (along / 1.05) ** 2
    return np.where(inside < 0.85, 35, np.where(inside < 1.0, 1000, -1000)).astype("<i2")


def write_studies(folder: Path, studies: int, slices: int) -> None:
    """Studies of one head each, under plain numbers."""
    volume = head()[np.linspace(0, 29, slices).round().astype(int)]
    template = Dataset()
    template.file_meta = FileMetaDataset()
    template.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    template.file_meta.MediaStorageSOPClassUID = template.SOPClassUID = CTImageStorage
    template.ImageType, template.Modality = ["ORIGINAL", "PRIMARY", "AXIAL"], "CT"
    template.StudyDate, template.SeriesDescription = "20230304", "Head 5.0"
    template.SliceThickness, template.KVP, template.ConvolutionKernel = 150 / slices, 120, "H31s"
    template.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    template.SamplesPerPixel, template.PhotometricInterpretation = 1, "MONOCHROME2"
    template.Rows = template.Columns = SIDE
    template.PixelSpacing = [FIELD_MM / SIDE] * 2
    template.BitsAllocated = template.BitsStored = 16
    template.HighBit, template.PixelRepresentation = 15, 1
    template.RescaleSlope, template.RescaleIntercept = 1, 0
    for number in range(studies):
        study = f"1.2.826.0.1.{number + 1}"
        template.StudyInstanceUID, template.SeriesInstanceUID = study, f"{study}.1"
        template.FrameOfReferenceUID = f"{study}.2"
        template.PatientID, template.PatientName = f"P{number:05d}", f"Name{number}^Person"
        template.PatientSex, template.PatientAge = "FM"[number % 2], f"{20 + number % 70:03d}Y"
        template.Manufacturer = "SIEMENS" if number % 2 else "GE MEDICAL SYSTEMS"
        below = folder / f"{number:05d}"
        below.mkdir()
        for place, plane in enumerate(volume):
            template.SOPInstanceUID = f"{study}.1.{place + 1}"
            template.file_meta.MediaStorageSOPInstanceUID = template.SOPInstanceUID
            template.InstanceNumber = place + 1
            template.ImagePositionPatient = [-FIELD_MM / 2, -FIELD_MM / 2, place * 150 / slices]
            template.PixelData = plane.tobytes()
            template.save_as(below / f"{place:03d}", enforce_file_format=True)


def packed(folder: Path) -> Path:
    """A tar.gz of the folder, beside it."""
    archive = folder.with_suffix(".tar.gz")
    with tarfile.open(archive, "w:gz", compresslevel=1) as tar:
        for path in sorted(folder.rglob("*")):
            tar.add(path, path.relative_to(folder), recursive=False)
    return archive


def done(checkout: Path, campaign: Path, folder: Path, store: Path) -> dict[str, object]:
    """The jobs, by the code of a checkout."""
    places = [checkout / "shared", *sorted((checkout / "services").iterdir())]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, places)),
        "NAMEPLATE_KEY": "a key for this benchmark",
    }
    words = [sys.executable, "-c", WORK, str(campaign), str(folder), str(store)]
    ran = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, object] = json.loads(ran.stdout)
    return result


def told(name: str, result: dict[str, object], files: int) -> str:
    """One line of figures."""
    seconds = result["seconds"]
    assert isinstance(seconds, dict)
    steps = ", ".join(f"{step} {value:.1f} s" for step, value in seconds.items())
    if unpacked := result["unpacked"]:
        assert isinstance(unpacked, int)
        read = f"{unpacked / 2**30:.2f} GiB unpacked"
    else:
        read = (
            f"{result['headers']} headers read of {files} files (at most {result['most']} times each), "
            f"{result['pixels']} opened for pixels"
        )
    return (
        f"{name}: {read}; {steps}; together {sum(seconds.values()):.1f} s, "
        f"{result['cpu']:.1f} s of it processor"
    )


def main() -> None:
    """Both checkouts, and whether their exams are the same."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--slices", type=int, default=30)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--packed", action="store_true", help="the studies are in one tar.gz")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder, campaign = Path(scratch) / "dicom", Path(scratch) / "sources.yaml"
        folder.mkdir()
        write_studies(folder, options.studies, options.slices)
        path = packed(folder) if options.packed else folder
        kind = "archive" if options.packed else "folder"
        campaign.write_text(CAMPAIGN.format(kind=kind, path=path, shards=SHARDS))
        files = options.studies * options.slices
        print(f"{options.studies} studies of {options.slices} slices, {SHARDS} shards one after the other")
        now = done(ROOT, campaign, folder, Path(scratch) / "now")
        print(told("this version", now, files))
        if options.against is not None:
            before = done(options.against.resolve(), campaign, folder, Path(scratch) / "before")
            print(told("the other one", before, files))
            outputs = now["outputs"]
            assert isinstance(outputs, dict)
            images = sum("/images/" in key for key in outputs)
            same = "the same bytes" if outputs == before["outputs"] else "NOT the same bytes"
            print(f"{images} images, and all other {len(outputs) - images} files of the ingest: {same}")


if __name__ == "__main__":
    main()
