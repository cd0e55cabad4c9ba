"""A lesion is found where the map reaches it; every other region is a false alarm."""

import numpy as np

from nameplate.image.volume import Volume
from nameplate_challenge.hit import hit

IMAGE = Volume(np.zeros((30, 30, 20), np.int16), np.diag([1.0, 1.0, 2.0, 1.0]))
SPHERE = ((10.0, 10.0, 20.0), 3.0)


def test_touching_within_two_millimetres_is_enough() -> None:
    values = np.zeros((30, 30, 20))
    values[15, 10, 10] = 0.8  # 5 mm from the centre: at the margin
    assert hit(values, IMAGE, SPHERE, 0.5) == (0.8, 0)
    values[16, 10, 10] = 0.9  # beyond, in the same region
    assert hit(values, IMAGE, SPHERE, 0.5) == (0.8, 0)
    values[15, 10, 10] = 0.0
    assert hit(values, IMAGE, SPHERE, 0.5) == (0.0, 1)


def test_regions_elsewhere_are_counted_by_their_corners_and_at_the_threshold() -> None:
    values = np.zeros((30, 30, 20), np.float32)
    values[10, 10, 10] = 0.7
    values[20, 20, 5] = values[21, 21, 6] = 0.7  # one region, over a corner
    values[25, 2, 15] = 0.6
    assert hit(values, IMAGE, SPHERE, 0.7) == (0.7, 1)
    assert hit(values, IMAGE, SPHERE, 0.6) == (0.7, 2)
    assert hit(values, IMAGE, None, 0.6) == (0.7, 3)


def test_a_lesion_smaller_than_a_voxel_has_the_voxel_of_its_centre() -> None:
    coarse = Volume(np.zeros((5, 5, 5), np.int16), np.diag([20.0, 20.0, 20.0, 1.0]))
    values = np.zeros((5, 5, 5))
    values[2, 2, 2] = 1.0
    assert hit(values, coarse, ((47.0, 47.0, 47.0), 1.0), 0.5) == (1.0, 0)
