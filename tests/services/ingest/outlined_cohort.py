"""A folder of simulated studies with masks beside it, most of them good; and a campaign that learns them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydicom import Dataset, dcmread

from nameplate.campaign.sources.phantom import PhantomSettings
from nameplate.image.volume import Volume, write_nifti
from nameplate_phantom.simulation import write_cohort

EXAMS = 34
ABSENT, EMPTY, DOUBLE, FAR, LABELS = 0, 1, 2, 4, 7
"""Numbers of the studies whose masks are no balls: without one, with one that shows nothing, with two, with
one elsewhere, with one of two structures."""
REFUSED = {DOUBLE: "mask-twice", FAR: "mask-place", LABELS: "mask-values"}
STRANGERS = 2
"""Masks of studies that are not in the folder."""


@dataclass(frozen=True)
class Outlined:
    """What was written."""

    dicom: Path
    masks: Path
    uids: tuple[str, ...]
    """StudyInstanceUIDs, by number of the study."""
    volumes_ml: tuple[float, ...]
    """Of each study's ball, whether or not its mask is good."""


def write_outlined(folder: Path) -> Outlined:
    """Studies of both manufacturers in folder/ncct, and in folder/masks balls on grids of 3 mm."""
    dicom, masks = folder / "ncct", folder / "masks"
    dicom.mkdir()
    settings = PhantomSettings(exams=EXAMS, matrix=64, thin_mm=5.0)
    truths = write_cohort(settings, seed=7, cohort="study", out=dicom, numbers=range(EXAMS))
    volumes = []
    for truth in truths:
        number = truth.number
        ball = _ball(dicom / truth.folder, radius_mm=14.0 + number % 5)
        volumes.append(float(ball.array.sum() * ball.voxel_ml))
        # By the patient's folder, the study's place or its UID: all have a folder ST1.
        patient = truth.folder.partition("/")[0]
        name = (patient, f"{truth.folder}_mask", f"deep/{truth.study_uid}-SEG")[number % 3]
        if number == EMPTY:
            ball = ball.with_array(np.zeros_like(ball.array))
        elif number == FAR:
            ball = Volume(ball.array, ball.affine + np.outer([0, 0, 1, 0], [0, 0, 0, 400.0]))
        elif number == LABELS:
            ball.array[0, 0, 0] = 2
        names = {ABSENT: [], DOUBLE: [name, f"{patient}_seg"]}.get(number, [name])
        for name in names:
            (masks / name).parent.mkdir(parents=True, exist_ok=True)
            write_nifti(masks / f"{name}.nii.gz", ball)
    for number in range(STRANGERS):
        write_nifti(masks / f"1.2.840.99999.{number}.nii.gz", ball)
    return Outlined(dicom, masks, tuple(truth.study_uid for truth in truths), tuple(volumes))


def _ball(study: Path, *, radius_mm: float) -> Volume:
    """A ball in the middle of a study's field, 0 and 1, on a grid of 3 mm that holds the field."""
    headers = [dcmread(path, stop_before_pixels=True) for path in study.rglob("*") if path.is_file()]
    corners = np.concatenate([_corners(header) for header in headers if "ImagePositionPatient" in header])
    low, high = corners.min(axis=0) - 3, corners.max(axis=0) + 3
    # From LPS to RAS: the first two axes change their sign and so their ends.
    low, high = np.array([-high[0], -high[1], low[2]]), np.array([-low[0], -low[1], high[2]])
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = low
    shape = tuple(int(n) for n in np.ceil((high - low) / 3) + 1)
    return Volume(_within((low + high) / 2, radius_mm, shape, affine), affine)


def _corners(header: Dataset) -> NDArray[np.float64]:
    """Where a slice, tilted or not, begins and ends: (4, 3) in LPS mm."""
    first = np.array(header.ImagePositionPatient, dtype=float)
    row, column = np.array(header.ImageOrientationPatient, dtype=float).reshape(2, 3)
    across = row * header.Columns * header.PixelSpacing[1]
    down = column * header.Rows * header.PixelSpacing[0]
    return np.array([first, first + across, first + down, first + across + down])


def _within(
    centre: NDArray[np.float64], radius_mm: float, shape: tuple[int, ...], affine: NDArray[np.float64]
) -> NDArray[np.uint8]:
    places = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    return (((places - centre) ** 2).sum(axis=-1) <= radius_mm**2).astype(np.uint8)


def outlined_campaign(tiny_text: str, outlined: Outlined) -> dict[str, Any]:
    """The tests' small campaign with one experiment: lesions, outlined on each manufacturer alone."""
    raw: dict[str, Any] = yaml.safe_load(tiny_text)
    study = raw["cohorts"]["study"]
    del study["phantom"]
    study |= {"folder": str(outlined.dicom), "masks": str(outlined.masks)}
    study["split"] = {"train": 0.5, "val": 0.25, "test": 0.25}
    raw["datasets"] = {"slices": 32, "masks": {"name": "hemorrhage"}}
    own = raw["experiments"][2]
    own |= {"name": "outline", "title": "Outline the hemorrhage", "task": "masks"}
    own |= {"training_sets": ["mixed", "GE", "Siemens"], "rounds": {"first": 2, "target": 2, "limit": 2}}
    raw["experiments"] = [own]
    return raw
