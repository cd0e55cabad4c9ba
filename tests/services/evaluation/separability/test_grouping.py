"""Groups of a field's values, as the campaign's own settings."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.field import FIELDS
from nameplate_evaluation.separability.grouping import grouping


def test_texts_are_groups_of_their_own_unless_there_are_too_many():
    assert grouping(FIELDS["kernel_class"], ["soft", "sharp", None], 4).name == "kernel_class"
    assert grouping(FIELDS["kernel_class"], ["soft", "soft"], 4) is None
    assert grouping(FIELDS["kernel"], [f"k{n}" for n in range(30)], 4) is None


def test_few_numbers_are_cut_halfway():
    assert grouping(FIELDS["thickness_mm"], [2.5, 5.0, 5.0, None], 4).bins == (3.75,)


def test_many_numbers_are_cut_at_round_quantiles():
    values = np.random.default_rng(1).normal(240, 40, 400).tolist()
    bins = grouping(FIELDS["exposure_mas"], values, 4).bins
    assert len(bins) == 3
    assert all(cut % 5 == 0 for cut in bins)
    assert np.abs(np.array(bins) - np.quantile(values, [0.25, 0.5, 0.75])).max() < 5


def test_one_value_has_no_groups():
    assert grouping(FIELDS["kvp"], [120.0] * 9, 4) is None
    assert grouping(FIELDS["kvp"], [None, None], 4) is None


@given(st.lists(st.floats(-1e4, 1e4).map(lambda x: round(x, 3)), min_size=1, max_size=60), st.integers(2, 5))
def test_no_group_at_an_end_is_empty(values, parts):
    groups = grouping(FIELDS["tilt_degrees"], values, parts)
    if groups is None:
        return
    assert 1 <= len(groups.bins) <= max(parts - 1, 1)
    assert min(values) < groups.bins[0]
    assert groups.bins[-1] <= max(values)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e5])
def test_cuts_suit_the_scale(scale):
    values = [scale * n for n in range(1, 101)]
    bins = grouping(FIELDS["pixel_mm"], values, 2).bins
    assert bins[0] == pytest.approx(50 * scale, rel=0.3)
