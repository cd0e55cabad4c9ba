"""Patches of brain: which places count, and what their transform takes from white noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import fft

from nameplate.image.fingerprint.patches import Transform, patches_of
from nameplate.image.fingerprint.slices import Slices
from nameplate.streams import stream

PIXEL = 2.5
SIDE = 10
"""Pixels of a patch of this size of pixel."""


def slices_of(hu: NDArray[np.float32], brain: NDArray[np.bool_] | None = None) -> Slices:
    return Slices(hu, np.ones(hu.shape, dtype=bool) if brain is None else brain, (PIXEL, PIXEL), 5.0)


def quiet(shape: tuple[int, int, int] = (3, 40, 50)) -> NDArray[np.float32]:
    return (35 + 3 * stream(1, "patches").standard_normal(shape)).astype(np.float32)


@given(st.integers(0, 2), st.integers(0, 39), st.integers(0, 49), st.sampled_from([np.nan, -200.0, 700.0]))
@settings(max_examples=30, deadline=None)
def test_no_patch_touches_or_borders_what_is_no_brain(k: int, j: int, i: int, value: float) -> None:
    hu = quiet()
    whole = {tuple(place) for place in patches_of(slices_of(hu)).places.tolist()}
    hu[k, j, i] = value
    left = {tuple(place) for place in patches_of(slices_of(hu)).places.tolist()}
    near = {(a, b, c) for a, b, c in whole if a == k and b - 1 <= j <= b + SIDE and c - 1 <= i <= c + SIDE}
    assert left == whole - near


def test_patches_hold_the_values_of_their_places() -> None:
    hu = quiet()
    brain = np.zeros(hu.shape, dtype=bool)
    brain[1, 5:30, 8:40] = True
    patches = patches_of(slices_of(hu, brain))
    # Places are counted from the corner of the box around the brain.
    for (k, j, i), values in zip(patches.places, patches.values, strict=True):
        assert k == 1
        assert values.shape == (SIDE, SIDE)
        np.testing.assert_array_equal(values, hu[k, 5 + j : 5 + j + SIDE, 8 + i : 8 + i + SIDE])
    assert len(patches.places) == len(np.unique(patches.places, axis=0)) > 10


def test_a_few_odd_pixels_are_borne_and_many_are_not() -> None:
    hu = quiet((1, 12, 14))
    brain = np.ones(hu.shape, dtype=bool)
    brain[:, :, 12:] = False
    hu[:, :, 12], hu[:, :, 13] = -1000.0, 1000.0
    assert len(patches_of(slices_of(hu, brain)).places) == 1
    hu[0, 5, 5] = 95.0
    assert len(patches_of(slices_of(hu, brain)).places) == 1
    hu[0, 5, 5:9] = 95.0
    assert len(patches_of(slices_of(hu, brain)).places) == 0


def test_clipped_patches_are_left_out() -> None:
    assert len(patches_of(slices_of(np.clip(quiet(), 33, 100))).places) == 0


@pytest.mark.parametrize(
    ("shape", "pixel_mm"), [((12, 12), (1.0, 1.0)), ((9, 14), (2.0, 1.3)), ((6, 6), (3.9, 3.9))]
)
def test_gain_is_what_white_noise_keeps(shape: tuple[int, int], pixel_mm: tuple[float, float]) -> None:
    transform = Transform(shape, pixel_mm, 10.0, 40.0)
    white = stream(2, "white").standard_normal((20000, *shape)).astype(np.float32)
    tapered = transform.tapered(white)
    power = (np.abs(transform.of(tapered)) ** 2).mean(axis=0)
    np.testing.assert_allclose(power, transform.gain, rtol=0.06, atol=0.02 * transform.gain_of_all)
    # All frequencies together: Parseval's theorem.
    total = float(power @ transform.weight)
    assert total == pytest.approx(transform.frequencies * transform.gain_of_all, rel=0.02)
    assert total == pytest.approx(transform.frequencies * float((tapered**2).sum() / len(white)), rel=1e-4)


def test_transform_is_fouriers() -> None:
    transform = Transform((8, 7), (1.0, 1.5), 10.0)
    values = stream(3, "any").standard_normal((2, 8, 7)).astype(np.float32)
    np.testing.assert_allclose(transform.of(values), fft.rfft2(values).reshape(2, -1), atol=1e-4)


def test_a_quadratic_surface_leaves_nothing() -> None:
    transform = Transform((9, 11), (1.0, 1.0), 10.0)
    y, x = np.mgrid[:9, :11].astype(np.float32)
    surface = 30 + 0.5 * x - 0.2 * y + 0.03 * x * y - 0.01 * x**2 + 0.02 * y**2
    assert np.abs(transform.tapered(surface[None])).max() < 1e-4
