"""DICOM ingest against dcm2niix on one head, and CPU time per study of an archive.

    python benchmarks/ingest.py HEAD [--archive FOLDER]
    python benchmarks/ingest.py --index FILES

HEAD is a folder with one head-CT series. Both programs run as whole processes, in turn, in the same
run. With --archive, a folder of many studies, the ingest is also timed in this process, start excluded.
Where dcm2niix straightened the head (``*_Tilt_Eq_1.nii.gz``), both results are compared at the same mm. With
--index, that many small files are written and their headers read, in the order that packs worst.
"""

import argparse
import io
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian
from scipy.ndimage import map_coordinates
from scipy.optimize import minimize

from nameplate.campaign.ingest import IngestSettings
from nameplate.image.volume import read_nifti
from nameplate_ingest.ingest import ingest_folder

KEY = b"a key for this benchmark"
INDEX = """
import re, sys, time
from pathlib import Path
from nameplate_ingest.sources.index import Reading, index_files
from nameplate_ingest.folder.listing import list_files
from nameplate_ingest.fields.pseudonym import Pseudonyms
from nameplate_ingest.workers import Workers

def peak():
    return int(re.search("VmHWM:[^0-9]*([0-9]+)", Path("/proc/self/status").read_text())[1]) / 1024

before, start, source = peak(), time.process_time(), Path(sys.argv[1])
reading = Reading(source, Pseudonyms(b"a key for this benchmark"), None, {})
with Workers(0, reading) as workers:
    index = index_files(list_files(source, source / "out"), reading, workers)
seconds = time.process_time() - start
print(f"{index.files} files of {len(index.studies)} studies indexed, one worker:")
print(f"  {seconds:.1f} s CPU, peak {peak():.0f} MB of memory, {before:.0f} MB of it before the first file")
"""
OURS = "import sys; from nameplate_ingest.cli import main; sys.exit(main())"


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Wall time of one process."""
    start = time.perf_counter()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def race(head: Path, out: Path, rounds: int) -> None:
    """Both programs in turn; prints the median times and their ratio."""
    environment = {**os.environ, "NAMEPLATE_KEY": KEY.decode()}
    ours, theirs = [], []
    for number in range(rounds):
        folder = out / f"d{number}"
        folder.mkdir()
        command = [sys.executable, "-c", OURS, str(head), "--out", str(out / f"o{number}")]
        ours.append(seconds(command, environment))
        other = ["dcm2niix", "-z", "y", "-f", "head", "-o", str(folder), str(head)]
        theirs.append(seconds(other, environment))
    ours_s, theirs_s = statistics.median(ours), statistics.median(theirs)
    print(f"one head, whole process, median of {rounds}, load {os.getloadavg()[0]:.1f}:")
    print(f"  nameplate ingest to 256 x 256  {ours_s:.2f} s")
    print(f"  dcm2niix -z y                  {theirs_s:.2f} s   ratio {ours_s / theirs_s:.2f}")


def compare(head: Path, out: Path) -> None:
    """Agreement with dcm2niix's straightened volume at its own voxel centres."""
    straight = sorted((out / "d0").glob("*_Tilt_Eq_1.nii.gz"))
    if not straight:
        return
    image = nib.load(straight[0])
    # Its sform is sheared although the voxels are not; its qform is the orthogonal box that they are.
    theirs, affine = np.asarray(image.dataobj, dtype=float).clip(-1024), image.header.get_qform()
    distance = float(image.header.get_zooms()[2])
    ingest_folder(head, out / "full", IngestSettings(matrix=512, slice_mm=distance), key=KEY)
    mine = read_nifti(next((out / "full" / "images").glob("*.nii.gz")))
    wide, tall, deep = theirs.shape
    steps = range(16, wide - 16, 4), range(16, tall - 16, 4), range(2, deep - 2)
    voxels = np.stack(np.meshgrid(*steps, indexing="ij")).reshape(3, -1)
    places = affine[:3, :3] @ voxels + affine[:3, 3:]
    hu = theirs[tuple(voxels)]
    back, array = np.linalg.inv(mine.affine), mine.array.astype(float)

    def ours_at(shift: np.ndarray) -> np.ndarray:
        index = back[:3, :3] @ (places + shift[:, None]) + back[:3, 3:]
        return map_coordinates(array, index, order=1, cval=-1024.0)

    tissue, body = (hu > -200) & (hu < 100), hu > -900
    here = ours_at(np.zeros(3))
    simplex = np.vstack([np.zeros(3), np.eye(3)])
    best = minimize(
        lambda shift: -np.corrcoef(ours_at(shift)[body], hu[body])[0, 1],
        np.zeros(3),
        method="Nelder-Mead",
        options={"xatol": 0.01, "fatol": 1e-7, "initial_simplex": simplex},
    )
    print("against its straightened volume, 512 x 512, at the same mm:")
    everywhere = np.corrcoef(here, hu)[0, 1]
    inside = np.corrcoef(here[body], hu[body])[0, 1]
    print(f"  correlation {everywhere:.4f}, in the head {inside:.4f}")
    print(f"  median absolute difference in soft tissue {np.median(np.abs(here - hu)[tissue]):.2f} HU")
    print(f"  offset of best fit {np.linalg.norm(best.x):.3f} mm")


def archive(folder: Path, out: Path, matrix: int) -> None:
    """CPU seconds per study, start of the process excluded."""
    clock, wall = time.process_time(), time.perf_counter()
    summary = ingest_folder(folder, out / "archive", IngestSettings(matrix=matrix), key=KEY)
    clock, wall = time.process_time() - clock, time.perf_counter() - wall
    studies = max(summary.studies, 1)
    print(f"{studies} studies of {summary.files / studies:.0f} files to {matrix} x {matrix}:")
    print(f"  {clock / studies:.3f} s CPU a study ({wall:.1f} s in all), {summary.exams} exams")


def small_slice() -> bytes:
    """A CT slice of 1.5 kB; ten ones, twos and threes in its UIDs are to be replaced by numbers."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID = CTImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3.1111111111.1", "1.2.3.2222222222.2"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3.3333333333.3"
    dataset.ImageType, dataset.Modality, dataset.Manufacturer = ["ORIGINAL", "PRIMARY", "AXIAL"], "CT", "GE"
    dataset.ManufacturerModelName, dataset.InstitutionName = "a model", "an institution"
    dataset.StudyDate, dataset.StudyDescription, dataset.SeriesDescription = "20200101", "CT HEAD", "5 mm"
    dataset.PatientID, dataset.PatientName, dataset.PatientAge, dataset.PatientSex = "1", "A^B", "050Y", "F"
    dataset.SliceThickness, dataset.KVP, dataset.ConvolutionKernel = 5, 120, "STANDARD"
    dataset.ImagePositionPatient, dataset.ImageOrientationPatient = [-125, -125, 0], [1, 0, 0, 0, 1, 0]
    dataset.Rows = dataset.Columns = 512
    dataset.PixelSpacing, dataset.SamplesPerPixel, dataset.PhotometricInterpretation = (
        [0.5, 0.5],
        1,
        "MONOCHROME2",
    )
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.PixelData = 1, -1024, bytes(512)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def index(count: int, folder: Path) -> None:
    """Time and memory of reading ``count`` headers, 100 slices a study, in a random order."""
    template = small_slice()
    order = list(range(count))
    random.Random(1).shuffle(order)
    for place, number in enumerate(order):
        data = template
        for digit, value in ((b"1", number // 100), (b"2", number // 34), (b"3", number)):
            data = data.replace(digit * 10, b"%010d" % value)
        target = folder / f"{place // 10000:04d}" / f"{place:08d}"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
    subprocess.run([sys.executable, "-c", INDEX, str(folder)], check=True)


def main() -> None:
    """Run what the arguments ask for and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("head", type=Path, nargs="?")
    parser.add_argument("--index", type=int, default=0, metavar="FILES")
    parser.add_argument("--archive", type=Path)
    parser.add_argument("--matrix", type=int, default=128, help="matrix for --archive (128)")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.head is None and not arguments.index:
        parser.error("HEAD or --index is needed")
    with tempfile.TemporaryDirectory() as name:
        out = Path(name)
        if arguments.index:
            index(arguments.index, out)
            return
        if shutil.which("dcm2niix") is None:
            parser.error("dcm2niix is not installed")
        race(arguments.head, out, arguments.rounds)
        compare(arguments.head, out)
        if arguments.archive:
            archive(arguments.archive, out, arguments.matrix)


if __name__ == "__main__":
    main()
