"""Which exams are compared: their levels and patients by position, and the levels dealt again by chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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

    def dealt(self, draws: int, rng: np.random.Generator) -> Positions:
        """The levels dealt again by chance, (draws, exams), as if they had nothing to do with the exams.

        A patient whose exams are all of one level gets the level of another such patient for all of them;
        the levels of a patient with exams of several are exchanged among these exams.
        """
        result = np.repeat(self.level[None, :], draws, axis=0)
        if not self.exams:
            return result
        patients = int(self.patient.max()) + 1
        lowest = np.full(patients, len(self.levels))
        np.minimum.at(lowest, self.patient, self.level)
        highest = np.full(patients, -1)
        np.maximum.at(highest, self.patient, self.level)
        pure = lowest == highest
        of_patient = np.repeat(lowest[None, :], draws, axis=0)
        of_patient[:, pure] = rng.permuted(of_patient[:, pure], axis=1)
        single = pure[self.patient]
        result[:, single] = of_patient[:, self.patient[single]]
        order = np.argsort(self.patient, kind="stable")
        sizes = np.bincount(self.patient)
        first = np.cumsum(sizes) - sizes
        for size in np.unique(sizes[~pure]):
            # (patients of this many exams, their places)
            places = order[first[~pure & (sizes == size)][:, None] + np.arange(size)[None, :]]
            result[:, places] = rng.permuted(result[:, places], axis=2)
        return result
