"""The exams that are probed: their levels, the folds they are in, and the labels that chance would give."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.image.fingerprint.slices import Missing
from nameplate.streams import stream

FOLDS = 5
DRAWS = 2000
"""Permutations of the labels behind every band and p-value."""
LEAST_EXAMS = 10
"""Exams of a level, below which it is not probed."""


@dataclass(frozen=True, slots=True)
class Subject:
    """An exam that may be probed."""

    exam: str
    patient: str
    level: str


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Exams in order of their names, with what a probe has to name."""

    exams: tuple[str, ...]
    levels: tuple[str, ...]
    codes: NDArray[np.int8]
    """(exams,): the place of each exam's level in ``levels``."""
    folds: NDArray[np.int8]
    """(exams,): the fold in which it is held out; all exams of a patient are in one."""
    draws: NDArray[np.int8]
    """(draws, exams): codes as chance would give them."""
    seed: int
    names: tuple[str, ...]
    """Of the random streams."""
    left_out: tuple[str, ...] = ()
    """Levels with too few exams, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Permuted:
    """Exams with labels that chance would give them; parts of the exams can be probed apart.

    Results of several parts may be averaged, and so may their null values, draw by draw: every part has the
    same draws, so that the labels of a patient with exams in two parts hang together in the null as they do
    in what is observed.
    """

    subjects: tuple[Subject, ...]
    """In order of their exams' names."""
    levels: tuple[str, ...]
    draws: NDArray[np.int8]
    """(draws, exams): places in ``levels``."""
    seed: int
    names: tuple[str, ...]
    left_out: tuple[str, ...]

    def labels(self, exams: Collection[str]) -> Labels | Missing:
        """Labels of those of the exams whose level is probed; Missing if a level or patients are too few."""
        wanted = set(exams)
        here = [place for place, subject in enumerate(self.subjects) if subject.exam in wanted]
        chosen = [self.subjects[place] for place in here]
        counts = Counter(subject.level for subject in chosen)
        few = _few({level: counts[level] for level in self.levels})
        if few:
            return Missing(f"too few exams ({'; '.join(few.values())})")
        by_patient = _by_patient(chosen)
        if len(by_patient) < 2 * FOLDS:
            return Missing(f"too few patients ({len(by_patient)}, needs {2 * FOLDS})")
        return Labels(
            exams=tuple(subject.exam for subject in chosen),
            levels=self.levels,
            codes=_codes(chosen, self.levels),
            folds=_folds(by_patient, len(chosen), stream(self.seed, *self.names, "folds")),
            draws=self.draws[:, here],
            seed=self.seed,
            names=self.names,
            left_out=self.left_out,
        )


def labels_of(
    subjects: Sequence[Subject],
    levels: Sequence[str],
    seed: int,
    names: tuple[str, ...],
    draws: int = DRAWS,
) -> Labels | Missing:
    """Folds and permuted labels of all exams of levels with enough of them; see ``permuted``."""
    found = permuted(subjects, levels, seed, names, draws)
    if isinstance(found, Missing):
        return found
    return found.labels([subject.exam for subject in found.subjects])


def permuted(
    subjects: Sequence[Subject],
    levels: Sequence[str],
    seed: int,
    names: tuple[str, ...],
    draws: int = DRAWS,
    *,
    parts: Sequence[Collection[str]] = (),
) -> Permuted | Missing:
    """Permute the labels of all exams together; the order of ``subjects`` does not matter.

    A patient's labels stay together: patients with the same number of exams exchange their lists of labels,
    and within a patient the labels change places. Where every patient has one exam this is the plain
    permutation. Where a patient has an exam of each level (twins, or somebody who was scanned on two
    machines) every draw keeps that, so what all exams of a patient share cannot pass for a mark of the
    level; and where a patient's exams are all of one level, so it is in every draw, so that exams which are
    alike count as one. The folds do not look at the labels.

    ``parts`` are sets of exams that will be probed apart: a level needs enough exams in each of them.
    """
    sets = [set(part) for part in parts] or [{subject.exam for subject in subjects}]
    counted = [Counter(s.level for s in subjects if s.exam in part) for part in sets]
    few = _few({level: min(counts[level] for counts in counted) for level in levels})
    enough = tuple(level for level in levels if level not in few)
    if len(enough) < 2:
        return Missing(f"too few exams ({'; '.join(few.values()) or 'one level'})")
    chosen = sorted((s for s in subjects if s.level in enough), key=lambda subject: subject.exam)
    random = stream(seed, *names, "labels")
    return Permuted(
        subjects=tuple(chosen),
        levels=enough,
        draws=_permuted(_codes(chosen, enough), _by_patient(chosen), draws, random),
        seed=seed,
        names=names,
        left_out=tuple(few.values()),
    )


def _few(counts: Mapping[str, int]) -> dict[str, str]:
    """The levels with too few exams, in words."""
    return {
        level: f"{level}: {count} exams, needs {LEAST_EXAMS}"
        for level, count in counts.items()
        if count < LEAST_EXAMS
    }


def _codes(subjects: Sequence[Subject], levels: Sequence[str]) -> NDArray[np.int8]:
    return np.array([levels.index(subject.level) for subject in subjects], dtype=np.int8)


def _by_patient(subjects: Sequence[Subject]) -> list[list[int]]:
    """The places of each patient's exams, patients in order of their names."""
    places: dict[str, list[int]] = {}
    for place, subject in enumerate(subjects):
        places.setdefault(subject.patient, []).append(place)
    return [places[patient] for patient in sorted(places)]


def _folds(by_patient: Sequence[list[int]], exams: int, random: np.random.Generator) -> NDArray[np.int8]:
    """Patients in random order, each to the fold with the fewest exams so far; large patients first."""
    folds, sizes = np.zeros(exams, dtype=np.int8), np.zeros(FOLDS, dtype=int)
    order = sorted(random.permutation(len(by_patient)), key=lambda n: -len(by_patient[n]))
    for n in order:
        fold = int(sizes.argmin())
        folds[by_patient[n]] = fold
        sizes[fold] += len(by_patient[n])
    return folds


def _permuted(
    codes: NDArray[np.int8], by_patient: Sequence[list[int]], draws: int, random: np.random.Generator
) -> NDArray[np.int8]:
    permuted = np.tile(codes, (draws, 1))
    for size, same in _by_size(by_patient).items():
        labels = codes[same]  # (patients, exams of each)
        order = random.random((draws, len(same))).argsort(axis=1)
        exchanged = labels[order]
        if size > 1:
            within = random.random(exchanged.shape).argsort(axis=2)
            exchanged = np.take_along_axis(exchanged, within, axis=2)
        permuted[:, same.ravel()] = exchanged.reshape(draws, -1)
    return permuted


def _by_size(by_patient: Sequence[list[int]]) -> Mapping[int, NDArray[np.intp]]:
    """Places of the exams, (patients, exams of each), by the number of exams of a patient."""
    sizes: dict[int, list[list[int]]] = {}
    for places in by_patient:
        sizes.setdefault(len(places), []).append(places)
    return {size: np.array(sizes[size], dtype=np.intp) for size in sorted(sizes)}
