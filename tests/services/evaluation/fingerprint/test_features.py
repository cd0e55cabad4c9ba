import io
from collections.abc import Mapping

import numpy as np
import pytest

from nameplate.errors import DamagedObject
from nameplate.steps.cell import Cell
from nameplate.steps.prediction import FEATURES
from nameplate.steps.training import Prediction
from nameplate_evaluation.fingerprint.features import NOT_KEPT, Features, load_features

CELL = Cell(experiment="spheres", cohort="study", dataset="easy", training_set="GE", group=0)
RUN = CELL.run(0)
VALUES = np.arange(6, dtype=np.float32).reshape(2, 3)
PREDICTED = [
    Prediction(
        exam=exam, patient=f"p{exam}", level="GE", split="test", label=1, score=0.5, difficulty=None,
        radius_mm=None,
    )
    for exam in ("e2", "e1")
]  # fmt: skip


class Store:
    """Committed files, as a reader sees them."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.keys = tuple(files)

    def read(self, key: str) -> bytes:
        return self._files[key]


def npy(values: np.ndarray) -> bytes:  # type: ignore[type-arg]
    file = io.BytesIO()
    np.save(file, values)
    return file.getvalue()


def store(features: bytes | None) -> Store:
    return Store({} if features is None else {FEATURES.key(run=RUN): features})


def test_features_belong_to_the_exams_of_the_predictions() -> None:
    found = load_features(store(npy(VALUES)), RUN, PREDICTED)  # type: ignore[arg-type]
    assert isinstance(found, Features)
    assert found.exams == ("e2", "e1")
    np.testing.assert_array_equal(found.values, VALUES)


def test_features_that_were_not_kept() -> None:
    assert load_features(store(None), RUN, PREDICTED) == NOT_KEPT  # type: ignore[arg-type]
    assert load_features(store(npy(VALUES)), CELL.run(1), PREDICTED) == NOT_KEPT  # type: ignore[arg-type]
    assert load_features(store(npy(VALUES)), RUN, []) == NOT_KEPT  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "damaged",
    [b"", b"text", npy(VALUES)[:-3], npy(VALUES[:1]), npy(VALUES[0]), npy(VALUES.astype(float))],
)
def test_damaged_features(damaged: bytes) -> None:
    with pytest.raises(DamagedObject, match=r"features-test\.npy"):
        load_features(store(damaged), RUN, PREDICTED)  # type: ignore[arg-type]
