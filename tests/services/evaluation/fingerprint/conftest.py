"""Made-up exams with made-up numbers, of which it is known what they tell about the level."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from nameplate.streams import stream
from nameplate_evaluation.fingerprint.design import Numbers
from nameplate_evaluation.fingerprint.draws import Labels, Subject, labels_of


@pytest.fixture
def labels() -> Callable[..., Labels]:
    """make(codes, patients) -> labels of exams e000, e001, ... with few draws."""

    def make(codes: Sequence[int], patients: Sequence[int] | None = None, draws: int = 200) -> Labels:
        of = range(len(codes)) if patients is None else patients
        subjects = [
            Subject(f"e{n:03d}", f"p{patient:03d}", f"L{code}")
            for n, (code, patient) in enumerate(zip(codes, of, strict=True))
        ]
        made = labels_of(subjects, sorted({s.level for s in subjects}), 5, ("test",), draws)
        assert isinstance(made, Labels)
        return made

    return make


@pytest.fixture
def number() -> Callable[..., Numbers]:
    """make(values, name) -> a measure; NaN is an exam without it."""

    def make(values: Sequence[float], name: str = "m") -> Numbers:
        return Numbers(name, np.asarray(values, dtype=float), stream(5, "ranks", name).random(len(values)))

    return make
