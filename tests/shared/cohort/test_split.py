"""Table 1 for any number of exams, and blocks that stay together."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign.cohort import SplitSettings
from nameplate.cohort.split import SPLITS, apportion, divide, least_exams, positive_counts, split_counts
from nameplate.streams import stream

PAPER = SplitSettings()
SHARES = st.tuples(*[st.integers(1, 100)] * 3).map(
    lambda parts: SplitSettings(
        train=parts[0] / sum(parts), val=parts[1] / sum(parts), test=parts[2] / sum(parts)
    )
)


def test_391_exams_make_the_papers_table_1():
    counts = split_counts(391, PAPER, 195 / 391)
    rows = [(row.split, row.exams, row.positives, row.negatives) for row in (*counts.rows, counts.total)]
    assert rows == [
        ("train", 276, 138, 138),
        ("val", 34, 17, 17),
        ("test", 81, 40, 41),
        ("all", 391, 195, 196),
    ]
    assert counts.of("val") == 34


@given(total=st.integers(0, 5000), shares=st.lists(st.floats(0.001, 1), min_size=1, max_size=5))
def test_apportioned_numbers_add_up_and_lie_within_one_of_their_share(total, shares):
    counts = apportion(total, shares)
    assert sum(counts) == total
    for count, share in zip(counts, shares, strict=True):
        assert abs(count - total * share / sum(shares)) < 1 + 1e-5


@given(parts=st.lists(st.integers(0, 400), min_size=1, max_size=4), percent=st.integers(1, 99))
def test_positives_lie_within_one_of_their_share_and_come_near_it_together(parts, percent):
    share = percent / 100
    counts = positive_counts(parts, share)
    for part, count in zip(parts, counts, strict=True):
        assert 0 <= count <= part
        assert abs(count - part * share) < 1 + 1e-5
    assert abs(sum(counts) - sum(parts) * share) <= 0.5 + 1e-5


@given(shares=SHARES, percent=st.integers(5, 95))
@settings(max_examples=60, deadline=None)
def test_from_the_least_number_on_every_split_has_both_labels(shares, percent):
    least = least_exams(shares, percent / 100)

    def works(exams):
        return all(r.positives and r.negatives for r in split_counts(exams, shares, percent / 100).rows)

    assert not works(least - 1)
    assert all(works(exams) for exams in range(least, 2 * least))


def test_the_least_number_of_the_papers_shares():
    assert least_exams(PAPER, 195 / 391) == 19


@given(
    sizes=st.lists(st.integers(1, 6), min_size=3, max_size=80),
    shares=SHARES,
    seed=st.integers(0, 2**32),
)
@settings(max_examples=100, deadline=None)
def test_blocks_divide_to_within_their_size(sizes, shares, seed):
    blocks = [{"GE": size} for size in sizes]
    splits = divide(blocks, shares, stream(seed, "split"))
    wanted = apportion(sum(sizes), [shares.train, shares.val, shares.test])
    for split, count in zip(SPLITS, wanted, strict=True):
        have = sum(size for size, at in zip(sizes, splits, strict=True) if at == split)
        assert have - count < max(sizes)


@given(pairs=st.integers(0, 60), ones=st.integers(0, 30), others=st.integers(0, 30), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_pairs_and_single_exams_divide_exactly_per_level(pairs, ones, others, seed):
    blocks = [{"GE": 1, "Siemens": 1}] * pairs + [{"GE": 1}] * ones + [{"Siemens": 1}] * others
    splits = divide(blocks, PAPER, stream(seed, "split"))
    for level, total in (("GE", pairs + ones), ("Siemens", pairs + others)):
        have = [
            sum(block.get(level, 0) for block, at in zip(blocks, splits, strict=True) if at == split)
            for split in SPLITS
        ]
        wanted = apportion(total, [PAPER.train, PAPER.val, PAPER.test])
        assert max(abs(a - b) for a, b in zip(have, wanted, strict=True)) <= 1
        if not ones and not others:
            assert have == wanted


@pytest.mark.parametrize("split", SPLITS)
def test_every_block_can_land_in_every_split(split):
    """The stream decides, not the order of the blocks."""
    blocks = [{"GE": 1}] * 40
    hits = np.array([[at == split for at in divide(blocks, PAPER, stream(s, "x"))] for s in range(150)])
    assert hits.any(axis=0).all()
