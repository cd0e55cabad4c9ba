"""A permutation test of equal rates, beside an exact one and on made-up campaigns without a difference."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from nameplate.stats import independence
from nameplate.stats.independence import DRAWS, independence_p

groups = st.lists(
    st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), min_size=1, max_size=5
)


def test_examples() -> None:
    result = doctest.testmod(independence)
    assert result.attempted == 2
    assert result.failed == 0


@given(groups)
def test_a_p_value_or_nothing_to_test(pairs: list[tuple[int, int]]) -> None:
    events, totals = [x for x, _ in pairs], [n for _, n in pairs]
    p = independence_p(events, totals)
    some = sum(n > 0 for n in totals) > 1 and 0 < sum(events) < sum(totals)
    assert (p is not None) == some
    if p is not None:
        assert 1 / (DRAWS + 1) <= p <= 1


@given(groups, st.randoms(use_true_random=False))
def test_neither_order_nor_empty_groups_matter(pairs: list[tuple[int, int]], random) -> None:
    shuffled = [*pairs, (0, 0)]
    random.shuffle(shuffled)
    unzipped = [list(column) for column in zip(*pairs, strict=True)]
    assert independence_p(*unzipped) == independence_p(*map(list, zip(*shuffled, strict=True)))


@given(groups)
def test_having_the_event_and_not_having_it_are_the_same_question(pairs: list[tuple[int, int]]) -> None:
    events, totals = [x for x, _ in pairs], [n for _, n in pairs]
    p, other = independence_p(events, totals), independence_p([n - x for x, n in pairs], totals)
    assert (p is None) == (other is None)
    if p is not None and other is not None:
        assert p == pytest.approx(other, abs=0.03)


@pytest.mark.parametrize(
    ("a", "n", "b", "m"), [(12, 81, 2, 81), (5, 20, 4, 30), (30, 60, 1, 50), (1, 9, 1, 9)]
)
def test_agrees_with_the_exact_test_of_two_groups(a: int, n: int, b: int, m: int) -> None:
    # The two order tables differently (by chi-square and by probability), hence the tolerance.
    exact = fisher_exact([[a, n - a], [b, m - b]]).pvalue
    found = independence_p([a, b], [n, m])
    assert found == pytest.approx(exact, rel=0.15, abs=0.012)


def test_equal_rates_are_rarely_called_different() -> None:
    rng = np.random.default_rng(11)
    ps = [independence_p(rng.binomial([40, 60, 25], 0.2).tolist(), [40, 60, 25]) for _ in range(400)]
    assert sum(p is not None and p < 0.05 for p in ps) <= 33  # 20 expected; 33 is three standard errors more
    assert sum(p is not None and p < 0.5 for p in ps) >= 120  # it is no test that never finds anything


def test_counts_that_cannot_be() -> None:
    with pytest.raises(ValueError, match="0 to all"):
        independence_p([3], [2])
    with pytest.raises(ValueError, match="0 to all"):
        independence_p([1], [2, 2])
