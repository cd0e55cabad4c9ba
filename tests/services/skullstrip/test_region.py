import numpy as np
from scipy import ndimage

from nameplate_skullstrip.region import (
    disc,
    filled,
    filled_slices,
    islands,
    largest,
    touching,
    touching_slices,
)


def _blobs() -> np.ndarray:
    return np.random.default_rng(4).random((10, 12, 11)) < 0.45


def test_filling_agrees_with_scipy():
    mask = _blobs()
    assert np.array_equal(filled(mask), ndimage.binary_fill_holes(mask))
    flat = filled_slices(mask.astype(np.uint8))
    for plane, full in zip(mask, flat, strict=True):
        # Outlines are followed diagonally, so a hole ends at 4-connected background.
        expected = ndimage.binary_fill_holes(plane, structure=ndimage.generate_binary_structure(2, 1))
        assert np.array_equal(full > 0, expected)


def test_islands_are_small_closed_holes():
    mask = np.ones((9, 9, 9), bool)
    mask[2, 2, 2] = False
    mask[5:7, 5:7, 5:7] = False
    mask[0, 4, 4] = False
    assert np.argwhere(islands(mask, 7)).tolist() == [[2, 2, 2]]
    assert islands(mask, 8).sum() == 9


def test_largest_and_touching_choose_regions():
    mask = np.zeros((4, 8, 8), bool)
    mask[1, 1, 1:4] = True
    mask[2, 5:7, 5:7] = True
    assert np.array_equal(np.argwhere(largest(mask)), np.argwhere(mask & (np.arange(8) > 4)))
    seed = np.zeros_like(mask)
    seed[1, 1, 2] = seed[3, 3, 3] = True
    assert touching(mask, seed).sum() == 3
    assert touching_slices(mask.astype(np.uint8), seed).sum() == 3
    assert not largest(np.zeros((2, 2, 2), bool)).any()


def test_disc_holds_the_pixels_within_the_radius():
    assert disc(2.5, (1.0, 2.0)).tolist() == [[0, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1], [0, 1, 0]]
    assert disc(1.0, (3.0, 3.0)).tolist() == [[1]]
    assert disc(2.5, (0.01, 0.01)).shape == (101, 101)


def test_regions_of_equal_size_are_all_the_largest():
    mask = np.zeros((1, 3, 9), bool)
    mask[0, 1, 0:2] = mask[0, 1, 4:6] = mask[0, 1, 8] = True
    assert np.flatnonzero(largest(mask)[0, 1]).tolist() == [0, 1, 4, 5]
    assert np.array_equal(largest(mask[:, :, :3]), mask[:, :, :3])
