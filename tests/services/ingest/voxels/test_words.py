"""A volume's numbers as words: nothing is lost but what is below a sixteenth HU."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.dicom.pixels import hounsfield
from nameplate_ingest.refusal import Refused
from nameplate_ingest.sources.volume_exam import slices_of
from nameplate_ingest.voxels.grids import planes_of
from nameplate_ingest.voxels.stored import StoredVolume, affine_of
from nameplate_ingest.voxels.words import write_words

SIZE = (40, 36, 3)


def through(folder: Path, numbers: Any, slope: float = 1.0, intercept: float = 0.0) -> tuple[Any, float]:
    """HU of all slices as the ingest then decodes them, axes (k, row, column), and the step of the words."""
    data = np.asfortranarray(numbers)
    (folder / "data").write_bytes(data.tobytes("F"))
    affine = affine_of(np.diag([1.0, 1.0, 5.0]), np.array([1.0, 2.0, 3.0]))
    stored = StoredVolume(folder / "data", 0, False, 0, SIZE, data.dtype, affine, slope, intercept)
    planes = planes_of(stored)
    storage, _ = write_words(stored, planes, folder / "words")
    slices = slices_of("a", {}, folder / "words", planes.grids, storage)
    return np.stack([hounsfield(slice_) for slice_ in slices]), storage.slope


def expected(numbers: Any) -> Any:
    return np.asarray(numbers, dtype=np.float64).transpose(2, 1, 0)


@given(low=st.integers(-32768, 32767), high=st.integers(300, 65535), seed=st.integers(0, 99))
def test_whole_numbers_stay_as_they_are(
    tmp_path_factory: pytest.TempPathFactory, low: int, high: int, seed: int
) -> None:
    numbers = np.random.default_rng(seed).integers(low, low + high, SIZE)
    numbers[0, 0, 0], numbers[1, 0, 0] = low, low + high
    found, _ = through(tmp_path_factory.mktemp("words"), numbers)
    assert np.array_equal(found, expected(numbers))


@pytest.mark.parametrize("span", [(-1024.0, 3071.0), (-1000.0, 1500.0), (-3024.0, 12000.0), (0.0, 4095.0)])
def test_others_are_rounded_to_a_small_step(tmp_path: Path, span: tuple[float, float]) -> None:
    numbers = np.random.default_rng(1).uniform(*span, SIZE).astype(np.float32)
    found, step = through(tmp_path, numbers)
    assert step <= max(1 / 16, (span[1] - span[0]) / 30000)
    assert np.abs(found - expected(numbers)).max() <= step / 2 + 1e-3


def test_the_files_own_scale_comes_first(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).integers(0, 2000, SIZE).astype(np.uint16)
    found, step = through(tmp_path, numbers, 2.0, -1024.0)
    assert step == 1.0
    assert np.array_equal(found, 2 * expected(numbers) - 1024)


def test_what_no_words_hold_is_refused(tmp_path: Path) -> None:
    numbers = np.zeros(SIZE, np.int32)
    for low, high in ((-100_000, 0), (0, 70_000), (-40_000, 40_000)):
        numbers[0, 0, 0], numbers[1, 0, 0] = low, high
        with pytest.raises(Refused, match="more than 16 bits hold"):
            through(tmp_path, numbers)
