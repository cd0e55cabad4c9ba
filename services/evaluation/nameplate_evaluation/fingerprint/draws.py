"""The exams that are probed: their levels, the folds they are in, and the labels that chance would give."""

from collections import Counter
from collections.abc import Mapping, Sequence
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


def labels_of(
    subjects: Sequence[Subject],
    levels: Sequence[str],
    seed: int,
    names: tuple[str, ...],
    draws: int = DRAWS,
) -> Labels | Missing:
    """Folds and permuted labels; the order of ``subjects`` does not matter.

    Permuted are the labels, and a patient's stay together: patients with the same number of exams
    exchange their lists of labels, and within a patient the labels change places. Where every patient has
    one exam this is the plain permutation. Where a patient has an exam of each level (twins, or somebody
    who was scanned on two machines) every draw keeps that, so what all exams of a patient share cannot pass
    for a mark of the level; and where a patient's exams are all of one level, so it is in every draw, so
    that exams which are alike count as one. The folds do not look at the labels.
    """
    counts = Counter(subject.level for subject in subjects)
    enough = tuple(level for level in levels if counts[level] >= LEAST_EXAMS)
    few = tuple(
        f"{level}: {counts[level]} exams, needs {LEAST_EXAMS}" for level in levels if level not in enough
    )
    if len(enough) < 2:
        return Missing(f"too few exams ({'; '.join(few) or 'one level'})")
    chosen = sorted((s for s in subjects if s.level in enough), key=lambda subject: subject.exam)
    codes = np.array([enough.index(subject.level) for subject in chosen], dtype=np.int8)
    places: dict[str, list[int]] = {}
    for place, subject in enumerate(chosen):
        places.setdefault(subject.patient, []).append(place)
    if len(places) < 2 * FOLDS:
        return Missing(f"too few patients ({len(places)}, needs {2 * FOLDS})")
    by_patient = [places[patient] for patient in sorted(places)]
    return Labels(
        exams=tuple(subject.exam for subject in chosen),
        levels=enough,
        codes=codes,
        folds=_folds(by_patient, len(chosen), stream(seed, *names, "folds")),
        draws=_permuted(codes, by_patient, draws, stream(seed, *names, "labels")),
        seed=seed,
        names=names,
        left_out=few,
    )


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
