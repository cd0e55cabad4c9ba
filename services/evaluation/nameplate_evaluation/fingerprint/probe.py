"""How well a group of numbers names the level of the factor, and what chance alone would reach.

The probe is a linear discriminant: ridge regression on labels of +1 and -1. It has a closed form, so its
answers to one list of labels and to thousands of permuted ones are the same matrix product.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate_evaluation.fingerprint.design import Column, Texts, design, standardised
from nameplate_evaluation.fingerprint.draws import FOLDS, Labels

LEAST_SHARE = 0.1
"""Of the exams that must have a number; with fewer the measure is left out and named."""
LEAST_KNOWN = 10


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A probe's result on exams that it was not trained on."""

    auroc: float
    """0.5 is chance. Of several levels, each against the rest, the mean."""
    balanced_accuracy: float
    """Mean of sensitivity and specificity; 0.5 is chance. Several levels as above."""
    null: NDArray[np.float64]
    """(draws,): the AUROC for permuted labels."""
    left_out: tuple[str, ...] = ()
    """Measures that too few exams have."""
    constant: bool = False
    """Whether every number is the same in all exams, so that nothing can be named."""


def probe(labels: Labels, columns: Sequence[Column]) -> Probe | None:
    """Cross-validated by patients; None if too few exams have any of the numbers."""
    needed = max(LEAST_KNOWN, LEAST_SHARE * len(labels.exams))
    kept = [c for c in columns if isinstance(c, Texts) or np.isfinite(c.values).sum() >= needed]
    if not kept:
        return None
    names = {column.name for column in kept}
    return _probed(
        labels,
        lambda train: design(kept, train),
        tuple(column.name for column in columns if column.name not in names),
        constant=all(_is_constant(column) for column in kept),
    )


def probe_features(labels: Labels, features: NDArray[np.float32]) -> Probe:
    """The same for a network's features (exams, features), as they are: no ranks and no bins.

    Features that are not finite in all exams are left out.
    """
    finite = features[:, np.isfinite(features).all(axis=0)].astype(np.float64)
    constant = finite.size == 0 or bool((finite == finite[:1]).all())
    return _probed(labels, lambda train: standardised(finite, train), constant=constant)


def _is_constant(column: Column) -> bool:
    if isinstance(column, Texts):
        return len(set(column.values)) < 2
    known = column.values[np.isfinite(column.values)]
    return bool((known == known[0]).all())


def _probed(
    labels: Labels,
    columns_of: Callable[[NDArray[np.bool_]], NDArray[np.float64]],
    left_out: tuple[str, ...] = (),
    *,
    constant: bool,
) -> Probe:
    if constant:
        half = np.full(len(labels.draws), 0.5)
        return Probe(auroc=0.5, balanced_accuracy=0.5, null=half, left_out=left_out, constant=True)
    # With two levels, the one against the rest is the other one against the rest.
    wanted = range(len(labels.levels)) if len(labels.levels) > 2 else range(1)
    signs = np.stack([np.where(labels.codes == code, 1.0, -1.0) for code in wanted], axis=1)
    answers, thresholds = _answers(labels, columns_of, signs)
    every = np.concatenate([labels.codes[None], labels.draws])
    areas = np.zeros(len(every))
    balanced = 0.0
    for place, code in enumerate(wanted):
        positive = every == code
        scores = answers.of(positive)
        areas += aurocs(scores, positive, labels.folds) / len(wanted)
        right = (scores[0] > thresholds[:, place]) == positive[0]
        balanced += (right[positive[0]].mean() + right[~positive[0]].mean()) / 2 / len(wanted)
    return Probe(float(areas[0]), float(balanced), areas[1:], left_out)


@dataclass(frozen=True, slots=True, eq=False)
class _Answers:
    """The matrix from any labels to the scores of all exams, each by the probe of its fold."""

    matrix: NDArray[np.float32]
    """(different exams, exams): exams of a fold with the same columns share a row, so that they tie."""
    rows: NDArray[np.intp]
    """(exams,): the row of each exam."""

    def of(self, positive: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(labellings, exams) -> scores (labellings, exams)."""
        scores = (2 * positive.astype(np.float32) - 1) @ self.matrix.T
        return scores[:, self.rows]


def _answers(
    labels: Labels,
    columns_of: Callable[[NDArray[np.bool_]], NDArray[np.float64]],
    signs: NDArray[np.float64],
) -> tuple[_Answers, NDArray[np.float64]]:
    """Also the threshold for each exam and column of ``signs``: halfway between the classes in training."""
    exams = len(labels.exams)
    matrices, thresholds = [], np.zeros(signs.shape)
    rows, used = np.zeros(exams, dtype=np.intp), 0
    for fold in range(FOLDS):
        held = labels.folds == fold
        train, columns = ~held, columns_of(~held)
        different, which = _different(columns[held])
        rows[held] = used + which
        used += len(different)
        to_held, to_train = _ridge(columns[train], different)
        matrix = np.zeros((len(different), exams), dtype=np.float32)
        matrix[:, train] = to_held
        matrices.append(matrix)
        fitted = to_train(signs[train])
        for place, sign in enumerate(signs[train].T):
            if (sign > 0).any() and (sign < 0).any():
                middle = (fitted[sign > 0, place].mean() + fitted[sign < 0, place].mean()) / 2
                thresholds[held, place] = middle
    return _Answers(np.concatenate(matrices), rows), thresholds


def _different(rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """The different rows in order of appearance, and for each row its place among them."""
    # numpy's unique sorts, which takes long for a thousand columns.
    places: dict[bytes, int] = {}
    which = [places.setdefault(row.tobytes(), len(places)) for row in rows]
    first = [which.index(place) for place in range(len(places))]
    return rows[first], np.array(which, dtype=np.intp)


def _ridge(
    train: NDArray[np.float64], held: NDArray[np.float64]
) -> tuple[NDArray[np.float64], Callable[[NDArray[np.float64]], NDArray[np.float64]]]:
    """The matrix from training labels to the scores of held-out exams, and the fit of the training ones.

    Columns have mean 0 in training, so labels need not be centred; there is no intercept. The penalty is
    the sum of the columns' variances: the best one if they are independent and together explain half of the
    labels' variance, so more numbers are trusted less each. It is fixed: choosing it would have to be done
    again for each permutation.
    """
    exams, columns = train.shape
    if columns == 0:
        return np.zeros((len(held), exams)), lambda signs: np.zeros(signs.shape)
    penalty = float(np.square(train).sum()) / exams
    if columns <= exams:
        weights = np.linalg.solve(train.T @ train + penalty * np.eye(columns), train.T)
        return held @ weights, lambda signs: train @ (weights @ signs)
    # The same in the exams' space, where there are more features than exams.
    kernel = train @ train.T
    solved = np.linalg.inv(kernel + penalty * np.eye(exams))
    return held @ train.T @ solved, lambda signs: kernel @ (solved @ signs)


def aurocs(
    scores: NDArray[np.float32], positive: NDArray[np.bool_], folds: NDArray[np.int8]
) -> NDArray[np.float64]:
    """Each row's share of pairs in which the positive exam outscores the negative one, ties counting half.

    ``scores`` and ``positive`` are (rows, exams), ``folds`` (exams,). Only pairs in the same fold count: a
    fold that has more positives by chance leaves fewer to train on, and its scores are lower for that. 0.5
    where there is no pair.
    """
    wins, pairs = np.zeros(len(scores)), np.zeros(len(scores))
    for fold in range(FOLDS):
        held = folds == fold
        here = positive[:, held]
        positives = here.sum(axis=1).astype(np.float64)
        wins += _wins(scores[:, held], here) - positives * (positives + 1) / 2
        pairs += positives * (held.sum() - positives)
    areas: NDArray[np.float64] = np.where(pairs > 0, wins / np.maximum(pairs, 1), 0.5)
    return areas


def _wins(scores: NDArray[np.float32], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Sum of the midranks, from 1, of each row's positives."""
    exams = scores.shape[1]
    size = np.abs(scores).max(axis=1, keepdims=True, initial=0)
    size[size == 0] = 1
    # Sorted as whole numbers whose last bit is the label, which is many times faster than ranking. Whether
    # that bit sets the positives of a tie above or below the negatives gives the two ends of a tie.
    whole = np.rint(scores * (np.float32(2**29) / size)).astype(np.int32) << 1
    above, below = whole | positive, whole | ~positive
    above.sort(axis=1)
    below.sort(axis=1)
    # The sums are whole numbers below 2^24, which float32 has exactly, for up to 5,000 exams a fold.
    places = np.arange(1, exams + 1, dtype=np.float32)
    ends = (above & 1).astype(np.float32) @ places, (1 - (below & 1)).astype(np.float32) @ places
    midranks: NDArray[np.float64] = (ends[0].astype(np.float64) + ends[1]) / 2
    return midranks
