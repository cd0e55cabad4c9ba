"""Small heads of two manufacturers in a folder, with a table; and models as scripts, run for real."""

import shlex
import sys
from pathlib import Path

import numpy as np

from nameplate.image.volume import Volume, write_nifti
from nameplate.service.command import run_command
from nameplate.streams import stream
from nameplate_challenge.command import COMMAND


def head(number: int, matrix: int = 40, slices: int = 12) -> tuple[Volume, Volume]:
    """An ellipsoid brain in a thin shell of bone, of a size of its own, and its mask."""
    mm = 220.0 / matrix
    axes = [(np.arange(n) - (n - 1) / 2) * step for n, step in ((matrix, mm), (matrix, mm), (slices, 12.0))]
    i, j, k = np.meshgrid(*axes, indexing="ij")
    size = 1.0 - 0.02 * (number % 5)
    far = np.sqrt((i / (72 * size)) ** 2 + (j / (86 * size)) ** 2 + (k / (66 * size)) ** 2)
    hu = np.select([far < 0.9, far < 1.0], [34.0, 1100.0], -1000.0)
    hu += stream(number, "head").normal(0.0, 3.0, hu.shape)
    affine = np.diag([mm, mm, 12.0, 1.0])
    return Volume(np.rint(hu).astype(np.int16), affine), Volume((far < 0.9).astype(np.uint8), affine)


def folder(path: Path, count: int = 4) -> Path:
    """Images e0, e1... with masks beside them, and exams.csv."""
    path.mkdir(parents=True)
    rows = ["exam,patient,manufacturer,age"]
    for number in range(count):
        image, mask = head(number)
        write_nifti(path / f"e{number}.nii.gz", image)
        write_nifti(path / f"e{number}_mask.nii.gz", mask)
        rows.append(f"e{number},p{number},{('GE', 'Siemens')[number % 2]},{50 + number}")
    (path / "exams.csv").write_text("\n".join(rows) + "\n")
    return path


def script(path: Path, text: str) -> str:
    """The command of a Python program; what it is called with follows."""
    path.write_text(text)
    return shlex.join([sys.executable, "-S", str(path)])


BRIGHT = """
import sys, zlib
data = open(sys.argv[1], "rb").read()
print(zlib.crc32(data) % 1000 / 1000)
"""
"""A score of the image's bytes: the same for the same image, and nothing else decides it."""

SMALL = ("--radii-mm", "8", "16", "24", "--hu", "30", "--places", "1", "--resamples", "100")


def challenge(images: Path, out: Path, *words: object) -> int:
    """The command on a folder of these."""
    return run_command(
        COMMAND,
        "nameplate challenge",
        [
            str(word)
            for word in ("--images", images, "--exams", images / "exams.csv", "--out", out, *SMALL, *words)
        ],
    )


def files(out: Path) -> dict[str, bytes]:
    """All that a challenge has written."""
    return {path.name: path.read_bytes() for path in sorted(out.iterdir())}
