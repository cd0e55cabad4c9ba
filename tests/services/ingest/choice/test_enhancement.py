import numpy as np
import pytest
from picture_scenes import Vessels, crude_head, painted, volume_of

from nameplate_ingest.choice.enhancement import (
    Enhancement,
    _longest_chain,
    _sinus_rays,
    deep_spots,
    enhancement,
)
from nameplate_ingest.choice.quick_strip import grown, planes_of, quick_strip


def _signs(volume):
    _, down, up = volume.spacing_mm
    hu, spacing = planes_of(volume.array), (up, down, down)
    strip = quick_strip(hu, spacing)
    return enhancement(hu, strip.cells, strip.brain, spacing)


@pytest.fixture(scope="module")
def head():
    return volume_of(crude_head(), matrix=128, pixel_mm=1.7)


def _places(volume, *offsets):
    middle = (np.array(volume.array.shape) - 1) / 2 * volume.spacing_mm
    return [([middle + np.array(offset)], 2.5) for offset in offsets]


def test_a_bare_head_shows_no_sign(head):
    assert _signs(head) == Enhancement()


def test_each_narrow_bright_spot_counts_once(head):
    lines = _places(head, (20, 10, 0), (-25, 0, 12), (0, -40, -20), (0, 38, 15))
    signs = _signs(painted(head, lines, 300))
    assert signs.spots == signs.spots_places == 4
    assert signs.long_spots == 0
    assert 15 <= signs.spots_mm <= 45


def test_a_wide_bright_place_is_no_spot(head):
    middle = (np.array(head.array.shape) - 1) / 2 * head.spacing_mm
    for hu, radius in ((90, 25.0), (94, 12.0)):
        assert _signs(painted(head, [([middle], radius)], hu)).spots == 0


def test_noise_is_no_spot(head):
    noise = np.random.default_rng(1).normal(0.0, 25.0, head.array.shape)
    assert _signs(head.with_array(np.rint(head.array + noise).astype(np.int16))).spots <= 2


def test_what_lies_beside_the_skull_is_no_deep_spot(head):
    hu = planes_of(painted(head, _places(head, (61, 0, 0), (0, 79, 0)), 300).array)
    strip = quick_strip(hu, (5.0, 1.7, 1.7))
    assert not deep_spots(hu, strip.cells, strip.brain, (1.7, 1.7)).any()


def test_long_lines_are_told_from_spots(head):
    middle = (np.array(head.array.shape) - 1) / 2 * head.spacing_mm
    lines = [
        ([middle + np.array([x, y, -25]), middle + np.array([x, y, 25])], 2.0)
        for x, y in ((25, 10), (-25, 20))
    ]
    signs = _signs(painted(head, lines, 300))
    assert (signs.spots, signs.long_spots) == (2, 2)


def test_a_line_that_ends_at_the_skull_is_no_bone(head):
    middle = (np.array(head.array.shape) - 1) / 2 * head.spacing_mm
    whole = [([middle + np.array([20, 5, -78]), middle + np.array([20, 5, 78])], 3.0)]
    ridge = [([middle + np.array([20, 70, 0]), middle + np.array([20, 60, 0])], 3.0)]
    signs = _signs(painted(head, whole, 300))
    assert (signs.spots, signs.long_spots) == (1, 1)
    assert _signs(painted(head, ridge, 800)).spots == 0


def test_the_longest_line_counts_unless_there_is_metal(head):
    middle = (np.array(head.array.shape) - 1) / 2 * head.spacing_mm
    line = [([middle + np.array([-52, 5, 0]), middle + np.array([52, 5, 0])], 2.5)]
    vessel = painted(head, line, 300)
    assert 95 <= _signs(vessel).longest_mm <= 125
    clip = [([middle + np.array([0, 25, 0])], 4.0)]
    assert _signs(painted(vessel, clip, 3000)).longest_mm == 0


def test_the_sinus_is_measured_and_not_a_ridge_of_bone(head):
    strip = quick_strip(planes_of(head.array), (5.0, 1.7, 1.7))
    inside = strip.cells.on_voxels(grown(strip.brain)).transpose(2, 1, 0) & (head.array < 200)
    sinuses = Vessels(head, inside).sinuses()
    assert _signs(painted(head, sinuses, 170)).sinus_mm >= 40
    assert _signs(painted(head, sinuses, 70)).sinus_mm == 0
    assert _signs(painted(head, sinuses, 1000)).sinus_mm <= 10


def test_a_bright_lining_is_measured():
    bare, thin = crude_head(), crude_head(150.0)

    def lined(x, y, z):
        inner = (x / 56) ** 2 + (y / 74) ** 2 + (z / 64) ** 2 < 1
        return np.where(inner, bare(x, y, z), thin(x, y, z))

    assert _signs(volume_of(lined, matrix=128, pixel_mm=1.7)).rim_mm >= 40


def _rays(*bright: int) -> np.ndarray:
    rays = np.zeros(120, bool)
    rays[list(bright)] = True
    return rays


@pytest.mark.parametrize(
    ("bright", "middles"),
    [
        ((), []),
        ((58, 59, 60), [59.0]),
        ((58, 61), [59.5]),
        ((50, 51, 65), [50.5, 65.0]),
        (tuple(range(54, 66)), []),
        ((10, 11), []),
        ((58, 59, 62, 66), []),
    ],
)
def test_a_sinus_is_narrow_alone_and_at_the_back(bright, middles):
    rays = _rays(*bright)
    assert _sinus_rays(rays) == middles
    assert sorted(119 - middle for middle in _sinus_rays(rays[::-1])) == middles


@pytest.mark.parametrize(
    ("places", "length"),
    [
        ([], 0),
        ([[59.0], [60.0], [58.0]], 3),
        ([[59.0], [], [60.0]], 2),
        ([[59.0], [], [], [60.0]], 1),
        ([[50.0], [59.0], [68.0]], 1),
        ([[50.0, 59.0], [59.0], [68.0, 61.0]], 3),
    ],
)
def test_a_chain_lies_above_itself_with_gaps_of_one_slice(places, length):
    assert _longest_chain(places) == length
