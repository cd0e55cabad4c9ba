"""From the numbers and texts of exams to the columns that a linear probe sees, fold by fold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

BINS = 5
"""Quantile bins of a number, unless it has no more than ``FEW_VALUES`` different ones."""
FEW_VALUES = 8
BIN_WEIGHT = 0.3
"""Size of a bin's indicator beside the number itself. The penalty then leaves most to the number, and yet
finds a bin without fail if that is what tells levels apart."""
RARE = 3
"""Training exams; a value or bin with fewer is no column of its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """A measure of all exams."""

    name: str
    values: NDArray[np.float64]
    """(exams,); NaN where there is none."""
    ranks: NDArray[np.float64]
    """(exams,), in [0, 1): where an exam without a number gets the training exams' value of this rank."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A text of all exams; an empty one is a value like any other."""

    name: str
    values: tuple[str, ...]


Column = Numbers | Texts


def design(columns: Sequence[Column], train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(exams, columns): of mean 0 over the training exams, and of standard deviation 1 or ``BIN_WEIGHT``.

    A number becomes its normal score (from its rank among the training exams, so that no scale and no
    outlier matters) and indicators of its quantile bins, or of its values where there are few: a padding of
    -2000 or -1024 against one of -3000 tells two makes apart, but not by a threshold. A text becomes an
    indicator for each value that the training exams have more than once or twice; rarer and new ones share
    one. Nothing is learnt from the exams outside ``train``.

    An exam without a number gets one drawn from the training exams', so that it looks like any other: that
    a number is missing is not what is probed. (The median would be a mark: a measure that only one make
    lacks would name it.) Columns that are the same in all training exams are left out.
    """
    parts = [
        _of_texts(column, train) if isinstance(column, Texts) else _of_numbers(column, train)
        for column in columns
    ]
    return np.concatenate([np.zeros((len(train), 0)), *parts], axis=1)


def standardised(columns: NDArray[np.float64], train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Columns of mean 0 and standard deviation 1 over the training exams; constant ones are left out."""
    mean, sd = columns[train].mean(axis=0), columns[train].std(axis=0)
    varies = sd > 1e-9 * np.maximum(np.abs(mean), 1e-9)
    scaled: NDArray[np.float64] = (columns[:, varies] - mean[varies]) / sd[varies]
    return scaled


def _of_numbers(column: Numbers, train: NDArray[np.bool_]) -> NDArray[np.float64]:
    known = np.sort(column.values[train & np.isfinite(column.values)])
    if known.size == 0 or known[0] == known[-1]:
        return np.zeros((len(train), 0))
    drawn = known[(column.ranks * known.size).astype(np.intp)]
    values = np.where(np.isfinite(column.values), column.values, drawn)
    below, above = known.searchsorted(values, "left"), known.searchsorted(values, "right")
    share = (below + above) / (2 * known.size)
    edge = 0.5 / known.size
    scores: NDArray[np.float64] = ndtri(share.clip(edge, 1 - edge))
    different = np.unique(known)
    if different.size <= FEW_VALUES:
        edges = (different[:-1] + different[1:]) / 2
    else:
        edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS))
    bins = edges.searchsorted(values, "right")
    indicators = _indicators(bins, edges.size + 1, train)
    return np.column_stack([standardised(scores[:, None], train), BIN_WEIGHT * indicators])


def _of_texts(column: Texts, train: NDArray[np.bool_]) -> NDArray[np.float64]:
    counts = Counter(value for value, learns in zip(column.values, train, strict=True) if learns)
    common = {value: n for n, value in enumerate(sorted(v for v, count in counts.items() if count >= RARE))}
    codes = np.array([common.get(value, len(common)) for value in column.values])
    return _indicators(codes, len(common) + 1, train)


def _indicators(codes: NDArray[np.intp], kinds: int, train: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(exams, kinds that are common enough in training), standardised: whether an exam is of the kind."""
    indicators = (codes[:, None] == np.arange(kinds)).astype(np.float64)
    return standardised(indicators[:, indicators[train].sum(axis=0) >= RARE], train)
