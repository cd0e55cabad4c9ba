"""Made-up cohorts by fields, and the simulated tables of ``benchmarks/separability.py``."""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nameplate.campaign import Campaign, parse_campaign
from nameplate.steps.cohort import Member
from nameplate.steps.ingest import Exam
from nameplate.steps.skullstrip import MaskReport
from nameplate_evaluation.results import CohortResult

BENCHMARK = Path(__file__).parents[4] / "benchmarks" / "separability.py"
DEFAULTS: dict[str, Any] = {
    "model": "",
    "software": "",
    "kernel": "",
    "institution": "",
    "age": 60.0,
    "sex": "F",
    "kvp": 120.0,
    "exposure_mas": None,
    "thickness_mm": 5.0,
    "gaps_mm": (5.0,),
    "pixel_mm": 0.5,
    "tilt_degrees": 0.0,
    "source_slices": 30,
    "slices": 30,
}
CAMPAIGN = """
name: made-up
seed: 3
factor: {factor}
cohorts:
  study:
    phantom: {{exams: 400, twins: {twins}}}
    match: {match}
    split: {{train: 0.5, val: 0.2, test: 0.3}}
  shuffled: {{role: null-control, from: study, shuffle: factor}}
datasets:
  slices: 16
  spheres: {{difficulties: [{{name: easy, radius_mm: [21, 26], hu_mean: 50, hu_sd: 2}}]}}
experiments:
  - name: spheres
    title: Find the sphere
    task: spheres
    cohorts: [study, shuffled]
    input: {{window: {{width: 100, level: 50}}, slices: 16}}
    network: {{kind: resnet3d, channels: [8]}}
    training: {{rate: 0.001, epochs: 1}}
    convergence: {{default: {{}}}}
    rounds: {{first: 6, target: 6, limit: 6}}
"""


def campaign_of(
    levels: Sequence[str] = ("GE", "Siemens"),
    match: str = "{}",
    factor: str | None = None,
    twins: bool = False,
) -> Campaign:
    """A campaign whose cohort ``study`` is judged."""
    text = CAMPAIGN.format(
        factor=factor or f"{{levels: {list(levels)}}}", match=match, twins=str(twins).lower()
    )
    return parse_campaign(text, "made-up")


def cohort_of(
    rows: Sequence[Mapping[str, Any]], *, members: Sequence[int] | None = None, name: str = "study"
) -> CohortResult:
    """A cohort with an exam for each row; ``members`` are the numbers of those that take part (all)."""
    exams = []
    for number, row in enumerate(rows):
        names = {
            "exam": f"e{number:04d}",
            "patient": f"p{number:04d}",
            "image": f"images/e{number:04d}.nii.gz",
        }
        exams.append(Exam(**(DEFAULTS | names | dict(row))))
    chosen = range(len(exams)) if members is None else members
    return CohortResult(
        name=name,
        exams=tuple(exams),
        masks=tuple(MaskReport(exam=e.exam, volume_ml=1400.0, flags=(), usable=True) for e in exams),
        members=tuple(
            Member(
                exam=exams[n].exam, patient=exams[n].patient, level=exams[n].manufacturer, split="test",
                age=exams[n].age, sex=exams[n].sex, positive=n % 2 == 0, rank=0.0,
            )
            for n in chosen
        ),
    )  # fmt: skip


@pytest.fixture(scope="session")
def make_campaign() -> Callable[..., Campaign]:
    """The factory of campaigns."""
    return campaign_of


@pytest.fixture(scope="session")
def make_cohort() -> Callable[..., CohortResult]:
    """The factory of cohorts."""
    return cohort_of


@pytest.fixture(scope="session")
def simulated() -> ModuleType:
    """The benchmark as a module."""
    spec = importlib.util.spec_from_file_location("separability_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
