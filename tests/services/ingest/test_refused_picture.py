"""The picture of a refused series: the right way up, and none where a face might be seen."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from nameplate_ingest.dicom.header import read_elements
from nameplate_ingest.dicom.slice import slice_of
from nameplate_ingest.dicom.tags import WANTED
from nameplate_ingest.refused_picture import refused_picture
from nameplate_ingest.volume.group import Group, group_slices

Series = Callable[..., list[Dataset]]
Read = Callable[[list[Dataset]], Group]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def write_and_read(datasets: list[Dataset]) -> Group:
        slices = []
        for number, dataset in enumerate(datasets):
            path = tmp_path / str(number)
            dataset.save_as(path, enforce_file_format=True)
            elements = read_elements(path, WANTED)
            assert elements is not None
            slices.append(slice_of(path, elements))
        (group,), _ = group_slices(slices)
        return group

    return write_and_read


def shown(data: bytes | None) -> Any:
    assert data is not None
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("L")).astype(int)


def with_corner(datasets: list[Dataset], row: int, column: int) -> list[Dataset]:
    """Metal in one corner of every slice, as the file stores it."""
    for dataset in datasets:
        pixels = np.frombuffer(dataset.PixelData, "<i2").reshape(dataset.Rows, dataset.Columns).copy()
        pixels[row : row + 6, column : column + 6] = 4000
        dataset.PixelData = pixels.tobytes()
    return datasets


def test_a_slice_from_the_middle(read: Read, make_series: Series) -> None:
    picture = shown(refused_picture(read(make_series())))
    assert picture.shape == (112, 112)
    assert picture[56, 56] == pytest.approx(255 * (0.25 + 0.55 * 35 / 80), abs=5)
    assert picture[0].max() == 0
    assert picture.max() == 255


@pytest.mark.parametrize(
    ("orientation", "position", "corner"),
    [
        ((1, 0, 0, 0, 1, 0), (-100.0, -100.0), (0, 0)),
        ((-1, 0, 0, 0, 1, 0), (100.0, -100.0), (0, 58)),
        ((1, 0, 0, 0, -1, 0), (-100.0, 100.0), (58, 0)),
        ((0, 1, 0, 1, 0, 0), (-100.0, -100.0), (0, 0)),
        ((0, -1, 0, 1, 0, 0), (-100.0, 100.0), (0, 58)),
    ],
)
def test_the_patients_right_front_is_shown_up_on_the_left(
    read: Read,
    make_slice: Callable[..., Dataset],
    orientation: tuple[int, ...],
    position: tuple[float, float],
    corner: tuple[int, int],
) -> None:
    series = [
        make_slice(number=n, position=(*position, 5.0 * n), orientation=orientation, RescaleType="HU")
        for n in range(12)
    ]
    picture = shown(refused_picture(read(with_corner(series, *corner))))
    bright = np.argwhere(picture[:30] == 255)
    assert np.abs(bright[bright[:, 1] < 15].mean(axis=0) - 5).max() < 2


def test_a_profile_is_not_drawn(read: Read, make_slice: Callable[..., Dataset]) -> None:
    sagittal = [
        make_slice(number=n, position=(-50.0 + 5 * n, -100.0, 100.0), orientation=(0, 1, 0, 0, 0, -1))
        for n in range(12)
    ]
    assert refused_picture(read(sagittal)) is None
    localizer = make_slice(
        position=(0.0, -100.0, 100.0),
        orientation=(0, 1, 0, 0, 0, -1),
        ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"],
    )
    assert refused_picture(read([localizer])) is None


def test_a_tilted_gantry_is_drawn(read: Read, make_slice: Callable[..., Dataset]) -> None:
    lean = np.radians(20)
    series = [
        make_slice(
            number=n,
            position=(-100.0, -100.0, 5.0 * n),
            orientation=(1, 0, 0, 0, np.cos(lean), -np.sin(lean)),
        )
        for n in range(12)
    ]
    assert refused_picture(read(series)) is not None


def test_what_cannot_be_read_is_not_drawn(read: Read, make_series: Series) -> None:
    group = read(make_series())
    for slice_ in group.slices:
        data = slice_.path.read_bytes()
        slice_.path.write_bytes(data[: len(data) // 2])
    assert refused_picture(group) is None
    for slice_ in group.slices:
        slice_.path.unlink()
    assert refused_picture(group) is None
    assert refused_picture(replace(group, stack=None)) is None
    assert refused_picture(replace(group, slices=(), refusal=("modality", "MR"), stack=None)) is None
