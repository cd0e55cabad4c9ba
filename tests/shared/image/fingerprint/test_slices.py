"""What several measures need of slices: computed once, the run with the most brain, masks without holes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes

from nameplate.image.fingerprint.slices import Slices, extremes, most_brain, once, without_holes
from nameplate.streams import stream


def _slices(hu: list[float]) -> Slices:
    array = np.array(hu, np.float32).reshape(1, 1, -1)
    return Slices(array, np.ones(array.shape, bool), (1.0, 1.0), 5.0)


def test_what_is_asked_for_twice_is_computed_once_for_each_exam() -> None:
    asked = []
    counted = once(lambda slices: asked.append(slices))
    one, other = _slices([1.0]), _slices([1.0])
    for slices in (one, other, one):
        assert counted(slices) is None
    assert asked == [one, other]


def test_extremes_leave_out_what_is_not_known() -> None:
    assert extremes(_slices([3.0, np.nan, -1.0])) == (-1.0, 3.0)
    assert extremes(_slices([3.0, 2.0, -1.0])) == (-1.0, 3.0)
    assert all(np.isnan(extremes(_slices([np.nan]))))
    assert all(np.isnan(extremes(_slices([]))))


@given(areas=st.lists(st.integers(0, 6), min_size=1, max_size=12), most=st.integers(1, 14))
def test_no_other_run_holds_more_brain(areas: list[int], most: int) -> None:
    brain = np.arange(6) < np.array(areas)[:, None, None]
    run = most_brain(brain, most)
    count = min(most, len(areas))
    assert run.stop - run.start == count
    assert sum(areas[run]) == max(sum(areas[k : k + count]) for k in range(len(areas) - count + 1))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6), share=st.floats(0.2, 0.8))
def test_holes_are_filled_in_each_slice(seed: int, share: float) -> None:
    planes = stream(seed, "holes").random((3, 12, 10)) < share
    expected = np.stack([binary_fill_holes(plane) for plane in planes])
    np.testing.assert_array_equal(without_holes(planes), expected)
