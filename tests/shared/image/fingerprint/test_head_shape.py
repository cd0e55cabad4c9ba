"""Size of a mask."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.image.fingerprint.head_shape import MEASURES, head_shape
from nameplate.image.fingerprint.slices import Missing, Slices


def block(rows: int, columns: int, count: int, pixel_mm: tuple[float, float] = (2.0, 1.0)) -> Slices:
    brain = np.zeros((20, 64, 96), bool)
    brain[2 : 2 + count, 5 : 5 + rows, 7 : 7 + columns] = True
    return Slices(np.zeros(brain.shape, np.float32), brain, pixel_mm, 5.0)


@given(st.integers(5, 50), st.integers(20, 80), st.integers(1, 15))
def test_a_block_has_its_own_size(rows: int, columns: int, count: int) -> None:
    numbers = head_shape(block(rows, columns, count))
    assert set(numbers) == {measure.name for measure in MEASURES}
    assert numbers["brain_length_mm"] == pytest.approx(2.0 * rows)
    assert numbers["brain_width_mm"] == pytest.approx(1.0 * columns)
    assert numbers["brain_height_mm"] == pytest.approx(5.0 * count)
    assert numbers["brain_ml"] == pytest.approx(2.0 * rows * columns * 5.0 * count / 1000)


def test_a_stray_pixel_does_not_make_the_brain_longer() -> None:
    slices = block(30, 40, 6)
    slices.brain[4, 60, 10] = slices.brain[4, 10, 90] = slices.brain[18, 3, 3] = True
    numbers = head_shape(slices)
    assert numbers["brain_length_mm"] == 60
    assert numbers["brain_width_mm"] == 40
    assert numbers["brain_height_mm"] == 30


def test_picked_slices_have_no_height_and_no_volume() -> None:
    numbers = head_shape(replace(block(30, 40, 6), adjacent=False))
    assert isinstance(numbers["brain_ml"], Missing)
    assert isinstance(numbers["brain_height_mm"], Missing)
    assert numbers["brain_length_mm"] == 60


def test_without_a_mask_all_is_missing() -> None:
    empty = block(0, 0, 0)
    assert all(isinstance(number, Missing) for number in head_shape(empty).values())
    speck = block(1, 1, 1)
    numbers = head_shape(speck)
    assert numbers["brain_ml"] == pytest.approx(0.01)
    assert all(isinstance(numbers[name], Missing) for name in numbers if name != "brain_ml")
