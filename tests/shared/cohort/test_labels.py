"""Cohorts with labels of the user's own: who takes part, and how the split holds level and label alike."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from nameplate.campaign.cohort import SplitSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.labels import LabelSettings
from nameplate.cohort import Cohort, with_pseudo_levels
from nameplate.cohort.split import SPLITS
from nameplate.errors import CohortError
from nameplate.steps.cohort import CohortJob
from nameplate.steps.ingest import Exam

Exams = Callable[..., list[Exam]]
Build = Callable[..., Cohort]
OWN: dict[str, Any] = {"match": None, "labels": LabelSettings(column="bleed"), "positives": 0.0}


@pytest.fixture
def exams(make_exam: Callable[..., Exam]) -> Exams:
    """make(GE=values of its exams, Siemens=...)."""

    def make(**values: list[str]) -> list[Exam]:
        rows = [(maker, value) for maker, of_maker in values.items() for value in of_maker]
        return [
            make_exam(n, manufacturer=maker, fields={"bleed": value} if value else {})
            for n, (maker, value) in enumerate(rows)
        ]

    return make


def of(cohort: Cohort, **values: Any) -> int:
    """Members with these values."""
    return sum(all(getattr(m, name) == value for name, value in values.items()) for m in cohort.members)


def test_each_split_has_each_levels_share_of_the_label(exams: Exams, build: Build) -> None:
    cohort = build(exams(GE=["yes"] * 60 + ["no"] * 40, Siemens=["1"] * 20 + ["0"] * 80), **OWN)
    assert not of(cohort, positive=True)
    for level, positives in (("GE", 60), ("Siemens", 20)):
        assert of(cohort, level=level, label=1) == positives
        for split, share in zip(SPLITS, (552 / 782, 68 / 782, 162 / 782), strict=True):
            for label, exams_of in ((1, positives), (0, 100 - positives)):
                found = of(cohort, level=level, label=label, split=split)
                assert found == pytest.approx(exams_of * share, abs=1)


def test_spheres_go_on_as_without_labels(exams: Exams, build: Build) -> None:
    rows = exams(GE=["yes", "no"] * 50, Siemens=["yes", "no"] * 50)
    cohort = build(rows, **{**OWN, "positives": 0.5})
    assert of(cohort, level="GE", positive=True) == 50
    assert 0 < of(cohort, level="GE", positive=True, label=1) < 50


def test_an_exam_without_a_label_is_refused(exams: Exams, build: Build) -> None:
    rows = exams(GE=["yes", "no"] * 30 + ["", ""], Siemens=["yes", "no"] * 30, Philips=[""])
    cohort = build(rows, **OWN)
    refused = Counter(refusal.reason for refusal in cohort.refusals)
    assert refused == {"no label in bleed": 2, "manufacturer is none of GE, Siemens": 1}
    assert {row.step for row in cohort.refusals if row.reason.startswith("no label")} == {"labels"}


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["a patient", "another", "0"] * 20, r"but 40 of 60 exams .* have another one \(2 different\)"),
        ([""] * 60, "no exam has one"),
    ],
)
def test_labels_that_are_not_two_are_counted_and_not_told(
    values: list[str], said: str, exams: Exams, build: Build
) -> None:
    with pytest.raises(CohortError, match=said) as refused:
        build(exams(GE=values[:30], Siemens=values[30:]), **OWN)
    assert "patient" not in str(refused.value)


def test_one_class_in_a_level_is_one_line_with_counts(exams: Exams, build: Build) -> None:
    said = r"bleed: \w+ has \d+ positive and 0 negative exams of Siemens, of 58 and 2 in all"
    with pytest.raises(CohortError, match=said):
        build(exams(GE=["yes", "no"] * 30, Siemens=["yes"] * 58 + ["no"] * 2), **OWN)


@pytest.mark.parametrize("labels", [OWN["labels"], None])
def test_pseudo_levels_have_the_label_in_equal_parts(
    labels: LabelSettings | None, exams: Exams, build: Build
) -> None:
    cohort = build(exams(GE=["yes"] * 60 + ["no"] * 40, Siemens=["yes"] * 20 + ["no"] * 80), **OWN)
    given = {"seed": 1, "cohort": "control", "factor": FactorSettings(), "split": SplitSettings()}
    # The networks that learn the label may be those of the other cohort alone.
    job = CohortJob(**given, **{**OWN, "labels": labels}, twins=False, other="study")
    members = with_pseudo_levels(cohort.members, job)
    assert {m.exam: m.label for m in members} == {m.exam: m.label for m in cohort.members}
    for split in SPLITS:
        positives = Counter(m.level for m in members if (m.label, m.split) == (1, split))
        assert abs(positives["GE"] - positives["Siemens"]) <= 1
