"""Spheres: exactly inside, of the right size, intensity and place, and nothing else changed."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.image.volume import Volume
from nameplate.records import Sphere
from nameplate.streams import stream
from nameplate_synthesis.sphere import draw_centre, insert, occupancy, room_mm

SPACINGS = [(3.6, 3.6, 5.0), (0.9, 0.9, 5.0), (1.0, 1.0, 1.0)]


def volume(shape: tuple[int, int, int], spacing: tuple[float, float, float], value: int = 30) -> Volume:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-100.0, -120.0, 40.0)
    return Volume(np.full(shape, value, dtype=np.int16), affine)


def head(spacing: tuple[float, float, float]) -> Volume:
    """An ellipsoid brain of 60 x 75 x 60 mm half axes with a hole, as a mask."""
    shape = tuple(int(170 / s) + 3 for s in spacing)
    grid = np.indices(shape).astype(float)
    middle = [(n - 1) / 2 for n in shape]
    parts = [((g - m) * s / r) ** 2 for g, m, s, r in zip(grid, middle, spacing, (60, 75, 60), strict=True)]
    hole = [((g - m - 4) * s / 12) ** 2 for g, m, s in zip(grid, middle, spacing, strict=True)]
    mask = (sum(parts) <= 1) & (sum(hole) > 1)
    return volume((1, 1, 1), spacing).__class__(mask.astype(np.uint8), np.diag([*spacing, 1.0]))


def brute_room(mask: Volume) -> np.ndarray:
    """The definition of room_mm, voxel against voxel."""
    inside = np.pad(mask.array != 0, 1)
    spacing = np.array(mask.spacing_mm)
    outside = np.argwhere(~inside)
    room = np.zeros(inside.shape)
    for place in np.argwhere(inside):
        gaps = np.maximum(np.abs(outside - place) - 0.5, 0.0) * spacing
        room[tuple(place)] = np.sqrt((gaps**2).sum(axis=1)).min()
    return room[1:-1, 1:-1, 1:-1]


@settings(max_examples=30, deadline=None)
@given(
    bits=st.lists(st.sampled_from([0, 1, 1, 1, 1]), min_size=5 * 6 * 4, max_size=5 * 6 * 4),
    spacing=st.sampled_from(SPACINGS),
)
def test_room_is_exact(bits: list[int], spacing: tuple[float, float, float]) -> None:
    mask = Volume(np.array(bits, dtype=np.uint8).reshape(5, 6, 4), np.diag([*spacing, 1.0]))
    np.testing.assert_allclose(room_mm(mask, cap_mm=1000.0), brute_room(mask), rtol=1e-5)


def test_room_of_nothing_and_of_everything() -> None:
    empty = Volume(np.zeros((4, 4, 4), dtype=np.uint8), np.eye(4))
    assert not room_mm(empty, 30.0).any()
    full = Volume(np.ones((9, 9, 9), dtype=np.uint8), np.eye(4))
    assert room_mm(full, 30.0)[4, 4, 4] == pytest.approx(4.5)
    assert room_mm(full, 3.0).max() == pytest.approx(3.0)


@pytest.mark.parametrize("spacing", SPACINGS[:2])
def test_no_part_of_a_drawn_sphere_leaves_the_mask(spacing: tuple[float, float, float]) -> None:
    mask = head(spacing)
    room = room_mm(mask, 30.0)
    rng = stream(1, "test")
    outside = mask.array == 0
    for radius in (13.0, 17.0, 21.0):
        for _ in range(20):
            centre = draw_centre(rng, room, radius, mask.affine)
            assert centre is not None
            box, share = occupancy(mask, centre, radius)
            assert not (share[outside[box]] > 0).any()


def test_no_centre_where_there_is_no_room() -> None:
    mask = head(SPACINGS[0])
    room = room_mm(mask, 90.0)
    assert draw_centre(stream(1), room, float(room.max()) + 0.01, mask.affine) is None
    assert draw_centre(stream(1), room, float(room.max()) - 0.01, mask.affine) is not None


@settings(max_examples=40, deadline=None)
@given(
    radius=st.floats(10, 26),
    shift=st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    spacing=st.sampled_from(SPACINGS),
)
def test_shares_add_up_to_the_sphere(
    radius: float, shift: tuple[float, float, float], spacing: tuple[float, float, float]
) -> None:
    shape = tuple(int(70 / s) + 3 for s in spacing)
    image = volume((shape[0], shape[1], shape[2]), spacing)
    middle = image.affine[:3, :3] @ ((np.array(shape) - 1) / 2 + np.array(shift)) + image.affine[:3, 3]
    _, share = occupancy(image, (float(middle[0]), float(middle[1]), float(middle[2])), radius)
    exact = 4 / 3 * np.pi * radius**3
    assert share.sum() * np.prod(spacing) == pytest.approx(exact, rel=0.01)
    assert share.min() >= 0.0
    assert share.max() == 1.0


def _sphere(sd: float) -> Sphere:
    return Sphere(level="easy", centre_mm=(-40.0, -60.0, 90.0), radius_mm=22.0, hu_mean=50.0, hu_sd=sd)


@pytest.mark.parametrize("intensity", ["per_voxel", "per_sphere"])
def test_intensity_inside_and_nothing_outside(intensity: str) -> None:
    image = volume((60, 60, 30), (2.0, 2.0, 4.0))
    sphere = _sphere(2.0)
    made = insert(image, sphere, stream(4, "hu"), intensity)  # type: ignore[arg-type]
    box, share = occupancy(image, sphere.centre_mm, sphere.radius_mm)
    values = made.array[box][share == 1.0].astype(float)
    assert len(values) > 1000
    if intensity == "per_voxel":
        assert values.mean() == pytest.approx(50.0, abs=0.3)
        assert values.std() == pytest.approx(2.0, abs=0.2)
    else:
        assert values.std() == 0.0
        assert values.mean() == pytest.approx(50.0, abs=8.0)
    touched = np.zeros(image.array.shape, dtype=bool)
    touched[box] = share > 0
    assert (made.array[~touched] == 30).all()
    edge = made.array[box][(share > 0.4) & (share < 0.6)].mean()
    assert 35 < edge < 46
    assert image.array.max() == 30  # the input is left alone


def test_same_stream_same_bytes_and_another_stream_other_bytes() -> None:
    image = volume((60, 60, 30), (2.0, 2.0, 4.0))
    made = [insert(image, _sphere(2.0), stream(seed, "hu"), "per_voxel").array for seed in (1, 1, 2)]
    assert (made[0] == made[1]).all()
    assert (made[0] != made[2]).any()


def test_a_sphere_at_the_border_is_cut_not_wrapped() -> None:
    image = volume((20, 20, 20), (2.0, 2.0, 2.0))
    for corner in itertools.product((0, 19), repeat=3):
        centre = image.affine[:3, :3] @ np.array(corner) + image.affine[:3, 3]
        _, share = occupancy(image, (float(centre[0]), float(centre[1]), float(centre[2])), 8.0)
        assert share.max() == 1.0
        assert share.sum() * 8 < 4 / 3 * np.pi * 8**3 / 3
