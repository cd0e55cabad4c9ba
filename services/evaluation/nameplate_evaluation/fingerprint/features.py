"""The kept last features of networks, as the prediction step left them."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nameplate.errors import DamagedObject
from nameplate.image.fingerprint.slices import Missing
from nameplate.job.inputs import Committed
from nameplate.steps.cell import Cell
from nameplate.steps.prediction import FEATURES, TEST

NOT_KEPT = Missing("the features of its networks were not kept")


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The last features of one run's network for the test exams."""

    exams: tuple[str, ...]
    values: NDArray[np.float32]
    """(exams, features); the features have no names."""


def load_features(committed: Committed, cell: Cell, seed: int) -> Features | Missing:
    """The features of one run of a cell; Missing for a run that was not kept, or of an older store.

    Raises DamagedObject for a file that is no array, or whose exams are not those of the predictions.
    """
    run = cell.run(seed)
    key = FEATURES.key(run=run)
    if key not in committed.keys or TEST.key(run=run) not in committed.keys:
        return NOT_KEPT
    exams = tuple(row.exam for row in TEST.read(committed, run=run))
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
