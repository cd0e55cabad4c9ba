"""The split by patient, and how many exams and positives each part holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from nameplate.campaign.cohort import SplitSettings
from nameplate.records import Split

SPLITS: tuple[Split, ...] = get_args(Split)


@dataclass(frozen=True, kw_only=True)
class SplitCount:
    """One row of the paper's Table 1, for one level of the factor."""

    split: str
    exams: int
    positives: int

    @property
    def negatives(self) -> int:
        """Exams without a sphere."""
        return self.exams - self.positives


@dataclass(frozen=True, kw_only=True)
class SplitCounts:
    """Table 1 for one level of the factor."""

    rows: tuple[SplitCount, ...]

    @property
    def total(self) -> SplitCount:
        """All splits together."""
        return SplitCount(
            split="all",
            exams=sum(row.exams for row in self.rows),
            positives=sum(row.positives for row in self.rows),
        )

    def of(self, split: Split) -> int:
        """Exams of a split."""
        return next(row.exams for row in self.rows if row.split == split)


def apportion(total: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers that add up to ``total``, in proportion to ``shares`` (largest remainders).

    >>> apportion(391, [552 / 782, 68 / 782, 162 / 782])
    [276, 34, 81]
    """
    exact = [total * share / sum(shares) for share in shares]
    # Rounded first: 33.999999999 is 34 and not 33 with the largest remainder.
    counts = [int(round(value, 6)) for value in exact]
    order = sorted(range(len(shares)), key=lambda n: (-round(exact[n] - counts[n], 6), n))
    for n in order[: total - sum(counts)]:
        counts[n] += 1
    return counts


def split_counts(exams: int, shares: SplitSettings, positives: float) -> SplitCounts:
    """How ``exams`` of one level divide over splits and labels.

    With 391 exams and the paper's shares this is the paper's Table 1: 276, 34 and 81 exams with
    138, 17 and 40 positives.
    """
    parts = apportion(exams, [shares.train, shares.val, shares.test])
    return SplitCounts(
        rows=tuple(
            SplitCount(split=split, exams=part, positives=positive)
            for split, part, positive in zip(SPLITS, parts, positive_counts(parts, positives), strict=True)
        )
    )


def positive_counts(parts: Sequence[int], share: float) -> list[int]:
    """Positives of each split, so that each split and the whole come as near to ``share`` as possible."""
    exact = [part * share for part in parts]
    counts = [int(round(value, 6)) for value in exact]
    missing = round(sum(parts) * share) - sum(counts)
    order = sorted(range(len(parts)), key=lambda n: (-round(exact[n] - counts[n], 6), n))
    for n in order[: max(0, missing)]:
        counts[n] += 1
    return counts


def least_exams(shares: SplitSettings, positives: float) -> int:
    """The number of exams per level from which on every split has a positive and a negative.

    Some smaller numbers also happen to work (with the paper's shares 16, but not 17 or 18).
    """
    rare = min(positives, 1 - positives)
    part = math.ceil(1 / rare) if rare else 1
    # Always enough: the smallest split then has ``part`` exams, however things are rounded.
    exams = math.ceil(part / min(shares.train, shares.val, shares.test)) + 1
    while all(row.positives and row.negatives for row in split_counts(exams - 1, shares, positives).rows):
        exams -= 1
    return exams


def divide(
    blocks: Sequence[Mapping[str, int]], shares: SplitSettings, rng: np.random.Generator
) -> list[Split]:
    """Assign each block of exams, which must stay together, to a split.

    ``blocks`` say how many exams of each level (or of each level and label) they hold. Large blocks go
    first; each goes where it exceeds the wanted numbers least, then where they are least filled. So equal
    blocks divide exactly, and small blocks make up for the large ones.
    """
    levels = sorted({level for block in blocks for level in block})
    totals = {level: sum(block.get(level, 0) for block in blocks) for level in levels}
    wanted = {level: apportion(totals[level], [shares.train, shares.val, shares.test]) for level in levels}
    given = {level: [0] * len(SPLITS) for level in levels}

    def merit(block: Mapping[str, int], split: int) -> tuple[int, float, int]:
        excess, room = 0, 0.0
        for level, count in block.items():
            free = wanted[level][split] - given[level][split]
            excess += max(0, count - free)
            room += count * free / max(1, wanted[level][split])
        return -excess, room, -split

    order = [int(n) for n in rng.permutation(len(blocks))]
    order.sort(key=lambda n: -sum(blocks[n].values()))
    result: list[Split] = [SPLITS[0]] * len(blocks)
    for n in order:
        block = blocks[n]
        best = max(range(len(SPLITS)), key=lambda split: merit(block, split))
        result[n] = SPLITS[best]
        for level, count in block.items():
            given[level][best] += count
    return result
