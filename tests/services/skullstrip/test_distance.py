import numpy as np
import pytest
from scipy import ndimage

from nameplate_skullstrip.distance import depth, grown, signed_depth


@pytest.mark.parametrize("spacing", [(5.0, 3.5, 3.5), (3.7, 3.6, 3.8), (1.0, 2.0, 3.0)])
def test_depth_is_the_exact_distance_up_to_the_cap(spacing):
    mask = np.random.default_rng(1).random((12, 15, 14)) > 0.03
    exact = ndimage.distance_transform_edt(mask, sampling=spacing)
    assert np.allclose(depth(mask, spacing, 11.0), np.minimum(exact, 11.0), atol=1e-4)


def test_growing_reaches_exactly_that_far():
    mask = np.zeros((9, 9, 9), bool)
    mask[4, 4, 4] = True
    near = grown(mask, (2.0, 1.0, 1.0), 2.0)
    assert near.sum() == 13 + 2
    assert near[5, 4, 4]
    assert not near[5, 4, 5]


def test_signed_distance_changes_sign_between_voxels():
    mask = np.zeros((5, 9, 9), bool)
    mask[:, :, :4] = True
    line = signed_depth(mask, (5.0, 2.0, 2.0), 9.0)[2, 4]
    assert line.tolist() == [7.0, 5.0, 3.0, 1.0, -1.0, -3.0, -5.0, -7.0, -8.0]
