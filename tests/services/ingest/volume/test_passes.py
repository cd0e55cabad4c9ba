"""Gaps that one pass over the head leaves, and those that only two passes leave."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate_ingest.volume.passes import stray_gaps

gaps_mm = st.floats(0.5, 7.5)
counts = st.integers(8, 60)


@given(gaps_mm, counts, st.floats(0.5, 10.0))
def test_even_gaps_are_one_pass_whatever_the_thickness(gap: float, count: int, thickness: float) -> None:
    assert stray_gaps(np.arange(count) * gap, [thickness] * count) == 0


@given(st.floats(1.0, 3.0), st.floats(4.0, 7.5), counts, counts)
def test_thin_slices_below_thick_ones_are_one_pass(thin: float, thick: float, few: int, many: int) -> None:
    gaps = [thin] * few + [thick] * many
    along = np.concatenate([[0.0], np.cumsum(gaps)])
    assert stray_gaps(along, [thin] * (few + 1) + [thick] * many) == 0


@given(st.floats(3.0, 7.5), st.floats(0.1, 0.4), st.integers(15, 40))
def test_a_second_pass_between_the_slices_of_the_first_is_seen(gap: float, share: float, count: int) -> None:
    first = np.arange(count) * gap
    along = np.sort(np.concatenate([first, first + share * gap]))
    assert stray_gaps(along, [gap] * len(along)) > 0


@given(st.integers(15, 40), st.integers(5, 10))
def test_a_second_pass_half_way_between_over_a_part_is_seen(count: int, again: int) -> None:
    first = np.arange(count) * 5.0
    along = np.sort(np.concatenate([first, first[-again:] + 2.5]))
    assert stray_gaps(along, [5.0] * len(along)) > 0


@pytest.mark.parametrize("thickness", [0.0, 5.0])
def test_a_few_gaps_tell_nothing(thickness: float) -> None:
    assert stray_gaps(np.array([0.0, 2.0, 5.0, 7.0, 10.0]), [thickness] * 5) == 0
