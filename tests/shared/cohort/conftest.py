"""Simulated exam records, and the cohorts that are made of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.dataset import SphereSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.cohort import Cohort, make_cohort
from nameplate.steps.cohort import CohortJob
from nameplate.steps.ingest import Exam
from nameplate.steps.skullstrip import MaskReport

DEFAULTS: dict[str, Any] = {
    "manufacturer": "GE",
    "model": "M1",
    "software": "",
    "kernel": "K1",
    "institution": "",
    "age": 60.0,
    "sex": "F",
    "kvp": None,
    "exposure_mas": None,
    "thickness_mm": 5.0,
    "gaps_mm": (5.0,),
    "pixel_mm": 0.5,
    "tilt_degrees": 0.0,
    "source_slices": 30,
    "slices": 30,
}


@pytest.fixture(scope="session")
def make_exam() -> Callable[..., Exam]:
    """An exam by number; one patient an exam unless ``patient`` says otherwise."""

    def make(number: int, **changes: Any) -> Exam:
        names = {
            "exam": f"e{number:016x}",
            "patient": f"p{number:016x}",
            "image": f"images/e{number:016x}.nii.gz",
        }
        return Exam(**{**DEFAULTS, **names, **changes})

    return make


@pytest.fixture(scope="session")
def masks_of() -> Callable[[list[Exam]], dict[str, MaskReport]]:
    """A usable mask of every exam."""

    def masks(exams: list[Exam]) -> dict[str, MaskReport]:
        return {
            exam.exam: MaskReport(exam=exam.exam, volume_ml=1400.0, flags=(), usable=True) for exam in exams
        }

    return masks


@pytest.fixture(scope="session")
def build(
    masks_of: Callable[[list[Exam]], dict[str, MaskReport]],
) -> Callable[..., Cohort]:
    """The cohort of some exams, all with a usable mask unless ``masks`` says otherwise.

    The job is that of the paper's settings; ``changes`` are to its fields (``match=None``).
    """

    def make(exams: list[Exam], masks: dict[str, MaskReport] | None = None, **changes: Any) -> Cohort:
        paper: dict[str, Any] = {
            "seed": 1,
            "cohort": "study",
            "factor": FactorSettings(),
            "match": MatchSettings(),
            "split": SplitSettings(),
            "positives": SphereSettings.model_fields["positives"].default,
            "twins": False,
            "other": None,
        }
        job = CohortJob(**{**paper, **changes})
        return make_cohort(exams, masks_of(exams) if masks is None else masks, job)

    return make


@pytest.fixture(scope="session")
def two_makers(make_exam: Callable[..., Exam]) -> Callable[..., list[Exam]]:
    """``count`` exams of each of two makers, whose ages and sexes pair off within the caliper."""

    def makers(count: int, *, seed: int = 0, levels: tuple[str, ...] = ("GE", "Siemens")) -> list[Exam]:
        rng = np.random.default_rng(seed)
        exams = []
        for n in range(count):
            age, sex = round(float(rng.uniform(18, 95)), 1), "FM"[int(rng.integers(2))]
            for place, level in enumerate(levels):
                jitter = round(float(rng.uniform(-1, 1)), 1)
                number = n * len(levels) + place
                exams.append(make_exam(number, manufacturer=level, age=age + jitter, sex=sex))
        return [exams[int(n)] for n in rng.permutation(len(exams))]

    return makers
