"""Table and head holder."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from nameplate.image.fingerprint.slices import Missing
from nameplate.image.fingerprint.surroundings import MEASURES, surroundings

from .drawn_head import drawn_head


@given(st.floats(6, 10), st.floats(-200, 300), st.floats(0, 6))
@settings(max_examples=12, deadline=None)
def test_a_table_is_found_at_its_distance(gap_mm: float, hu: float, noise: float) -> None:
    numbers = surroundings(
        drawn_head(field_mm=250, table_hu=hu, table_gap_mm=gap_mm, noise=noise + 1, count=2)
    )
    assert set(numbers) == {measure.name for measure in MEASURES}
    # The board is 6 mm thick, and 60 mm to either side.
    assert numbers["table_gap_mm"] == pytest.approx(gap_mm + 3, abs=2)
    assert 0.1 < numbers["table_share"] < 0.6
    assert numbers["table_water_mm"] == pytest.approx(6 * (1000 + hu) / 1000, rel=0.25)


@pytest.mark.parametrize("matrix", [128, 200, 256])
@pytest.mark.parametrize("blur_mm", [0.0, 0.6, 1.2])
def test_neither_blur_nor_pixels_nor_the_hu_of_air_change_the_table(matrix: int, blur_mm: float) -> None:
    drawn = {"field_mm": 250.0, "table_hu": 100.0, "table_gap_mm": 7.0, "noise": 2.0}
    plain = surroundings(drawn_head(**drawn, matrix=160, count=2))
    slices = drawn_head(**drawn, matrix=matrix, count=2)
    sigma = (0.0, blur_mm / slices.pixel_mm[0], blur_mm / slices.pixel_mm[1])
    shown = np.asarray(gaussian_filter(slices.hu, sigma) + 60, dtype=np.float32)
    numbers = surroundings(replace(slices, hu=shown))
    assert numbers["table_water_mm"] == pytest.approx(plain["table_water_mm"], rel=0.1)
    assert numbers["table_gap_mm"] == pytest.approx(plain["table_gap_mm"], abs=0.5)
    assert numbers["table_share"] == pytest.approx(plain["table_share"], abs=0.06)


def test_without_a_table_there_is_no_distance() -> None:
    numbers = surroundings(drawn_head(noise=4.0))
    assert numbers["table_share"] == pytest.approx(0, abs=0.02)
    assert isinstance(numbers["table_gap_mm"], Missing)
    assert isinstance(numbers["table_water_mm"], Missing)


def test_the_field_s_size_says_nothing_of_the_table() -> None:
    small, large = (
        surroundings(drawn_head(field_mm=mm, matrix=matrix, table_hu=100.0, noise=4.0, padding=-2000.0))
        for mm, matrix in ((240.0, 120), (260.0, 130))
    )
    assert small["table_share"] == pytest.approx(large["table_share"], abs=0.02)
    assert small["table_gap_mm"] == pytest.approx(large["table_gap_mm"], abs=1)


def test_where_air_is_not_seen_there_is_a_reason() -> None:
    slices = drawn_head(table_hu=100.0, noise=4.0, count=2)
    for changed in (
        replace(slices, hu=np.clip(slices.hu, 0, 80)),
        replace(slices, hu=np.where(slices.brain, slices.hu, np.float32(30))),
        replace(slices, brain=np.zeros_like(slices.brain)),
        replace(slices, hu=np.full_like(slices.hu, np.nan)),
    ):
        assert all(isinstance(number, Missing) for number in surroundings(changed).values())
