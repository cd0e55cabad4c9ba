import numpy as np

from nameplate_skullstrip.edge import CERTAIN_HU, half_way


def test_limit_lies_half_way_to_the_bone_nearby_and_never_below_the_floor():
    hu = np.full((3, 60, 60), 35.0, np.float32)
    hu[:, :, 40:] = 1000.0
    limit = half_way(hu, (5.0, 1.0, 1.0))
    assert limit[1, 30, 36] == 517.5
    assert limit[1, 30, 20] == CERTAIN_HU


def test_bone_in_the_next_slice_counts_in_thick_slices():
    hu = np.full((3, 20, 20), 35.0, np.float32)
    hu[2] = 835.0
    limit = half_way(hu, (5.0, 1.0, 1.0))
    assert (limit[1] == 435.0).all()
    assert (limit[0] == CERTAIN_HU).all()
