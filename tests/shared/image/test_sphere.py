"""Spheres: exactly inside, of the right size, intensity and place, and nothing else changed."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.image.sphere import (
    common_room_mm,
    draw_centre,
    holds,
    insert,
    occupancy,
    raised,
    room_mm,
    shifted,
)
from nameplate.image.volume import Volume
from nameplate.steps.synthesis import Sphere
from nameplate.streams import stream

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
    return Sphere(difficulty="easy", centre_mm=(-40.0, -60.0, 90.0), radius_mm=22.0, hu_mean=50.0, hu_sd=sd)


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


def oblique(mask: Volume) -> Volume:
    """The same mask in a patient who lies turned, with reversed axes."""
    turn = np.deg2rad(20)
    rotation = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine = np.eye(4)
    affine[:3, :3] = rotation @ np.diag([-1.0, 1.0, 1.0]) @ mask.affine[:3, :3]
    affine[:3, 3] = (80.0, -95.0, 12.5)
    return Volume(mask.array, affine)


def brute_holds(mask: Volume, centre_mm: tuple[float, float, float], radius_mm: float) -> bool:
    """The definition of holds: distance to the nearest point of every outside voxel, one ring beyond."""
    inside = np.pad(mask.array != 0, 1)
    centre = (np.linalg.inv(mask.affine) @ [*centre_mm, 1.0])[:3] + 1
    if ((centre - 0.5 < 0) | (centre + 0.5 > np.array(inside.shape) - 1)).any():
        return False
    gaps = np.maximum(np.abs(np.argwhere(~inside) - centre) - 0.5, 0.0) * mask.spacing_mm
    return bool(np.sqrt((gaps**2).sum(axis=1)).min() >= radius_mm)


@settings(max_examples=80, deadline=None)
@given(
    bits=st.lists(st.sampled_from([0, *[1] * 15]), min_size=7 * 8 * 6, max_size=7 * 8 * 6),
    spacing=st.sampled_from(SPACINGS),
    place=st.tuples(*[st.floats(0.0, 1.0)] * 3),
    share=st.floats(0.05, 0.6),
)
def test_holds_is_exact(
    bits: list[int], spacing: tuple[float, float, float], place: tuple[float, float, float], share: float
) -> None:
    array = np.array(bits, dtype=np.uint8).reshape(7, 8, 6)
    mask = oblique(Volume(array, np.diag([*spacing, 1.0])))
    voxel = np.array(place) * (np.array(array.shape) - 1)
    x, y, z = mask.affine[:3, :3] @ voxel + mask.affine[:3, 3]
    centre = (float(x), float(y), float(z))
    radius = share * min(mask.spacing_mm) * 6
    # A hair apart the two must agree; only at the very boundary may rounding decide.
    if brute_holds(mask, centre, radius + 1e-6) == brute_holds(mask, centre, radius - 1e-6):
        assert holds(mask, centre, radius) == brute_holds(mask, centre, radius)


def test_holds_and_room_say_the_same_of_voxel_centres() -> None:
    mask = oblique(head(SPACINGS[0]))
    room = room_mm(mask, 90.0)
    rng = stream(3, "places")
    for flat in rng.choice(np.flatnonzero(room > 5), size=60):
        voxel = np.array(np.unravel_index(int(flat), room.shape), dtype=float)
        x, y, z = mask.affine[:3, :3] @ voxel + mask.affine[:3, 3]
        radius = float(room.ravel()[flat])
        assert holds(mask, (x, y, z), radius - 0.001)
        assert not holds(mask, (x, y, z), radius + 0.001)


@pytest.mark.parametrize("spacing", SPACINGS[:2])
def test_shifted_spheres_stay_inside_and_leave_the_slices_centres(
    spacing: tuple[float, float, float],
) -> None:
    mask = oblique(head(spacing))
    room = room_mm(mask, 30.0)
    rng = stream(2, "test")
    outside = mask.array == 0
    heights = []
    for radius in (13.0, 17.0, 20.0, 21.5):
        for _ in range(25):
            centre = draw_centre(rng, room, radius, mask.affine)
            assert centre is not None
            moved = shifted(rng, [mask], centre, radius)
            assert holds(mask, moved, radius)
            box, share = occupancy(mask, moved, radius)
            assert not (share[outside[box]] > 0).any()
            exact = 4 / 3 * np.pi * radius**3
            assert share.sum() * np.prod(spacing) == pytest.approx(exact, rel=0.01)
            heights.append((np.linalg.inv(mask.affine) @ [*moved, 1.0])[2] % 1.0)
    between = [h for h in heights if 0.05 < h < 0.95]
    assert len(between) > 20


def test_a_shift_that_would_leave_the_mask_is_not_made() -> None:
    array = np.zeros((21, 21, 21), dtype=np.uint8)
    array[5:16, 5:16, 5:16] = 1
    mask = Volume(array, np.eye(4))
    for seed in range(20):
        assert shifted(stream(seed), [mask], (10.0, 10.0, 10.0), 5.499) == (10.0, 10.0, 10.0)
        assert shifted(stream(seed), [mask], (10.0, 10.0, 10.0), 2.0) != (10.0, 10.0, 10.0)


def test_centres_are_drawn_from_all_places_with_room_and_no_others() -> None:
    mask = head(SPACINGS[0])
    room = room_mm(mask, 30.0)
    radius = float(np.sort(room, axis=None)[-150]) - 0.01
    rng = stream(5, "places")
    drawn = {draw_centre(rng, room, radius, mask.affine) for _ in range(9000)}
    places = np.argwhere(room >= radius)
    assert 150 <= len(places) < 700
    assert drawn == {tuple(np.round(place * mask.spacing_mm, 4).tolist()) for place in places}


def test_each_voxel_gets_the_very_share_that_a_fine_grid_counts() -> None:
    mask = oblique(head(SPACINGS[0]))
    centre = (float(mask.affine[0, 3]) - 81.0, -20.0, 50.0)
    box, share = occupancy(mask, centre, 21.3)
    fine = (np.arange(24) + 0.5) / 24 - 0.5
    inverse = np.linalg.inv(mask.affine)
    place = (inverse @ [*centre, 1.0])[:3]
    axes = [
        ((np.arange(part.start, part.stop)[:, None] + fine).ravel() - middle) * size
        for part, middle, size in zip(box, place, mask.spacing_mm, strict=True)
    ]
    x, y, z = (axis**2 for axis in axes)
    filled = x[:, None, None] + y[None, :, None] + z[None, None, :] <= 21.3**2
    n = [part.stop - part.start for part in box]
    exact = filled.reshape(n[0], 24, n[1], 24, n[2], 24).mean(axis=(1, 3, 5))
    assert exact.max() == 1.0
    error = np.abs(share - exact)
    assert error.max() < 0.1
    assert error[(exact > 0) & (exact < 1)].mean() < 0.01


def test_per_sphere_intensities_spread_as_told() -> None:
    image = volume((60, 60, 30), (2.0, 2.0, 4.0))
    box, share = occupancy(image, _sphere(10.0).centre_mm, 22.0)
    means = [
        insert(image, _sphere(10.0), stream(n, "hu"), "per_sphere").array[box][share == 1.0].mean()
        for n in range(120)
    ]
    assert np.mean(means) == pytest.approx(50.0, abs=3.0)
    assert np.std(means) == pytest.approx(10.0, abs=2.0)


def test_the_rest_of_the_image_does_not_matter_to_the_sphere() -> None:
    """The same sphere in a volume with air added around it has the same voxels."""
    image = volume((60, 60, 30), (2.0, 2.0, 4.0))
    wide = np.pad(image.array, ((3, 5), (2, 0), (4, 4)), constant_values=-1000)
    affine = image.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ [3, 2, 4]
    made = insert(image, _sphere(2.0), stream(4, "hu"), "per_voxel").array
    again = insert(Volume(wide, affine), _sphere(2.0), stream(4, "hu"), "per_voxel").array
    assert (again[3:63, 2:62, 4:34] == made).all()


def test_values_at_the_end_of_the_type_do_not_wrap() -> None:
    image = volume((60, 60, 30), (2.0, 2.0, 4.0))
    sphere = Sphere(
        difficulty="x", centre_mm=(-40.0, -60.0, 90.0), radius_mm=15.0, hu_mean=32767.0, hu_sd=50.0
    )
    made = insert(image, sphere, stream(4, "hu"), "per_voxel").array
    assert made.dtype == np.int16
    assert made.min() == 30


BITS = st.lists(st.sampled_from([0, 1, 1, 1, 1]), min_size=5 * 6 * 4, max_size=5 * 6 * 4).map(
    lambda bits: np.array(bits, dtype=np.uint8).reshape(5, 6, 4)
)


@settings(max_examples=30, deadline=None)
@given(one=BITS, other=BITS, spacing=st.sampled_from(SPACINGS))
def test_the_common_room_on_one_grid_is_that_of_what_the_masks_share(
    one: np.ndarray, other: np.ndarray, spacing: tuple[float, float, float]
) -> None:
    affine = volume((1, 1, 1), spacing).affine
    both = Volume(one * other, affine)
    room = common_room_mm([Volume(one, affine), Volume(other, affine)], 30.0)
    np.testing.assert_allclose(room, room_mm(both, 30.0), atol=1e-5)
    alone = Volume(one, affine)
    assert (common_room_mm([alone, alone, alone], 30.0) == room_mm(alone, 30.0)).all()


def moved(mask: Volume, shift_mm: tuple[float, float, float], tilt_degrees: float, scale: float) -> Volume:
    """A mask on turned, shifted and stretched axes."""
    turn = np.deg2rad(tilt_degrees)
    about_x = np.array([[1, 0, 0], [0, np.cos(turn), -np.sin(turn)], [0, np.sin(turn), np.cos(turn)]])
    affine = mask.affine.copy()
    affine[:3, :3] = about_x @ affine[:3, :3] * scale
    affine[:3, 3] += shift_mm
    return Volume(mask.array, affine)


@settings(max_examples=20, deadline=None)
@given(
    shift=st.tuples(*[st.floats(-9, 9)] * 3),
    tilt=st.floats(-25, 25),
    scale=st.floats(0.9, 1.1),
    spacings=st.tuples(st.sampled_from(SPACINGS[:1]), st.sampled_from(SPACINGS[:2])),
)
def test_a_ball_of_the_common_room_is_inside_every_mask_and_hardly_smaller_than_it_could_be(
    shift: tuple[float, float, float], tilt: float, scale: float, spacings: tuple[Any, Any]
) -> None:
    first, other = head(spacings[0]), moved(head(spacings[1]), shift, tilt, scale)
    room = common_room_mm([first, other], 27.0)
    assert (room <= room_mm(first, 27.0)).all()
    diagonal = float(np.linalg.norm(other.spacing_mm))
    places = np.argwhere(room_mm(first, 27.0) > 0)
    for place in stream(3, "places").permutation(places)[:150]:
        x, y, z = first.affine[:3, :3] @ place + first.affine[:3, 3]
        radius = float(room[tuple(place)])
        if radius > 0.01:
            assert holds(first, (x, y, z), radius - 0.001)
            assert holds(other, (x, y, z), radius - 0.001)
        larger = radius + diagonal + 0.01
        if larger < 27.0:
            assert not (holds(first, (x, y, z), larger) and holds(other, (x, y, z), larger))


def test_masks_that_share_nothing_have_no_common_room() -> None:
    one = head(SPACINGS[0])
    away = moved(one, (400.0, 0.0, 0.0), 0.0, 1.0)
    assert not common_room_mm([one, away], 27.0).any()
    empty = Volume(np.zeros_like(one.array), one.affine)
    assert not common_room_mm([empty, one], 27.0).any()
    assert not common_room_mm([one, empty], 27.0).any()


def test_raising_keeps_the_noise_and_adds_by_share() -> None:
    image = volume((40, 40, 12), (1.0, 1.0, 5.0))
    image.array[:] += np.round(stream(3, "noise").normal(0, 4, image.array.shape)).astype(np.int16)
    centre = (-80.3, -100.2, 69.1)
    made = raised(image, centre, 9.0, -20.0)
    box, share = occupancy(image, centre, 9.0)
    added = made.array.astype(int) - image.array
    assert np.abs(added[box] - -20.0 * share).max() <= 0.5
    assert (added[box][share == 1.0] == -20).all()
    added[box] = 0
    assert not added.any()
    limit = image.with_array(np.full(image.array.shape, 32_760, dtype=np.int16))
    assert raised(limit, centre, 9.0, 500.0).array.max() == 32_767
