"""A mask on another grid: where it was, as large as it was, and nothing made up beyond its own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from nameplate.image.mask_grid import mask_onto, share_in_grid
from nameplate.image.volume import Volume


def grid(
    spacing: tuple[float, float, float], start: tuple[float, float, float], turn: float = 0.0
) -> NDArray[np.float64]:
    """An affine with this distance of voxels, turned about the patient's long axis by an angle in degrees."""
    c, s = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ np.diag(spacing)
    affine[:3, 3] = start
    return affine


def ball(shape: tuple[int, int, int], affine: NDArray[np.float64], radius_mm: float) -> Volume:
    """Around the origin of the patient."""
    places = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    return Volume(((places**2).sum(axis=-1) <= radius_mm**2).astype(np.uint8), affine)


IMAGE = Volume(np.zeros((40, 40, 20), np.int16), grid((2, 2, 5), (-39, -39, -47.5)))


@given(st.lists(st.booleans(), min_size=60, max_size=60), st.floats(-80, 80), st.floats(-90, 90))
def test_on_its_own_grid_a_mask_is_itself(voxels: list[bool], start: float, turn: float) -> None:
    drawn = np.array(voxels, np.uint8).reshape(3, 4, 5)
    affine = grid((0.7, 0.7, 5.0), (start, -start, 3 * start), turn)
    assert (mask_onto(Volume(drawn, affine), Volume(np.zeros((3, 4, 5)), affine)) == drawn).all()


@given(st.lists(st.booleans(), min_size=60, max_size=60), st.integers(2, 4))
def test_of_finer_voxels_the_same_voxels_are_made(voxels: list[bool], finer: int) -> None:
    """Every voxel of the image is cut into whole voxels of the mask: nothing moves, and no size changes."""
    drawn = np.array(voxels, np.uint8).reshape(3, 4, 5)
    affine = grid((2.0, 2.0, 5.0), (-10, 20, 30))
    cut = drawn.repeat(finer, 0).repeat(finer, 1).repeat(finer, 2)
    fine = affine.copy()
    fine[:3, :3] /= finer
    fine[:3, 3] -= affine[:3, :3] @ np.full(3, (1 - 1 / finer) / 2)
    assert (mask_onto(Volume(cut, fine), Volume(np.zeros((3, 4, 5)), affine)) == drawn).all()


@given(st.data(), st.sampled_from([2, 4]))
def test_a_mirrored_mask_gives_the_mirrored_voxels(data: st.DataObject, finer: int) -> None:
    """A mask that is looked up between its voxels would move to one side."""
    flat = data.draw(st.lists(st.booleans(), min_size=8 * finer**3, max_size=8 * finer**3))
    drawn = np.array(flat, np.uint8).reshape([2 * finer] * 3)
    affine = grid((1, 1, 1), ((1 - finer) / 2,) * 3)
    image = Volume(np.zeros((2, 2, 2)), np.diag([float(finer)] * 3 + [1.0]))
    found = mask_onto(Volume(drawn, affine), image)
    for axis in range(3):
        mirrored = mask_onto(Volume(np.flip(drawn, axis), affine), image)
        assert (mirrored == np.flip(found, axis)).all()


@pytest.mark.parametrize("turn", [0.0, 30.0, 180.0])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (2.3, 1.7, 3.0), (0.9, 0.9, 5.0)])
def test_a_ball_stays_where_it_is_and_as_large(spacing: tuple[float, float, float], turn: float) -> None:
    half = np.array([60.0, 60.0, 60.0])
    shape = tuple(int(n) for n in np.ceil(2 * half / spacing))
    start = -np.array(grid(spacing, (0, 0, 0), turn)[:3, :3] @ (np.array(shape) - 1)) / 2
    affine = grid(spacing, tuple(start), turn)
    mask = ball(shape, affine, 20.0)  # type: ignore[arg-type]
    found = mask_onto(mask, IMAGE)
    expected = ball((40, 40, 20), IMAGE.affine, 20.0).array
    both = 2 * np.count_nonzero(found & expected) / (found.sum() + expected.sum())
    assert both > 0.9
    volume = found.sum() * IMAGE.voxel_ml
    assert volume == pytest.approx(mask.array.sum() * mask.voxel_ml, rel=0.08)
    centre = np.argwhere(found).mean(axis=0) @ IMAGE.affine[:3, :3].T + IMAGE.affine[:3, 3]
    assert np.abs(centre).max() < 0.6


def test_flipped_axes_are_followed() -> None:
    drawn = np.zeros((6, 6, 6), np.uint8)
    drawn[1, 2, 3] = 1
    flipped = grid((1, 1, 1), (5, 0, 0))
    flipped[0, 0] = -1
    found = mask_onto(Volume(drawn, flipped), Volume(np.zeros((6, 6, 6)), np.eye(4)))
    assert np.argwhere(found).tolist() == [[4, 2, 3]]


def test_beyond_the_masks_grid_is_nothing_and_so_is_an_empty_mask() -> None:
    whole = Volume(np.ones((4, 4, 4), np.uint8), grid((1, 1, 1), (-3, 0, 0)))
    found = mask_onto(whole, Volume(np.zeros((4, 4, 4)), np.eye(4)))
    assert np.argwhere(found)[:, 0].max() == 0
    assert found.sum() == 16
    far = Volume(whole.array, grid((1, 1, 1), (500, 0, 0)))
    assert not mask_onto(far, IMAGE).any()
    assert not mask_onto(whole.with_array(np.zeros((4, 4, 4))), IMAGE).any()


def test_how_much_of_one_volume_another_one_holds() -> None:
    marked = np.zeros(IMAGE.array.shape, bool)
    marked[:, 20, 10] = True
    assert share_in_grid(marked, IMAGE, IMAGE) == 1.0
    half = Volume(np.zeros((20, 40, 20)), IMAGE.affine)
    # To within a voxel: of 40 voxels 20 are in it, and one is beside it.
    assert share_in_grid(marked, IMAGE, half) == pytest.approx(21 / 40)
    away = Volume(half.array, grid((2, 2, 5), (400, 0, 0)))
    assert share_in_grid(marked, IMAGE, away) == 0.0
    assert share_in_grid(np.zeros_like(marked), IMAGE, away) == 1.0


@pytest.mark.parametrize("bad", [np.nan, 0.0])
def test_an_affine_without_an_inverse_is_told(bad: float) -> None:
    affine = np.eye(4)
    affine[2, 2] = bad
    mask = Volume(np.ones((2, 2, 2), np.uint8), affine)
    with pytest.raises(ValueError, match="affine"):
        mask_onto(mask, IMAGE)
