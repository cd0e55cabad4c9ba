"""Cohorts with masks of the user's own: who takes part, and how many show something in each split."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from nameplate.campaign.cohort import SplitSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.campaign.labels import LabelSettings
from nameplate.cohort import Cohort, make_cohort, with_pseudo_levels
from nameplate.cohort.split import SPLITS
from nameplate.errors import CohortError
from nameplate.records import to_jsonl
from nameplate.steps.cohort import CohortJob
from nameplate.steps.ingest import Exam, Target
from nameplate.steps.skullstrip import MaskReport

GIVEN: dict[str, Any] = {
    **{"seed": 1, "cohort": "study", "factor": FactorSettings(), "split": SplitSettings(), "match": None},
    **{"positives": 0.0, "twins": False, "other": None},
}
Make = Callable[..., Cohort]


@pytest.fixture
def make(make_exam: Callable[..., Exam], masks_of: Callable[[list[Exam]], dict[str, MaskReport]]) -> Make:
    """make(GE=what became of the masks of its exams, ...): a volume, a rule that refused it, or None."""

    def made(**of: list[float | str | None]) -> Cohort:
        exams, targets = [], {}
        for maker, outcomes in of.items():
            for outcome in outcomes:
                exam = make_exam(len(exams), manufacturer=maker, fields={"bleed": str(len(exams) % 2)})
                exams.append(exam)
                if outcome is not None:
                    rule = outcome if isinstance(outcome, str) else ""
                    volume = 0.0 if isinstance(outcome, str) else outcome
                    targets[exam.exam] = Target(exam=exam.exam, rule=rule, volume_ml=volume)
        return make_cohort(exams, masks_of(exams), CohortJob(**GIVEN), targets)

    return made


def test_each_split_has_each_levels_share_of_what_is_outlined(make: Make) -> None:
    cohort = make(GE=[2.0] * 60 + [0.0] * 40, Siemens=[9.0] * 20 + [0.0] * 80)
    for level, outlined in (("GE", 60), ("Siemens", 20)):
        for split, share in zip(SPLITS, (552 / 782, 68 / 782, 162 / 782), strict=True):
            for value, exams in ((1, outlined), (0, 100 - outlined)):
                found = [m for m in cohort.members if (m.level, m.split, m.outlined) == (level, split, value)]
                assert len(found) == pytest.approx(exams * share, abs=1)


def test_an_exam_without_a_good_mask_is_refused_by_name(make: Make) -> None:
    cohort = make(GE=[1.0] * 60 + [None, "mask-place"], Siemens=[1.0] * 60, Philips=[None])
    assert Counter((row.step, row.reason) for row in cohort.refusals) == {
        ("masks", "no mask of its own"): 1,
        ("masks", "its mask is refused: mask-place"): 1,
        ("cohort", "manufacturer is none of GE, Siemens"): 1,
    }
    assert len(cohort.members) == 120


def test_a_level_with_nothing_outlined_in_a_split_is_one_line(make: Make) -> None:
    said = r"cohorts.study: masks: \w+ has no exam of Siemens whose mask shows anything, of 1 in all"
    with pytest.raises(CohortError, match=said):
        make(GE=[1.0] * 60, Siemens=[1.0] + [0.0] * 59)


def test_masks_that_nobody_is_called_after_are_one_line(make: Make) -> None:
    with pytest.raises(CohortError, match=r"no mask is called after any of the 60 exams: expected <study>"):
        make(GE=[None] * 30, Siemens=[None] * 30)


def test_a_cohort_without_masks_writes_what_it_always_wrote(
    make_exam: Callable[..., Exam], build: Callable[..., Cohort]
) -> None:
    cohort = build([make_exam(n, manufacturer=("GE", "Siemens")[n % 2]) for n in range(120)], match=None)
    assert b"outlined" not in to_jsonl(cohort.members)


def test_pseudo_levels_have_what_is_outlined_in_equal_parts(make: Make) -> None:
    cohort = make(GE=[2.0] * 60 + [0.0] * 40, Siemens=[9.0] * 20 + [0.0] * 80)
    job = CohortJob(**{**GIVEN, "cohort": "control", "other": "study"})
    members = with_pseudo_levels(cohort.members, job)
    assert {m.exam: m.outlined for m in members} == {m.exam: m.outlined for m in cohort.members}
    for split in SPLITS:
        outlined = Counter(m.level for m in members if (m.outlined, m.split) == (1, split))
        assert abs(outlined["GE"] - outlined["Siemens"]) <= 1


def test_labels_and_masks_go_together(
    make_exam: Callable[..., Exam], masks_of: Callable[[list[Exam]], dict[str, MaskReport]]
) -> None:
    exams = [
        make_exam(n, manufacturer=("GE", "Siemens")[n % 2], fields={"bleed": str(n // 2 % 2)})
        for n in range(160)
    ]
    targets = {
        exam.exam: Target(exam=exam.exam, rule="", volume_ml=float(n // 4 % 2))
        for n, exam in enumerate(exams)
    }
    job = CohortJob(**{**GIVEN, "labels": LabelSettings(column="bleed")})
    cohort = make_cohort(exams, masks_of(exams), job, targets)
    counts = Counter((m.split, m.level, m.label, m.outlined) for m in cohort.members)
    assert len(counts) == 3 * 2 * 2 * 2
    for split in SPLITS:
        of_split = [count for key, count in counts.items() if key[0] == split]
        assert max(of_split) - min(of_split) <= 1
