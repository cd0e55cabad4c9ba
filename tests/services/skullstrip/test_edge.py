import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from nameplate_skullstrip.edge import BONE_HU, CERTAIN_HU, densest_near, edge_zone, half_way

SPACING = (5.0, 1.0, 1.0)


def test_limit_lies_half_way_to_the_bone_nearby_and_never_below_the_floor():
    hu = np.full((3, 60, 60), 35.0, np.float32)
    hu[:, :, 40:] = 1000.0
    limit = half_way(densest_near(hu, SPACING))
    assert limit[1, 30, 37] == 517.5
    assert limit[1, 30, 36] == CERTAIN_HU


def test_bone_in_the_next_slice_counts_in_thick_slices():
    hu = np.full((4, 20, 20), 35.0, np.float32)
    hu[3] = 835.0
    limit = half_way(densest_near(hu, SPACING))
    assert (limit[2] == 435.0).all()
    assert (limit[:2] == CERTAIN_HU).all()


def test_at_the_ends_of_the_scan_bone_is_searched_twice_as_far_within_the_slice():
    hu = np.full((3, 60, 60), 35.0, np.float32)
    hu[:, :, 40:] = 1000.0
    peak = densest_near(hu, SPACING)
    assert peak[:, 30, 34].tolist() == [1000.0, 35.0, 1000.0]
    assert peak[:, 30, 33].tolist() == [35.0, 35.0, 35.0]


def test_voxels_with_more_brain_than_bone_are_below_the_limit_whatever_the_bone():
    for bone in (500.0, 900.0, 1200.0):
        hu = np.full((1, 9, 41), 35.0, np.float32)
        hu[:, :, 21:] = bone
        for brain in (0.1, 0.45, 0.55, 0.9):
            hu[:, :, 20] = brain * 35.0 + (1.0 - brain) * bone
            assert (hu[0, 4, 20] <= half_way(densest_near(hu, SPACING))[0, 4, 20]) == (brain > 0.5)


def test_zone_is_wider_within_the_slice_than_across_the_base():
    # A coarse mask that ends below slice 2 and right of column 20; bone everywhere beside it.
    k, _, j = np.ogrid[:6, :40, :40]
    near = np.minimum((k - 1.5) * 5.0, 20.0 - j) + np.zeros((6, 40, 40))
    near = near.astype(np.float32)
    peak = np.full(near.shape, 1000.0, np.float32)
    zone = edge_zone(near, peak, SPACING, 2.25)
    assert not zone[1].any()
    assert zone[4, 20].tolist() == [column <= 23 for column in range(40)]


def test_zone_rises_one_slice_above_the_mask_at_the_vault():
    near = np.full((5, 20, 20), -8.0, np.float32)
    near[:2, 5:15, 5:15] = 4.0
    peak = np.full(near.shape, 1000.0, np.float32)
    zone = edge_zone(near, peak, SPACING, 2.25)
    assert zone[2, 10, 10]
    assert not zone[3:].any()


def test_without_bone_the_edge_stays_inside_the_mask():
    near = np.broadcast_to((20.25 - np.arange(40.0)).astype(np.float32), (3, 40, 40)).copy()
    zone = edge_zone(near, np.full(near.shape, 60.0, np.float32), SPACING, 2.25)
    assert zone[1, 20].sum() == 20


@settings(max_examples=40, deadline=None)
@given(
    near=arrays.arrays(np.float32, (4, 9, 8), elements=st.floats(-8.0, 8.0, width=16)),
    pixel=st.floats(0.4, 5.0),
    reach=st.floats(1.0, 4.0),
)
def test_zone_holds_the_whole_mask_where_there_is_bone_and_mirrors(near, pixel, reach):
    peak = np.full(near.shape, BONE_HU + 1.0, np.float32)
    spacing = (5.0, pixel, pixel)
    zone = edge_zone(near, peak, spacing, reach)
    assert zone[near > -reach].all()
    for mirror in (np.s_[:, ::-1], np.s_[:, :, ::-1]):
        assert np.array_equal(
            edge_zone(np.ascontiguousarray(near[mirror]), peak, spacing, reach), zone[mirror]
        )
    # More reach is never a smaller zone.
    assert edge_zone(near, peak, spacing, reach + 1.0)[zone].all()


@pytest.mark.parametrize("spacing", [(5.0, 1.0, 1.0), (1.0, 0.5, 0.5), (5.0, 4.7, 4.7)])
def test_densest_near_is_never_below_the_voxel_and_mirrors(spacing):
    hu = np.random.default_rng(2).integers(-1000, 1200, (5, 12, 11)).astype(np.float32)
    peak = densest_near(hu, spacing)
    assert (peak >= hu).all()
    for mirror in (np.s_[::-1], np.s_[:, ::-1], np.s_[:, :, ::-1]):
        assert np.array_equal(densest_near(np.ascontiguousarray(hu[mirror]), spacing), peak[mirror])
