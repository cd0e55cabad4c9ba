"""Overlap: the share of the exams whose value of a field all levels have.

With a value that one level alone has, nobody can say whether a difference is the level's or the value's.
"""

from collections.abc import Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.separability.bins import Bins
from nameplate_evaluation.separability.labels import Positions

FEWEST_EXAMS = 2
"""Exams from which on a level has a value: a single one may be a slip in a header."""
EXPECTED_FOR_FEWEST = 4.0
"""Where a level would have fewer exams by its share of all, one exam is enough."""
LEAST_SHARE = 0.1
"""Of the exams that it would have by its share of all: with fewer, a level does not have the value."""


def overlaps(bins: Bins, levels: int, labels: Positions) -> NDArray[np.float64]:
    """The share for each of several ways to give the exams their levels: (ways, exams) to (ways,).

    A level has a bin if it has enough exams in it: 2, or 1 where its share of all exams would give it fewer
    than 4, and at least a tenth of what its share would give it. In a bin of a number two levels must not
    lie side by side, either: one below the other, with neither in the next bin on the other's side.
    """
    order = np.argsort(bins.code, kind="stable")
    sizes = np.bincount(bins.code)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    mine = [labels[:, order] == level for level in range(levels)]
    counts = [np.add.reduceat(part, starts, axis=1, dtype=np.int64) for part in mine]
    shared = np.ones((len(labels), sizes.size), dtype=bool)
    for part, count in zip(mine, counts, strict=True):
        expected = part.mean(axis=1)[:, None] * sizes[None, :]
        needed = np.where(expected < EXPECTED_FOR_FEWEST, 1.0, FEWEST_EXAMS)
        shared &= count >= np.maximum(needed, LEAST_SHARE * expected)
    if bins.ordered:
        shared &= ~_side_by_side(mine, counts, bins.rank[order], starts)
    return np.asarray(shared @ sizes / bins.code.size, dtype=np.float64)


def _side_by_side(
    mine: Sequence[NDArray[np.bool_]],
    counts: Sequence[Positions],
    rank: Positions,
    starts: NDArray[np.intp],
) -> NDArray[np.bool_]:
    """Whether some level ends in a bin where another one begins: (ways, bins)."""
    none = int(rank.max()) + 1
    foot = [np.minimum.reduceat(np.where(part, rank, none), starts, axis=1) for part in mine]
    top = [np.maximum.reduceat(np.where(part, rank, -1), starts, axis=1) for part in mine]
    apart = np.zeros(counts[0].shape, dtype=bool)
    for low, high in permutations(range(len(mine)), 2):
        ends = np.ones_like(apart)
        ends[:, :-1] = counts[low][:, 1:] == 0
        begins = np.ones_like(apart)
        begins[:, 1:] = counts[high][:, :-1] == 0
        apart |= (top[low] < foot[high]) & ends & begins
    return apart
