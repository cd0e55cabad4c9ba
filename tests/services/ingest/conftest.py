"""A maker of DICOM studies: small heads with everything a header can say, written by pydicom."""

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def head_hu(x: Any, y: Any, z: Any) -> Any:
    """HU of an ellipsoid head with a bright rod in it, at LPS mm around the origin; air outside."""
    inside = (x / 70) ** 2 + (y / 90) ** 2 + (z / 80) ** 2
    hu = np.where(inside < 0.85, 35.0, np.where(inside < 1.0, 1000.0, -1000.0))
    return np.where(((x - 20) ** 2 + (y + 30) ** 2 < 64) & (inside < 0.85), 80.0, hu)


def slice_dataset(
    *,
    study: str = "1.2.3.1",
    series: str = "1.2.3.1.1",
    number: int = 0,
    position: tuple[float, float, float] = (-100.0, -100.0, 0.0),
    orientation: tuple[float, ...] = (1, 0, 0, 0, 1, 0),
    size: tuple[int, int] = (64, 64),
    spacing: tuple[float, float] = (3.125, 3.125),
    **tags: Any,
) -> Dataset:
    """One CT slice of the head as it lies in the patient; ``tags`` are set last, None deletes."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CT_IMAGE
    dataset.SOPClassUID = CT_IMAGE
    dataset.SOPInstanceUID = f"{series}.{number + 1}"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study, series
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.Modality, dataset.Manufacturer = "CT", "SIEMENS"
    dataset.ManufacturerModelName, dataset.SoftwareVersions = "Emotion 16", "syngo 1.0"
    dataset.InstitutionName = "Hospital Nowhere"
    dataset.StudyDate, dataset.SeriesDescription = "20190304", "Head 5.0 H31s"
    dataset.PatientName, dataset.PatientID = "Zebulonius^Quax", "PATIENTKEY77"
    dataset.PatientSex, dataset.PatientAge = "F", "061Y"
    dataset.SliceThickness, dataset.KVP, dataset.Exposure = 5.0, 120, 250
    dataset.ConvolutionKernel = "H31s"
    dataset.ImagePositionPatient = [round(value, 6) for value in position]
    dataset.ImageOrientationPatient = [round(float(value), 8) for value in orientation]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = size
    dataset.PixelSpacing = list(spacing)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15
    dataset.PixelRepresentation = 1
    dataset.RescaleSlope, dataset.RescaleIntercept = 1, -1024
    across, down = np.array(orientation[:3], float), np.array(orientation[3:], float)
    row, column = np.mgrid[: size[0], : size[1]]
    place = np.array(position)[:, None, None] + (
        across[:, None, None] * column * spacing[1] + down[:, None, None] * row * spacing[0]
    )
    dataset.PixelData = np.rint(head_hu(*place) + 1024).astype("<i2").tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # wrong values are what some tests are about
        for name, value in tags.items():
            if value is None:
                delattr(dataset, name)
            else:
                setattr(dataset, name, value)
    return dataset


def head_series(count: int = 30, gap: float = 5.0, low: float = -75.0, **options: Any) -> list[Dataset]:
    """An axial series from ``low`` upwards, with slices ``gap`` mm apart."""
    return [
        slice_dataset(number=n, position=(-100.0, -100.0, low + n * gap), **copy.deepcopy(options))
        for n in range(count)
    ]


class Folder:
    """A folder of DICOM files under test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0

    def add(self, *datasets: Dataset, name: str | None = None) -> "Folder":
        """Write datasets as files, by default under plain running numbers."""
        for dataset in datasets:
            self.count += 1
            dataset.save_as(self.path / (name or f"{self.count:05d}"), enforce_file_format=True)
        return self

    def add_bytes(self, data: bytes, name: str | None = None) -> "Folder":
        """Write a file that need not be DICOM."""
        self.count += 1
        (self.path / (name or f"{self.count:05d}")).write_bytes(data)
        return self


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """An empty folder to fill with DICOM files."""
    path = tmp_path / "dicom"
    path.mkdir()
    return Folder(path)


@pytest.fixture
def make_slice() -> Callable[..., Dataset]:
    return slice_dataset


@pytest.fixture
def make_series() -> Callable[..., list[Dataset]]:
    return head_series


@pytest.fixture
def head() -> Callable[..., Any]:
    return head_hu


@pytest.fixture
def real() -> Path:
    """The real studies beside the checkout; skips where there are none."""
    data = Path(__file__).resolve().parents[4] / "shared" / "data"
    if not (data / "ge-hispeed-head").is_dir():
        pytest.skip("the real DICOM studies are not here")
    return data


@pytest.fixture
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key in the environment, and a home of its own for one that is made."""
    monkeypatch.delenv("NAMEPLATE_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
