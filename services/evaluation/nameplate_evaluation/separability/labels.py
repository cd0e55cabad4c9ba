"""Which exams are compared: their levels and patients by position, and the levels dealt again by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.exchange import exchanged

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """The level and the patient of each exam."""

    levels: tuple[str, ...]
    level: Positions
    """(exams,): place in ``levels``."""
    patient: Positions
    """(exams,): the same number for exams of one patient, from 0 without a gap."""

    @classmethod
    def of(cls, levels: Sequence[str], exams: Sequence[tuple[str, str]]) -> "Labels":
        """From pairs of level and patient, one an exam."""
        places = {level: place for place, level in enumerate(levels)}
        number: dict[str, int] = {}
        return cls(
            levels=tuple(levels),
            level=np.array([places[level] for level, _ in exams], dtype=np.int64),
            patient=np.array([number.setdefault(p, len(number)) for _, p in exams], dtype=np.int64),
        )

    def where(self, chosen: NDArray[np.bool_]) -> "Labels":
        """The chosen exams, (exams,) of booleans."""
        _, patient = np.unique(self.patient[chosen], return_inverse=True)
        return Labels(levels=self.levels, level=self.level[chosen], patient=patient.astype(np.int64))

    @property
    def exams(self) -> int:
        """How many."""
        return int(self.level.size)

    @cached_property
    def counts(self) -> tuple[int, ...]:
        """Exams of each level."""
        return tuple(int(n) for n in np.bincount(self.level, minlength=len(self.levels)))

    @cached_property
    def patients(self) -> tuple[int, ...]:
        """Patients of each level; one with exams of several counts for each of them."""
        return tuple(np.unique(self.patient[self.level == n]).size for n in range(len(self.levels)))

    @property
    def majority(self) -> float | None:
        """Share of the level with most exams: how often one is right who always names it."""
        return max(self.counts) / self.exams if self.exams else None

    @cached_property
    def exchangeable(self) -> float:
        """How much of the levels' mixture is among patients with the same number of exams, from 0 to 1.

        That is, the chance that two exams of patients with equally many are of different levels, over that
        of any two. 0 where all patients of one level have one exam and those of the other three: then no
        exchange of levels between patients with equally many exams changes anything.
        """
        number = np.bincount(self.patient)[self.patient]
        whole = _mixture(self.level)
        return sum(_mixture(self.level[number == n]) for n in np.unique(number)) / whole if whole else 1.0

    def one_each(self, rng: np.random.Generator) -> NDArray[np.bool_]:
        """Which exams to keep, (exams,), if it is one of each patient and level, chosen by chance."""
        order = rng.permutation(self.exams)
        _, first = np.unique((self.patient * len(self.levels) + self.level)[order], return_index=True)
        chosen = np.zeros(self.exams, dtype=bool)
        chosen[order[first]] = True
        return chosen

    def dealt(self, draws: int, rng: np.random.Generator) -> Positions:
        """The levels dealt again by chance, (draws, exams), as if they had nothing to do with the exams.

        Between patients with equally many exams, and within patients; see ``exchanged``.
        """
        return exchanged(self.level, self.patient, draws, rng)


def _mixture(level: Positions) -> float:
    """Exams times the chance that two of them, drawn with replacement, are of different levels."""
    counts = np.bincount(level)
    return float(level.size - (counts**2).sum() / level.size) if level.size else 0.0
