"""Size, shape and padding of the reconstructed field."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.image.fingerprint.field import MEASURES, field
from nameplate.image.fingerprint.slices import Missing, Slices

from .drawn_head import drawn_head


@given(st.floats(200, 300), st.sampled_from([64, 96, 128]), st.sampled_from([-3024.0, -2000.0, -1024.0]))
@settings(max_examples=15, deadline=None)
def test_a_circle_has_its_size_and_padding(field_mm: float, matrix: int, padding: float) -> None:
    numbers = field(drawn_head(field_mm=field_mm, matrix=matrix, padding=padding, noise=4.0))
    assert set(numbers) == {measure.name for measure in MEASURES}
    assert numbers["field_mm"] == pytest.approx(field_mm, abs=2.5 * field_mm / matrix + 0.02 * field_mm)
    assert numbers["circle_share"] == pytest.approx(1 - np.pi / 4, abs=0.03)
    assert numbers["padding_hu"] == padding
    assert numbers["air_share"] == pytest.approx(1 - 95 * 80 / (field_mm / 2) ** 2, abs=0.04)


def test_a_square_field_has_neither() -> None:
    numbers = field(drawn_head(noise=4.0))
    assert numbers["field_mm"] == pytest.approx(230)
    assert numbers["circle_share"] == 0
    assert isinstance(numbers["padding_hu"], Missing)


def test_air_without_noise_is_not_taken_for_a_circle() -> None:
    numbers = field(drawn_head(noise=0.0))
    assert isinstance(numbers["circle_share"], Missing)
    assert isinstance(numbers["padding_hu"], Missing)
    assert numbers["field_mm"] == pytest.approx(230)


def test_a_straightened_series_keeps_its_field() -> None:
    slices = drawn_head(noise=4.0, count=4)
    hu = np.full((4, 168, 168), -1024, np.float32)
    brain = np.zeros(hu.shape, bool)
    for k in range(4):
        hu[k, 10 * k : 10 * k + 128, 20:148] = slices.hu[k]
        brain[k, 10 * k : 10 * k + 128, 20:148] = slices.brain[k]
    numbers = field(Slices(hu, brain, slices.pixel_mm, 5.0))
    assert numbers["field_mm"] == pytest.approx(230)
    assert numbers["circle_share"] == 0
    assert numbers["head_off_mm"] == pytest.approx(0, abs=1)


def test_a_table_does_not_change_the_share_of_air() -> None:
    plain, table = (field(drawn_head(noise=4.0, table_hu=hu))["air_share"] for hu in (None, 150.0))
    assert table == pytest.approx(plain, abs=0.003)


@given(st.floats(-12, 12), st.floats(-12, 12))
@settings(max_examples=10, deadline=None)
def test_the_head_s_distance_from_the_middle(down: float, across: float) -> None:
    numbers = field(drawn_head(off_mm=(down, across), noise=3.0, count=3))
    assert numbers["head_off_mm"] == pytest.approx(np.hypot(down, across), abs=0.5)


def test_after_a_window_only_size_and_place_are_left() -> None:
    slices = drawn_head(padding=-2000.0, noise=4.0)
    cut = field(replace(slices, hu=np.clip(slices.hu, 0, 80)))
    alone = field(replace(slices, hu=np.where(slices.brain, slices.hu, np.float32(30))))
    for numbers in (cut, alone):
        assert {name for name, number in numbers.items() if not isinstance(number, Missing)} == {
            "field_mm",
            "head_off_mm",
        }


def test_bad_input_gets_reasons() -> None:
    slices = drawn_head(noise=4.0, count=1)
    no_brain = field(replace(slices, brain=np.zeros_like(slices.brain)))
    assert isinstance(no_brain["air_share"], Missing)
    assert isinstance(no_brain["head_off_mm"], Missing)
    unknown = field(replace(slices, hu=np.full_like(slices.hu, np.nan)))
    assert isinstance(unknown["padding_hu"], Missing)
    assert isinstance(unknown["air_share"], Missing)
    air = field(replace(slices, hu=np.full_like(slices.hu, -1000.0)))
    assert isinstance(air["circle_share"], Missing)
    some = slices.hu.copy()
    some[:, 60:64, 60:64] = np.nan
    assert field(replace(slices, hu=some))["circle_share"] == 0
