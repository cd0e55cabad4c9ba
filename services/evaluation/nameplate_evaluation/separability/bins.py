"""The values of a field as bins: a text's own values, or the quantiles of a number."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.separability.labels import Positions

MOST_BINS = 10
"""Of a number: deciles."""
FEWEST_BINS = 3
EXAMS_A_BIN = 5
"""Of each level, on average: with fewer a level would be missing in a bin by chance."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Bins:
    """The bin of each exam, and its rank by value within all exams."""

    code: Positions
    """(exams,): bins from 0 without a gap; those of a number ascend."""
    rank: Positions
    """(exams,): of a number its place among the different values, of a text 0."""
    ordered: bool
    """Whether the bins are of a number."""

    @property
    def count(self) -> int:
        """Number of bins."""
        return int(self.code.max()) + 1 if self.code.size else 0


def text_bins(values: Sequence[str]) -> Bins:
    """A bin for each text."""
    _, code = np.unique(np.array(values, dtype=object).astype(str), return_inverse=True)
    code = code.astype(np.int64)
    return Bins(code=code, rank=np.zeros_like(code), ordered=False)


def number_bins(
    values: NDArray[np.float64], levels: int, *, exams_a_bin: int = EXAMS_A_BIN, most: int = MOST_BINS
) -> Bins:
    """A bin for each value where there are few, and quantiles of all exams otherwise.

    At ``most`` as many, and fewer with few exams: ``exams_a_bin`` of each of ``levels`` should be in a bin.
    Equal values are in one bin.
    """
    different, rank = np.unique(values, return_inverse=True)
    rank = rank.astype(np.int64)
    wanted = min(max(values.size // (exams_a_bin * levels), FEWEST_BINS), most)
    if different.size <= wanted:
        return Bins(code=rank, rank=rank, ordered=True)
    cuts = np.unique(np.quantile(rank, np.arange(1, wanted) / wanted, method="higher"))
    _, code = np.unique(np.searchsorted(cuts, rank, side="right"), return_inverse=True)
    return Bins(code=code.astype(np.int64), rank=rank, ordered=True)
