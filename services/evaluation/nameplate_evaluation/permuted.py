"""Labels as chance would give them to exams, with the exams of a patient kept together."""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Code = TypeVar("Code", bound=np.integer)


def permuted(
    codes: NDArray[Code], patient: NDArray[np.int64], draws: int, random: np.random.Generator
) -> NDArray[Code]:
    """Draw the labels again, as if they had nothing to do with the exams: (draws, exams).

    ``codes`` and ``patient`` are (exams,): each exam's label, and the number of its patient. Patients with
    the same number of exams exchange their lists of labels, and within a patient the labels change places.
    So every draw has as many exams of each label as there are; where every patient has one exam, it is the
    plain permutation. Where a patient has an exam of each label (twins, or somebody who was scanned on two
    machines) every draw keeps that, so what all exams of a patient share cannot pass for a mark of the
    label; and where a patient's exams have one label, they do in every draw, so that exams which are alike
    count as one. Patients of whom no other has as many exams keep their labels.
    """
    result = np.tile(codes, (draws, 1))
    if not codes.size:
        return result
    order = np.argsort(patient, kind="stable")
    sizes = np.bincount(patient)
    first = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[sizes > 0]):
        # (patients of this many exams, their places)
        places = order[first[sizes == size][:, None] + np.arange(size)[None, :]]
        ways = random.random((draws, len(places))).argsort(axis=1)
        exchanged = codes[places][ways]
        if size > 1:
            within = random.random(exchanged.shape).argsort(axis=2)
            exchanged = np.take_along_axis(exchanged, within, axis=2)
        result[:, places.ravel()] = exchanged.reshape(draws, -1)
    return result
