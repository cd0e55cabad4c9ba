"""The same place relative to every brain, and the smallest move into room."""

import numpy as np
import pytest

from nameplate.image.sphere import holds, room_mm
from nameplate.image.volume import Volume
from nameplate_challenge.place import REACH, drawn_places, frame_of, settled


def brain(
    half_mm: tuple[float, float, float], centre_mm: tuple[float, float, float], spacing: tuple[float, ...]
) -> Volume:
    """An ellipsoid mask with its middle at a place of the patient."""
    shape = tuple(int(2 * 95 / step) for step in spacing)
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = np.array(centre_mm) - (np.array(shape) / 2) * spacing + 3.3
    points = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    inside = (((points - centre_mm) / half_mm) ** 2).sum(axis=-1) <= 1
    return Volume(inside.astype(np.uint8), affine)


def test_the_frame_is_the_ellipsoid_whatever_its_grid_and_place() -> None:
    for spacing in ((1.0, 1.0, 5.0), (3.0, 2.0, 2.5)):
        frame = frame_of(brain((62.0, 80.0, 55.0), (10.0, -20.0, 300.0), spacing))
        assert frame is not None
        assert frame.centre_mm == pytest.approx((10, -20, 300), abs=0.6)
        assert frame.half_mm == pytest.approx((62, 80, 55), rel=0.01)


def test_a_place_is_at_the_same_share_of_the_way_to_every_brains_surface() -> None:
    place = drawn_places(3, 1)[0]
    small, large = ((50.0, 65.0, 45.0), (0.0, 0.0, 0.0)), ((70.0, 90.0, 60.0), (9.0, -30.0, 120.0))
    seen = []
    for half, centre in (small, large):
        frame = frame_of(brain(half, centre, (2.0, 2.0, 4.0)))
        assert frame is not None
        seen.append((np.array(frame.point(place)) - centre) / half)
    assert seen[0] == pytest.approx(seen[1], abs=0.02)
    assert seen[0] == pytest.approx(place, abs=0.02)


def test_places_are_inside_their_reach_and_more_of_them_keep_the_first() -> None:
    places = drawn_places(0, 50)
    assert drawn_places(0, 3) == places[:3]
    assert drawn_places(1, 3) != places[:3]
    lengths = np.sqrt((np.array(places) ** 2).sum(axis=1))
    assert lengths.max() <= REACH
    assert 0.3 < np.median(lengths) < 0.7


def test_a_lesion_stays_where_it_fits_and_else_moves_to_the_nearest_room() -> None:
    mask = brain((40.0, 50.0, 40.0), (0.0, 0.0, 0.0), (2.0, 2.0, 4.0))
    room = room_mm(mask, 20.0)
    inside = settled(mask, lambda: room, (1.3, 2.1, 0.7), 9.0, 15.0)
    assert inside is not None
    assert (inside.centre_mm, inside.moved_mm) == ((1.3, 2.1, 0.7), 0.0)
    wanted = (33.0, 0.0, 0.0)
    moved = settled(mask, lambda: room, wanted, 9.0, 15.0)
    assert moved is not None
    assert holds(mask, moved.centre_mm, 9.0)
    points = np.argwhere(room >= 9.0001) @ mask.affine[:3, :3].T + mask.affine[:3, 3]
    nearest = np.sqrt(((points - wanted) ** 2).sum(axis=1)).min()
    assert moved.moved_mm == pytest.approx(nearest, abs=1e-4)
    assert moved.moved_mm == pytest.approx(np.linalg.norm(np.subtract(moved.centre_mm, wanted)), abs=1e-3)
    assert settled(mask, lambda: room, wanted, 9.0, moved.moved_mm - 0.1) is None


def test_an_empty_or_flat_mask_has_no_frame() -> None:
    empty = Volume(np.zeros((5, 5, 5), np.uint8), np.eye(4))
    assert frame_of(empty) is None
    empty.array[2, 2, :] = 1
    assert frame_of(empty) is None
