"""How often the level of an exam is named right from its fields, in folds that keep patients together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.separability.bins import Bins
from nameplate_evaluation.separability.labels import Labels, Positions

FOLDS = 5


def folds_of(labels: Labels, rng: np.random.Generator) -> Positions | None:
    """The fold of each exam, (exams,); None with fewer than two patients.

    Patients are dealt level by level, so that every fold has its part of each.
    """
    first = np.full(int(labels.patient.max(initial=-1)) + 1, len(labels.levels))
    np.minimum.at(first, labels.patient, labels.level)
    if first.size < 2:
        return None
    order = rng.permutation(first.size)
    order = order[np.argsort(first[order], kind="stable")]
    fold = np.empty(first.size, dtype=np.int64)
    fold[order] = np.arange(first.size) % min(FOLDS, first.size)
    return fold[labels.patient]


def accuracy_alone(bins: Bins, labels: Labels, fold: Positions) -> float:
    """Share of exams named right from one field, which is known of all of them.

    Named is the level that most training exams of the same bin have; with a tie or a bin without training
    exams, the level that most training exams have. A number's bin without any takes its nearest one.
    """
    right = 0
    for number in np.unique(fold):
        test = fold == number
        table = _table(bins.code[~test], labels.level[~test], bins.count, len(labels.levels))
        overall = table.sum(axis=0)
        # A small part of the overall counts decides ties, and nothing else.
        named = np.argmax(table + overall[None, :] / (overall.sum() + 1.0), axis=1)
        if bins.ordered:
            filled = np.flatnonzero(table.any(axis=1))
            if filled.size:
                away = np.abs(np.arange(bins.count)[:, None] - filled[None, :])
                named = named[filled[np.argmin(away, axis=1)]]
        right += int((named[bins.code[test]] == labels.level[test]).sum())
    return right / labels.exams


def accuracies_together(
    fields: Sequence[tuple[Bins, Positions]],
    wanted: Sequence[NDArray[np.bool_]],
    labels: Labels,
    fold: Positions,
) -> list[float]:
    """Shares of exams named right from several fields at once, each counted as if independent (naive Bayes).

    ``fields`` are the bins of the exams whose value is known, with these exams' places; a field says nothing
    of the others. Each of ``wanted`` (fields,) says which fields are used.
    """
    levels = len(labels.levels)
    prior = np.zeros((labels.exams, levels))
    evidence = np.zeros((len(fields), labels.exams, levels))
    for number in np.unique(fold):
        test = fold == number
        counts = np.bincount(labels.level[~test], minlength=levels)
        prior[test] = np.log(counts + 0.5)
        for place, (bins, known) in enumerate(fields):
            training = ~test[known]
            table = _table(bins.code[training], labels.level[known][training], bins.count, levels)
            # A half for each bin: a value that a level never had is unlikely, not impossible.
            share = (table + 0.5) / (table.sum(axis=0, keepdims=True) + 0.5 * bins.count)
            seen = table.any(axis=1)
            share[~seen] = 1.0
            evidence[place, known[~training]] = np.log(share)[bins.code[~training]]
    result = []
    for used in wanted:
        named = np.argmax(prior + evidence[used].sum(axis=0), axis=1)
        result.append(float((named == labels.level).mean()))
    return result


def _table(code: Positions, level: Positions, bins: int, levels: int) -> NDArray[np.float64]:
    """Exams by bin and level, (bins, levels)."""
    counts = np.bincount(code * levels + level, minlength=bins * levels)
    return counts.reshape(bins, levels).astype(np.float64)
