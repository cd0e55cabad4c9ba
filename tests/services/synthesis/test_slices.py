"""The slices that a dataset keeps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.image.volume import Volume
from nameplate_synthesis.slices import brain_slices

AFFINE = np.diag([1.0, 1.0, 5.0, 1.0])


def exam(depth: int, low: int, high: int) -> tuple[Volume, Volume]:
    """A volume whose slice k holds the value k, with a brain from slice ``low`` to ``high`` - 1."""
    image = np.broadcast_to(np.arange(depth, dtype=np.int16), (4, 4, depth)).copy()
    mask = np.zeros((4, 4, depth), dtype=np.uint8)
    mask[1:3, 1:3, low:high] = 1
    return Volume(image, AFFINE), Volume(mask, AFFINE)


@given(depth=st.integers(1, 60), data=st.data(), slices=st.integers(1, 40))
def test_every_slice_keeps_its_place_in_the_patient(depth: int, data: st.DataObject, slices: int) -> None:
    low = data.draw(st.integers(0, depth - 1))
    high = data.draw(st.integers(low + 1, depth))
    image, mask = exam(depth, low, high)
    cut = brain_slices(image, mask, slices, -1024)
    assert cut.image.array.shape == cut.mask.array.shape == (4, 4, slices)
    assert cut.padded == max(0, slices - depth)
    for k in range(slices):
        value = int(cut.image.array[0, 0, k])
        if value != -1024:
            np.testing.assert_allclose((cut.image.affine @ [0, 0, k, 1])[2], 5.0 * value)
    kept = int(cut.mask.array.any(axis=(0, 1)).sum())
    assert kept == min(high - low, slices)


def test_the_brain_is_in_the_middle_where_there_is_room() -> None:
    image, mask = exam(60, 20, 40)
    cut = brain_slices(image, mask, 30, -1024)
    assert cut.image.array[0, 0].tolist() == list(range(15, 45))


def test_a_tall_brain_keeps_its_largest_part() -> None:
    image, mask = exam(40, 0, 40)
    array = mask.array.copy()
    array[0, :, 25:40] = 1
    cut = brain_slices(image, Volume(array, AFFINE), 15, -1024)
    assert cut.image.array[0, 0].tolist() == list(range(25, 40))


@pytest.mark.parametrize("depth", [10, 50])
def test_without_a_brain_the_middle_is_kept(depth: int) -> None:
    image, mask = exam(depth, 0, 0)
    cut = brain_slices(image, mask, 20, -1000)
    assert cut.padded == max(0, 20 - depth)
    assert cut.image.array.shape[2] == 20


def test_a_mask_of_another_shape_is_refused() -> None:
    image, _ = exam(10, 2, 5)
    _, mask = exam(11, 2, 5)
    with pytest.raises(ValueError, match=r"\(4, 4, 10\) with a mask of \(4, 4, 11\)"):
        brain_slices(image, mask, 8, -1024)


def test_padding_is_air_half_below_and_half_above() -> None:
    image, mask = exam(7, 2, 5)
    cut = brain_slices(image, mask, 10, -1000)
    assert cut.padded == 3
    assert cut.image.array[0, 0].tolist() == [-1000, *range(7), -1000, -1000]
    assert cut.image.array.dtype == image.array.dtype
    assert cut.mask.array[:, :, [0, 8, 9]].max() == 0
    assert cut.image.affine[2, 3] == -5.0
