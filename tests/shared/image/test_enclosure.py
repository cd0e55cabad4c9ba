import numpy as np

from nameplate.image.enclosure import enclosure


def _slow(bone: np.ndarray, place: tuple[int, int, int]) -> float:
    met = counted = 0
    for step in np.ndindex(3, 3, 3):
        direction = np.array(step) - 1
        if not direction.any():
            continue
        at = np.array(place) + direction
        while all(0 <= at[axis] < bone.shape[axis] for axis in range(3)) and not bone[tuple(at)]:
            at = at + direction
        if all(0 <= at[axis] < bone.shape[axis] for axis in range(3)):
            met += 1
            counted += 1
        elif 0 <= at[0] < bone.shape[0]:
            counted += 1
        elif not all(0 <= at[axis] < bone.shape[axis] for axis in (1, 2)):
            # Out by a corner: the end slice is what counts.
            pass
    return met / counted


def test_enclosure_agrees_with_rays_walked_one_by_one():
    bone = np.random.default_rng(2).random((6, 7, 8)) < 0.06
    share = enclosure(bone)
    for place in np.ndindex(*bone.shape):
        assert abs(share[place] - _slow(bone, place)) < 1e-12


def test_middle_of_a_shell_is_closed_and_outside_is_not():
    bone = np.ones((9, 9, 9), bool)
    bone[1:-1, 1:-1, 1:-1] = False
    assert enclosure(bone)[4, 4, 4] == 1.0
    assert enclosure(np.zeros((5, 5, 5), bool)).max() == 0.0
    assert enclosure(np.zeros((1, 1, 1), bool)).tolist() == [[[0.0]]]
