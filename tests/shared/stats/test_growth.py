"""The axis of difficulties, and the growth along it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.dataset import DifficultySettings
from nameplate.stats.growth import difficulty_axis, growth_weights


def _tasks(*shares: float | None, start: str = "task-0") -> list[DifficultySettings]:
    """Difficulties with these shares; None is one that starts from no other."""
    return [
        DifficultySettings(
            name=f"task-{n}",
            radius_mm=(13, 17),
            hu_mean=40,
            hu_sd=2,
            start=None if share is None else start,
            share=1.0 if share is None else share,
        )
        for n, share in enumerate(shares)
    ]


@pytest.mark.parametrize(
    ("shares", "axis"),
    [
        ((None, 0.2, 0.35), (0, 0.2, 0.35)),
        ((None, 0.5, 1.0), (0, 0.5, 1)),
        ((None, 0.2, None), (0, 1, 2)),  # the last one's spheres are its own
        ((None, None), (0, 1)),
        ((None, 0.35, 0.2), (0, 1, 2)),  # easiest first, so the share is not what makes them hard
        ((None, 1.0, 1.0), (0, 1, 2)),
        ((None, 0.2), (0, 0.2)),
        ((None,), (0,)),
        ((), ()),
    ],
)
def test_tasks_are_at_their_share_where_each_has_a_larger_one(
    shares: tuple[float | None, ...], axis: tuple[float, ...]
) -> None:
    assert difficulty_axis(_tasks(*shares)) == axis


def test_the_weights_of_the_papers_tasks() -> None:
    assert growth_weights((0, 0.20, 0.35)).round(2).tolist() == [-1.04, 0.09, 0.95]
    assert growth_weights((0, 1)).tolist() == [-1, 1]
    assert growth_weights((0, 1, 2)).tolist() == [-1, 0, 1]


@given(
    st.lists(st.floats(0.01, 1), min_size=2, max_size=8),
    st.floats(-1, 1),
    st.floats(-1, 1),
)
def test_growth_is_the_rise_of_a_line_and_nothing_for_a_constant(
    steps: list[float], level: float, slope: float
) -> None:
    axis = np.cumsum(steps)
    weights = growth_weights(axis.tolist())
    assert weights @ (level + slope * axis) == pytest.approx(slope * (axis[-1] - axis[0]), abs=1e-9)
    assert weights.sum() == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("axis", [(), (0.0,), (1.0, 1.0)])
def test_one_place_has_no_growth(axis: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="two tasks at different places"):
        growth_weights(axis)
