"""The kept last features of networks, as the prediction step left them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.errors import DamagedObject
from nameplate.image.fingerprint.slices import Missing
from nameplate.job.inputs import Committed
from nameplate.steps.prediction import FEATURES
from nameplate.steps.training import Prediction

NOT_KEPT = Missing("the features of its networks were not kept")
NONE_KNOWN = Missing("its networks have no one last unit whose input could be kept as features")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The last features of one run's network for the test exams."""

    exams: tuple[str, ...]
    values: NDArray[np.float32]
    """(exams, features); the features have no names."""


def load_features(committed: Committed, run: str, predicted: Sequence[Prediction]) -> Features | Missing:
    """The features of one run; Missing for a run that was not kept, or of an older store.

    ``predicted`` are the run's predictions for the test exams, whose order the features have. Raises
    DamagedObject for a file that is no array, or that has another number of exams.
    """
    key = FEATURES.key(run=run)
    if key not in committed.keys or not predicted:
        return NOT_KEPT
    exams = tuple(row.exam for row in predicted)
    try:
        values = np.load(io.BytesIO(committed.read(key)), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise DamagedObject(f"{key}: not an array") from error
    if values.ndim != 2 or len(values) != len(exams) or values.dtype != np.float32:
        raise DamagedObject(
            f"{key}: {values.dtype} of shape {values.shape} for {len(exams)} exams, "
            "expected float32 (exams, features)"
        )
    return Features(exams, values)
