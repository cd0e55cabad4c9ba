import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nameplate.image import resample
from nameplate.image.resample import pixel_taps, resample_plane, slice_weights, uniform_places


def centred(size: int, target: int) -> tuple[int, float, float, int, float, float]:
    """Arguments of pixel_taps for an axis of unit pixels that is brought to ``target`` pixels."""
    pitch = size / target
    return size, 0.0, 1.0, target, pitch / 2 - 0.5, pitch


def test_examples() -> None:
    result = doctest.testmod(resample)
    assert result.attempted >= 4
    assert result.failed == 0


def test_half_size_is_the_mean_of_two_by_two() -> None:
    image = np.random.default_rng(1).normal(size=(16, 12)).astype(np.float32)
    small = resample_plane(image, pixel_taps(*centred(16, 8)), pixel_taps(*centred(12, 6)))
    assert np.allclose(small, image.reshape(8, 2, 6, 2).mean(axis=(1, 3)), atol=1e-6)


def test_same_size_is_untouched() -> None:
    image = np.random.default_rng(1).normal(size=(9, 9)).astype(np.float32)
    taps = pixel_taps(*centred(9, 9))
    assert taps.identity
    assert np.array_equal(resample_plane(image, taps, taps), image)


@given(st.integers(20, 90), st.integers(8, 90))
def test_a_ramp_stays_a_ramp_inside(size: int, target: int) -> None:
    ramp = np.arange(size, dtype=np.float32)[None].repeat(2, axis=0)
    taps = pixel_taps(*centred(size, target))
    mapped = resample_plane(ramp, pixel_taps(2, 0, 1, 2, 0, 1), taps)[0]
    pitch = size / target
    place = pitch / 2 - 0.5 + pitch * np.arange(target)
    inside = (place > pitch) & (place < size - 1 - pitch)
    # Area averages of a staircase differ from the ramp by under an eighth of a step over the pitch.
    assert np.abs(mapped - place)[inside].max(initial=0) < 0.13


@given(st.integers(20, 90), st.integers(8, 90))
def test_a_constant_keeps_its_value_inside(size: int, target: int) -> None:
    taps = pixel_taps(*centred(size, target))
    weights = taps.weight.sum(axis=0)
    pitch = size / target
    assert weights.max() < 1 + 1e-5
    place = pitch / 2 - 0.5 + pitch * np.arange(target)
    inside = (place > pitch) & (place < size - 1 - pitch)
    assert np.allclose(weights[inside], 1, atol=1e-5)


def test_a_pattern_too_fine_for_the_target_fades_instead_of_turning_into_another() -> None:
    stripes = np.tile(np.array([[100.0, -100.0]], np.float32), (1, 64)).repeat(2, axis=0)
    small = resample_plane(stripes, pixel_taps(2, 0, 1, 2, 0, 1), pixel_taps(*centred(128, 48)))
    assert np.abs(small).max() < 40


def test_outside_counts_as_zero() -> None:
    taps = pixel_taps(4, 0.0, 1.0, 8, -2.0, 1.0)
    image = np.ones((4, 4), np.float32)
    big = resample_plane(image, taps, taps)
    assert big[2:6, 2:6].min() == 1
    assert big.sum() == 16


def test_slices_already_in_place_stay_where_they_are() -> None:
    along = 5.0 * np.arange(30) + np.random.default_rng(0).uniform(-0.01, 0.01, 30)
    assert np.allclose(uniform_places(along - along[0], 5.0), along - along[0], atol=0.05)


def test_thin_slices_are_averaged_not_picked() -> None:
    along = 1.25 * np.arange(100)
    places = uniform_places(along, 5.0)
    weights = slice_weights(along, np.full(100, 1.25), places, 5.0)
    assert len(places) == 25
    assert np.allclose(np.diff(places), 5)
    assert weights.max() < 0.27
    noise = np.random.default_rng(3).normal(size=(100, 4000))
    assert (weights @ noise).std() == pytest.approx(0.5, abs=0.03)


@given(
    st.lists(st.floats(0.6, 8.0), min_size=5, max_size=40),
    st.floats(1.0, 8.0),
    st.floats(0.5, 8.0),
)
def test_uneven_gaps_keep_their_geometry(gaps: list[float], slice_mm: float, thickness: float) -> None:
    along: NDArray[np.float64] = np.concatenate([[0.0], np.cumsum(gaps)])
    places = uniform_places(along, slice_mm)
    weights = slice_weights(along, np.full(len(along), thickness), places, slice_mm)
    assert np.allclose(weights.sum(axis=1), 1)
    assert weights.min() >= 0
    inside = (places > along[0] + slice_mm) & (places < along[-1] - slice_mm)
    assert np.allclose((weights @ along)[inside], places[inside], atol=1e-3)


def test_places_fill_what_the_slices_cover() -> None:
    along = np.array([0.0, 4, 8, 12, 16, 23, 30, 37])
    places = uniform_places(along, 5.0)
    assert places[0] >= -2
    assert places[-1] <= 37 + 3.5
    assert len(places) == int((37 + 2 + 3.5) // 5)
