"""Geometry of volumes as that of slices: axes, handedness and a gantry's tilt."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nameplate_ingest.refusal import Refused
from nameplate_ingest.volume.series import stack_slices
from nameplate_ingest.voxels.grids import Planes, planes_of
from nameplate_ingest.voxels.stored import StoredVolume, affine_of

SHAPE = (40, 36, 33)


def planes(columns: Any, origin: Any = (1, 2, 3), shape: tuple[int, int, int] = SHAPE) -> Planes:
    affine = affine_of(np.array(columns, float).T, np.array(origin, float))
    return planes_of(StoredVolume(Path("v"), 0, False, 0, shape, np.dtype("<i2"), affine))


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
@pytest.mark.parametrize("sides", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
def test_each_voxel_is_where_the_affine_has_it(order: tuple[int, int, int], sides: tuple[int, ...]) -> None:
    steps = np.diag([0.5, 0.7, 5.0]) * np.array(sides)[:, None]
    steps = steps[list(order)]
    found = planes(steps)
    along, down, across = found.order
    assert order[along] == 2
    numbers = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    for number, row, column in ((0, 0, 0), (3, 7, 11), (len(found.grids) - 1, 30, 2)):
        index = [0, 0, 0]
        index[along], index[down], index[across] = number, row, column
        assert found.plane(numbers, number)[row, column] == numbers[tuple(index)]
        grid = found.grids[number]
        x, y = np.array(grid.orientation[:3]), np.array(grid.orientation[3:])
        place = np.array(grid.position) + column * grid.spacing[1] * x + row * grid.spacing[0] * y
        assert np.allclose(place, np.array((1, 2, 3)) + np.array(index) @ steps)


@pytest.mark.parametrize("degrees", [-20.0, 18.5])
def test_a_sheared_volume_is_a_tilted_stack(degrees: float) -> None:
    # As dcm2niix writes the series of a tilted gantry: slices lean, and are stacked along the table.
    lean = np.radians(degrees)
    rows = np.array([0, np.cos(lean), np.sin(lean)])
    found = planes([(0.5, 0, 0), 0.5 * rows, (0, 0, 5.0 / np.cos(lean))])
    stack = stack_slices(found.grids)
    assert abs(abs(stack.tilt_degrees) - abs(degrees)) < 0.01
    assert np.allclose(stack.gaps, 5.0)


def test_steps_that_are_whole_come_without_dust() -> None:
    grids = planes([(0.1, 0, 0), (0, 0.1, 0), (0, 0, 0.1)], (0.3, 0, 0)).grids
    assert [grid.position[2] for grid in grids[:4]] == [0.0, 0.1, 0.2, 0.3]


@pytest.mark.parametrize(
    ("columns", "origin", "told"),
    [
        ([(1, 0, 0), (0, 1, 0), (0, 0, 1)], (0, 0, 0), "made up by a program"),
        ([(-1, 0, 0), (0, -1, 0), (0, 0, 1)], (0, 0, 0), "made up by a program"),
        ([(1, 0, 0), (0, 1, 0), (0, 0, float("nan"))], (1, 0, 0), "not valid"),
        ([(1, 0, 0), (0, 1, 0), (0, 0, 0)], (1, 0, 0), "voxels of 1 x 1 x 0 mm"),
        ([(1, 0, 0), (1, 0, 0.1), (0, 0, 1)], (1, 0, 0), "directions are not apart"),
        ([(0.01, 0, 0), (0, 0.01, 0), (0, 0, 5)], (1, 0, 0), "pixels of 0.01 x 0.01 mm"),
    ],
)
def test_what_is_no_scanners_geometry(columns: Any, origin: Any, told: str) -> None:
    with pytest.raises(Refused) as refusal:
        planes(columns, origin)
    assert refusal.value.rule == "geometry"
    assert told in refusal.value.seen


def test_real_voxels_of_a_millimetre_are_no_sign_of_anything() -> None:
    assert len(planes([(1, 0, 0), (0, 1, 0), (0, 0, 1)], (-100.5, -80, 3)).grids) == SHAPE[2]
