import math
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.dicom.geometry import SliceGeometry
from nameplate_ingest.volume.series import axial_angle, distinct_gaps, duplicated, stack_slices, widest_hole

FLAT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)


def grid(position: tuple[float, float, float], orientation: tuple[float, ...] = FLAT) -> SliceGeometry:
    a, b, c, d, e, f = orientation
    return SliceGeometry(512, 512, position, (a, b, c, d, e, f), (0.5, 0.5))


def tilted(degrees: float, heights: list[float]) -> list[SliceGeometry]:
    """Slices whose front leans to the head by ``degrees``, stacked along the table."""
    angle = math.radians(degrees)
    orientation = (1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle))
    return [grid((-125.0, -123.5, height), orientation) for height in heights]


@given(st.floats(-28, 28), st.randoms(use_true_random=False))
def test_order_and_tilt_come_from_positions(degrees: float, dice: random.Random) -> None:
    heights = [4.0 * n for n in range(20)]
    dice.shuffle(heights)
    stack = stack_slices(tilted(degrees, heights))
    assert [heights[index] for index in stack.order] == sorted(heights)
    if abs(degrees) > 1:
        assert stack.tilt_degrees == pytest.approx(degrees, abs=0.01)
    assert stack.gaps == pytest.approx(4 * math.cos(math.radians(degrees)), abs=1e-6)


def test_an_oblique_series_that_moves_along_its_normal_has_no_tilt() -> None:
    angle = math.radians(20)
    orientation = (1.0, 0.0, 0.0, 0.0, math.cos(angle), -math.sin(angle))
    step = (0.0, 5 * math.sin(angle), 5 * math.cos(angle))
    stack = stack_slices([grid((0.0, step[1] * n, step[2] * n), orientation) for n in range(20)])
    assert stack.tilt_degrees == 0
    assert axial_angle(stack) == pytest.approx(20, abs=1e-6)


def test_a_field_of_view_that_was_moved_midway_is_no_tilt() -> None:
    straight = tilted(0, [5.0 * n for n in range(30)])
    moved = [
        replace(grid, position=(grid.position[0], grid.position[1] + 12.0 * (n >= 15), grid.position[2]))
        for n, grid in enumerate(straight)
    ]
    stack = stack_slices(moved)
    assert stack.tilt_degrees == 0
    assert np.ptp(stack.drift, axis=0).max() == pytest.approx(12)


def test_tilt_is_allowed_for_when_axial_is_judged() -> None:
    assert axial_angle(stack_slices(tilted(25, [5.0 * n for n in range(20)]))) == pytest.approx(0, abs=1e-6)
    coronal = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
    stack = stack_slices([grid((0.0, 5.0 * n, 0.0), coronal) for n in range(9)])
    assert axial_angle(stack) == pytest.approx(90)


def test_gaps_are_listed_once() -> None:
    stack = stack_slices([grid((0.0, 0.0, z)) for z in (0, 4, 8, 12, 13.1, 20.1, 27.1)])
    assert distinct_gaps(stack) == (1.1, 4.0, 7.0)


def test_two_slices_at_one_place_are_found() -> None:
    stack = stack_slices([grid((0.0, 0.0, z)) for z in (0, 5, 5.01, 10)])
    assert duplicated(stack) == ((1, 2),)


@pytest.mark.parametrize(
    ("heights", "thickness", "hole"),
    [
        ([0, 5, 10, 20, 25, 30], 5.0, 10.0),
        ([0, 5, 10, 20, 25, 30], None, 10.0),
        ([0, 5, 15, 25, 30, 35, 40], 5.0, 10.0),
        ([0, 10, 20, 30, 40], 5.0, None),
        ([0, 2.5, 5, 10, 12.5, 15], 5.0, None),
    ],
)
def test_a_missing_slice_is_seen(heights: list[float], thickness: float | None, hole: float | None) -> None:
    stack = stack_slices([grid((0.0, 0.0, z)) for z in heights])
    found = widest_hole(stack, [thickness] * len(heights))
    assert (found[0] if found else None) == hole


def test_thin_below_and_thick_above_is_no_hole() -> None:
    heights = [*(4.0 * n for n in range(10)), *(41.5 + 7.0 * n for n in range(10))]
    stack = stack_slices([grid((0.0, 0.0, z)) for z in heights])
    assert widest_hole(stack, [4.0] * 10 + [7.0] * 10) is None
    assert widest_hole(stack, [None] * 20) is None


def test_one_slice_is_a_stack_without_extent() -> None:
    stack = stack_slices([grid((1.0, 2.0, 3.0))])
    assert stack.extent_mm == 0
    assert widest_hole(stack, [5.0]) is None
    assert np.array_equal(stack.drift, [[0, 0]])
