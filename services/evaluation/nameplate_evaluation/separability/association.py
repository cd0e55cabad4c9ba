"""How far a field differs between levels: standardised difference, Cramer's V, statistics of tests."""

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.separability.bins import Bins
from nameplate_evaluation.separability.labels import Positions


def standardised_difference(values: NDArray[np.float64], level: Positions, levels: int) -> float | None:
    """The largest difference of two levels' means in pooled standard deviations, without its sign.

    Pooled is the root of the mean of the two variances (n - 1). None with fewer than two values of a level,
    or where neither of two levels varies and their means differ.
    """
    largest = 0.0
    for first, second in combinations(range(levels), 2):
        # Sorted, so that the last bits do not depend on the order of the exams.
        one, other = np.sort(values[level == first]), np.sort(values[level == second])
        if min(one.size, other.size) < 2:
            return None
        gap = abs(float(one.mean() - other.mean()))
        pooled = float(np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2))
        if pooled <= 1e-12 * max(1.0, abs(float(one.mean()))):
            if gap > 1e-12 * max(1.0, abs(float(one.mean()))):
                return None
            continue
        largest = max(largest, gap / pooled)
    return largest


def cramers_v(code: Positions, level: Positions, levels: int) -> float | None:
    """Cramer's V of values and levels with the correction for bias of Bergsma (J Korean Stat Soc 42, 2013).

    0 is no association and 1 the closest possible one. None where values or levels are all the same, or
    the correction leaves nothing: nearly as many values as exams.
    """
    table = np.zeros((int(code.max()) + 1, levels))
    np.add.at(table, (code, level), 1)
    table = table[table.any(axis=1)][:, table.any(axis=0)]
    rows, columns = table.shape
    total = float(table.sum())
    if min(rows, columns) < 2 or total < 2:
        return None
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / total
    squared = float(((table - expected) ** 2 / expected).sum()) / total
    squared = max(0.0, squared - (rows - 1) * (columns - 1) / (total - 1))
    rest = min(rows - (rows - 1) ** 2 / (total - 1), columns - (columns - 1) ** 2 / (total - 1)) - 1
    return min(1.0, float(np.sqrt(squared / rest))) if rest > 1e-9 else None


def chi_squares(bins: Bins, levels: int, labels: Positions) -> NDArray[np.float64]:
    """What grows with chi-square of bins and levels, for several ways to give the levels.

    From (ways, exams) to (ways,).
    """
    order = np.argsort(bins.code, kind="stable")
    sizes = np.bincount(bins.code)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
    total = np.zeros(len(labels))
    for level in range(levels):
        mine = labels[:, order] == level
        count = np.add.reduceat(mine, starts, axis=1, dtype=np.int64)
        total += (count**2 / sizes[None, :]).sum(axis=1) / np.maximum(mine.sum(axis=1), 1)
    return total


def rank_spreads(rank: Positions, levels: int, labels: Positions) -> NDArray[np.float64]:
    """How far the levels' mean ranks are apart, as in the test of Kruskal and Wallis; shapes as above."""
    sizes = np.bincount(rank)
    middle = np.cumsum(sizes) - (sizes - 1) / 2
    ranks = middle[rank] - (rank.size + 1) / 2
    total = np.zeros(len(labels))
    for level in range(levels):
        mine = labels == level
        total += (mine @ ranks) ** 2 / np.maximum(mine.sum(axis=1), 1)
    return total
