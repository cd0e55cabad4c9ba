"""Slices: tilt, uneven gaps, and sampling a known volume where it lies."""

import numpy as np
import pytest

from nameplate_phantom.stack import Stack, sample, stack_slices
from nameplate_phantom.voxel_grid import VoxelGrid


def lay(tilt: float, gaps: tuple[float, float] = (5.0, 5.0), matrix: int = 64) -> Stack:
    return stack_slices(
        centre=(3.0, -4.0),
        low=np.array([0.0, 30.0, -60.0]),
        high=np.array([0.0, 0.0, 80.0]),
        base=np.array([0.0, 20.0, -10.0]),
        gaps_mm=gaps,
        tilt_degrees=tilt,
        matrix=matrix,
        field_mm=160.0,
    )


@pytest.mark.parametrize("tilt", [0.0, 9.5, 22.0])
def test_positions_step_evenly_along_the_normal_and_move_in_z_only(tilt: float) -> None:
    stack = lay(tilt)
    row, column = np.reshape(stack.orientation, (2, 3))
    normal = np.cross(row, column)
    positions = stack.positions()
    assert np.allclose(np.diff(positions @ normal), 5.0)
    assert np.allclose(np.diff(positions, axis=0)[:, :2], 0.0)
    assert np.degrees(np.arccos(normal[2])) == pytest.approx(tilt, abs=1e-6)


def test_uneven_gaps_are_the_small_one_below_and_the_large_one_above() -> None:
    stack = lay(12.0, (4.0, 7.0))
    normal = np.cross(*np.reshape(stack.orientation, (2, 3)))
    gaps = np.diff(stack.positions() @ normal)
    change = int(np.argmax(gaps > 5))
    assert np.allclose(gaps[:change], 4.0)
    assert np.allclose(gaps[change:], 7.0)
    assert set(stack.thickness) == {4.0, 7.0}


@pytest.mark.parametrize("tilt", [0.0, 15.0, 22.0])
@pytest.mark.parametrize("matrix", [40, 160])
def test_sampling_reads_a_linear_volume_at_the_place_that_the_header_says(tilt: float, matrix: int) -> None:
    grid = VoxelGrid(origin=(-120.0, -120.0, -180.0), step_mm=2.0, shape=(190, 121, 121))
    x, y, z = grid.axes()
    volume = (2.0 * x[None, None, :] - 3.0 * y[None, :, None] + 1.5 * z[:, None, None]).astype(np.float32)
    stack = lay(tilt, matrix=matrix)
    slices = sample(volume, grid, stack)
    assert slices.dtype == np.float32
    row, column = np.reshape(stack.orientation, (2, 3))
    index = np.arange(matrix) * stack.pixel_mm
    places = (
        stack.positions()[:, None, None, :]
        + index[None, :, None, None] * column
        + index[None, None, :, None] * row
    )
    expected = places @ np.array([2.0, -3.0, 1.5])
    assert np.abs(slices - expected).max() < 0.01


def test_a_thick_slice_averages_what_it_covers() -> None:
    grid = VoxelGrid(origin=(-100.0, -100.0, -100.0), step_mm=1.0, shape=(220, 201, 201))
    z = grid.axes()[2]
    volume = np.broadcast_to(np.where(z > 0, 100.0, 0.0)[:, None, None], grid.shape).astype(np.float32)
    stack = Stack((0.0, 0.0), np.array([-2.5, 0.5, 3.5]), np.array([4.0, 4.0, 4.0]), 0.0, 32, 4.0)
    means = sample(np.ascontiguousarray(volume), grid, stack).mean(axis=(1, 2))
    assert means[0] < 2
    assert 40 < means[1] < 70
    assert means[2] > 98
