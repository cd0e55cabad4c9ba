"""Overlap: the share of the exams whose value of a field all levels have.

With a value that one level alone has, nobody can say whether a difference is the level's or the value's. For
texts the values are looked at one by one. Numbers that hardly ever repeat have no such values, and deciles in
their place would call two ranges together that touch in one: of a number, an exam counts unless it lies in a
stretch of values without one of the levels that is longer than chance would make it.
"""

import math

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
BY_CHANCE = 0.02
"""A stretch of so many exams would be without a level with this probability; longer ones are a gap."""


def overlaps(bins: Bins, levels: int, labels: Positions) -> NDArray[np.float64]:
    """The share for each of several ways to give the exams their levels: (ways, exams) to (ways,).

    A level has a value if it has enough exams with it: 2, or 1 where its share of all exams would give it
    fewer than 4, and at least a tenth of what its share would give it.
    """
    value = bins.rank if bins.ordered else bins.code
    order = np.argsort(value, kind="stable")
    sizes = np.bincount(value)
    starts = (np.cumsum(sizes) - sizes).astype(np.intp)
    shared = np.ones((len(labels), sizes.size), dtype=bool)
    for level in range(levels):
        mine = labels[:, order] == level
        share = mine.mean(axis=1)[:, None]
        count = np.add.reduceat(mine, starts, axis=1, dtype=np.int64)
        expected = share * sizes[None, :]
        needed = np.where(expected < EXPECTED_FOR_FEWEST, 1.0, FEWEST_EXAMS)
        has = count >= np.maximum(needed, LEAST_SHARE * expected)
        shared &= has | ~_in_gap(has, sizes, share) if bins.ordered else has
    return np.asarray(shared @ sizes / value.size, dtype=np.float64)


def _in_gap(has: NDArray[np.bool_], sizes: Positions, share: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which values lie in a stretch without a level that is too long for chance: (ways, values).

    ``has`` says which values the level has, ``sizes`` how many exams each value, and ``share`` (ways, 1)
    what part of all exams are the level's.
    """
    ways, values = has.shape
    stretch = np.cumsum(has, axis=1) + (values + 1) * np.arange(ways)[:, None]
    exams = np.where(has, 0, sizes[None, :])
    length = np.bincount(stretch.ravel(), weights=exams.ravel(), minlength=ways * (values + 1))
    longest = math.log(BY_CHANCE) / np.log1p(-np.clip(share, 1e-9, 1 - 1e-9))
    return np.asarray(length[stretch] >= np.maximum(np.ceil(longest), 2))
