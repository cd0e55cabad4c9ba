import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_scenes import crude_head, two_heads, volume_of

from nameplate_ingest.choice.quick_strip import (
    box_of,
    cells_of,
    enclosure,
    flooded,
    grown,
    planes_of,
    quick_strip,
    regions,
    shrunk,
    smoothed,
)

MASKS = st.tuples(
    st.tuples(st.integers(1, 6), st.integers(1, 7), st.integers(1, 7)),
    st.integers(0, 999),
    st.floats(0.05, 0.95),
).map(lambda drawn: np.random.default_rng(drawn[1]).random(drawn[0]) < drawn[2])


@settings(deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40), st.integers(1, 40)),
    spacing=st.tuples(st.floats(0.5, 12.0), st.floats(0.2, 8.0), st.floats(0.2, 8.0)),
    seed=st.integers(0, 99),
)
def test_shares_count_every_voxel_once_and_mirror(shape, spacing, seed):
    hu = np.random.default_rng(seed).integers(-1100, 1100, shape).astype(np.int16)
    cells = cells_of(hu, spacing)
    sizes = np.ones((1, 1, 1))
    for axis, edges in enumerate(cells.edges):
        assert (edges[0], edges[-1]) == (0, shape[axis])
        assert np.array_equal(shape[axis] - edges[::-1], edges)
        around = [1, 1, 1]
        around[axis] = -1
        sizes = sizes * np.diff(edges).reshape(around)
    for share, wanted in (
        (cells.tissue, (hu >= -20) & (hu <= 110)),
        (cells.bone, hu >= 200),
        (cells.soft, (hu >= -200) & (hu <= 200)),
        (cells.lung, (hu >= -950) & (hu <= -400)),
        (cells.air, hu <= -700),
    ):
        assert (share * sizes).sum() == pytest.approx(wanted.sum(), abs=0.01)
        assert share.max() <= 1.0
    mirrored = cells_of(hu[:, ::-1, ::-1], spacing)
    assert np.array_equal(mirrored.tissue[:, ::-1, ::-1], cells.tissue)


def test_extreme_values_fall_into_their_ranges():
    hu = np.array([-32768, -1024, -951, -950, -700, -699, -400, -21, -20, 110, 111, 200, 32767], np.int16)
    cells = cells_of(hu.reshape(1, 1, -1), (5.0, 5.0, 5.0))
    assert cells.air.ravel().tolist() == [1, 1, 1, 1, 1] + [0] * 8
    assert cells.lung.ravel().tolist() == [0, 0, 0, 1, 1, 1, 1] + [0] * 6
    assert cells.tissue.ravel().tolist() == [0] * 8 + [1, 1, 0, 0, 0]
    assert cells.bone.ravel().tolist() == [0] * 11 + [1, 1]


def test_a_mask_of_cells_returns_to_the_voxels():
    hu = np.where(np.arange(40)[None, None, :] < 20, 30, -1000) + np.zeros((4, 40, 1), int)
    cells = cells_of(hu.astype(np.int16), (5.0, 1.0, 1.0))
    back = cells.on_voxels(cells.tissue > 0.5)
    assert back.shape == hu.shape
    assert np.array_equal(back, hu == 30)


def _walked_enclosure(bone: np.ndarray, start: tuple[int, ...]) -> float:
    met = rays = 0
    for step in np.ndindex(3, 3, 3):
        way = np.array(step) - 1
        if not way.any():
            continue
        place, rays = np.array(start) + way, rays + 1
        while ((place >= 0) & (place < bone.shape)).all() and not bone[tuple(place)]:
            place = place + way
        if ((place >= 0) & (place < bone.shape)).all():
            met += 1
        elif not 0 <= place[0] < bone.shape[0] and ((place >= 0) & (place < bone.shape))[1:].all():
            rays -= 1  # left through an end slice
        elif not 0 <= place[0] < bone.shape[0]:
            # Left through an end slice and a side at once: the end slice counts.
            rays -= 1
    return met / rays


@settings(deadline=None, max_examples=30)
@given(MASKS)
def test_enclosure_agrees_with_rays_walked_one_by_one(bone):
    share = enclosure(bone)
    for start in np.ndindex(bone.shape):
        assert share[start] == pytest.approx(_walked_enclosure(bone, start))


@given(MASKS, st.booleans())
def test_growing_and_shrinking_are_each_others_inverse_on_the_complement(mask, corners):
    larger, smaller = grown(mask, corners), shrunk(mask, corners)
    assert (larger >= mask).all()
    assert (smaller <= mask).all()
    # Away from the border, shrinking is growing of what is not set.
    assert np.array_equal(smaller[:, 1:-1, 1:-1], ~grown(~mask, corners)[:, 1:-1, 1:-1])
    assert (grown(mask, True) >= grown(mask)).all()


def test_beyond_the_end_slices_is_unseen_and_beyond_the_sides_is_nothing():
    full = np.ones((3, 5, 5), bool)
    kept = shrunk(full)
    assert kept[:, 1:-1, 1:-1].all()
    assert kept.sum() == 27


@given(MASKS)
def test_regions_are_disjoint_and_ordered(mask):
    found = regions(mask, 1)
    total = np.zeros(mask.shape, int)
    for region in found:
        assert np.array_equal(flooded(mask, region), region)
        total += region
    assert total.max(initial=0) <= 1
    assert len(found) == 64 or np.array_equal(total > 0, mask)
    sizes = [region.sum() for region in found]
    assert sizes == sorted(sizes, reverse=True)


def test_smoothing_keeps_constants_and_the_box_has_its_margin():
    assert (smoothed(np.full((3, 4, 5), 0.25, np.float32)) == 0.25).all()
    mask = np.zeros((9, 9, 9), bool)
    mask[4, 5, 0] = True
    assert box_of(mask, 2) == (slice(4, 5), slice(3, 8), slice(0, 3))
    assert not mask[box_of(np.zeros((3, 3, 3), bool), 0)].size


@pytest.mark.parametrize("pixel_mm", [1.2, 2.4, 3.6, 4.6])
@pytest.mark.parametrize("gap_mm", [2.0, 5.0, 7.5])
def test_the_inside_of_a_closed_skull_is_found(pixel_mm, gap_mm):
    volume = volume_of(crude_head(), matrix=round(220 / pixel_mm), pixel_mm=pixel_mm, gap_mm=gap_mm)
    _, down, up = volume.spacing_mm
    strip = quick_strip(planes_of(volume.array), (up, down, down))
    whole = 4 / 3 * np.pi * 64 * 82 * 72 / 1000
    assert strip.brain_ml == pytest.approx(whole, rel=0.1)
    assert strip.others_ml == 0
    inside = strip.cells.on_voxels(strip.brain).transpose(2, 1, 0)
    assert (volume.array[inside] == 35).mean() > 0.97


def test_of_two_skulls_of_one_size_both_are_kept_and_told():
    volume = volume_of(two_heads, pixel_mm=4.5)
    strip = quick_strip(planes_of(volume.array), (5.0, 4.5, 4.5))
    assert strip.others_ml == pytest.approx(strip.brain_ml / 2, rel=0.05)
    assert np.array_equal(strip.brain, strip.brain[:, :, ::-1])


def test_a_shell_without_tissue_has_no_brain_but_a_hollow():
    volume = volume_of(crude_head(-1000.0))
    strip = quick_strip(planes_of(volume.array), (5.0, 3.6, 3.6))
    assert not strip.brain.any()
    assert strip.hollow.sum() * strip.cells.ml > 1200
