"""The edge-spread function of discs that are blurred in a known way."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtr

from nameplate.image.fingerprint.edge_spread import EdgeSpread, edge_spread, halfway
from nameplate.image.fingerprint.slices import Slices

WIDTH_MM = 0.9


def disc(*, radius_mm: float = 50.0, hu: float = 40.0, air_hu: float = -1000.0) -> Slices:
    """A disc in air, four slices of 0.8 mm pixels."""
    axis = (np.arange(176) - 87.3) * 0.8
    distance = np.hypot(axis[:, None], axis[None, :])
    picture = (air_hu + (hu - air_hu) * ndtr((radius_mm - distance) / WIDTH_MM)).astype(np.float32)
    brain = np.repeat((distance < radius_mm - 8)[None], 4, axis=0)
    return Slices(np.repeat(picture[None], 4, axis=0), brain, (0.8, 0.8), 5.0)


def spread_of(slices: Slices) -> EdgeSpread:
    edge = edge_spread(slices)
    assert isinstance(edge, EdgeSpread), edge.reason
    return edge


def test_the_edge_spread_function_is_the_blurred_step() -> None:
    edge = spread_of(disc())
    exact: NDArray[np.float64] = 1040 * ndtr(edge.depth_mm / WIDTH_MM) - 1000
    # Within what 0.03 mm of error in the place of the edge makes of it.
    assert np.abs(edge.hu - exact).max() < 15
    assert edge.air_hu == pytest.approx(-1000, abs=0.5)
    assert edge.step_hu == pytest.approx(1040, rel=0.02)
    assert edge.width_mm == pytest.approx(WIDTH_MM, rel=0.03)
    assert edge.places > 800
    assert (np.diff(edge.depth_mm) > 0).all()
    assert np.abs(edge.slant_mm).max() < 0.01


def test_air_is_measured_and_not_presumed() -> None:
    edge = spread_of(disc(air_hu=-975.0))
    assert edge.air_hu == pytest.approx(-975, abs=0.5)
    assert edge.width_mm == pytest.approx(WIDTH_MM, rel=0.03)


def test_hair_a_few_mm_away_takes_only_its_own_places_out() -> None:
    slices = disc()
    hu = slices.hu.copy()
    middle = hu.shape[1] // 2
    hu[:, :middle, middle - int(56 / 0.8)] = -850.0
    clean, haired = spread_of(slices), spread_of(replace(slices, hu=hu))
    assert 0.5 * clean.places < haired.places < 0.98 * clean.places
    assert haired.width_mm == pytest.approx(clean.width_mm, rel=0.01)


def test_slices_that_are_not_neighbours_have_no_known_slant() -> None:
    edge = spread_of(replace(disc(), adjacent=False))
    assert (edge.slant_mm == 0).all()


def test_halfway_is_where_the_level_is_first_reached() -> None:
    depth = np.linspace(-5, 3, 81)
    hu = -1000 + 1000 * ndtr((depth + 0.25) / 0.7)
    # Bone behind the skin is no second edge.
    hu = np.where(depth > 2, hu + 800, hu)
    assert halfway(depth, hu, -500.0, 0.7) == pytest.approx(-0.25, abs=0.01)
