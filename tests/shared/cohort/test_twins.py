"""Twins: one head, one exam of every level, in or out of the cohort together."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.factor import FactorSettings, FieldLevels
from nameplate.cohort import Cohort
from nameplate.cohort.split import SPLITS, split_counts
from nameplate.errors import CohortError
from nameplate.steps.ingest import Exam
from nameplate.steps.skullstrip import MaskReport

Build = Callable[..., Cohort]
Twins = Callable[..., list[Exam]]
LEVELS = ("GE", "Siemens", "Philips")


@pytest.fixture(scope="session")
def twins(make_exam: Callable[..., Exam]) -> Twins:
    """So many heads, each scanned once for every level; many heads have the same age and sex."""

    def make(heads: int, levels: int = 2) -> list[Exam]:
        return [
            # Pseudonyms in no order: the exams of a head are not neighbours.
            make_exam(
                7919 * (levels * n + place) % 100_003,
                patient=f"p{n:03d}", manufacturer=level, age=30.0 + n % 7, sex="FM"[n % 2],
            )
            for n in range(heads)
            for place, level in enumerate(LEVELS[:levels])
        ]  # fmt: skip

    return make


def by_head(made: Cohort) -> dict[str, list[Any]]:
    heads: dict[str, list[Any]] = {}
    for member in made.members:
        heads.setdefault(member.patient, []).append(member)
    return heads


@given(
    heads=st.integers(20, 90),
    levels=st.integers(2, 3),
    matched=st.booleans(),
    wanted=st.none() | st.integers(20, 40),
    order=st.randoms(use_true_random=False),
)
@settings(max_examples=40, deadline=None)
def test_a_head_has_one_split_label_and_rank_and_every_level_its_numbers(
    build: Build, twins: Twins, heads: int, levels: int, matched: bool, wanted: int | None, order: Any
) -> None:
    exams = twins(heads, levels)
    rules = MatchSettings(exams_per_level=wanted) if matched else None
    options = {"match": rules, "twins": True, "factor": FactorSettings(levels=LEVELS[:levels])}
    made = build(exams, **options)
    for rows in by_head(made).values():
        assert {row.level for row in rows} == set(LEVELS[:levels])
        assert len(rows) == levels
        assert len({(row.split, row.positive, row.rank) for row in rows}) == 1
    kept = min(heads, wanted) if matched and wanted is not None else heads
    expected = {row.split: row for row in split_counts(kept, SplitSettings(), 195 / 391).rows}
    for level in LEVELS[:levels]:
        rows = [member for member in made.members if member.level == level]
        assert Counter(row.split for row in rows) == {s: expected[s].exams for s in SPLITS}
        for split in SPLITS:
            ranks = [row.rank for row in rows if row.split == split and row.positive]
            assert len(ranks) == expected[split].positives
            for share in (0.2, 0.35):
                assert abs(sum(rank < share for rank in ranks) - share * len(ranks)) <= 0.5
    assert len(made.members) + len(made.refusals) == len(exams)
    order.shuffle(exams)
    assert build(exams, **options) == made


@pytest.mark.parametrize("rules", [None, MatchSettings()])
def test_whose_twin_is_refused_or_missing_is_refused_with_a_reason(
    build: Build, twins: Twins, masks_of: Callable[[list[Exam]], dict[str, MaskReport]], rules: Any
) -> None:
    exams = twins(40)
    masks = masks_of(exams)
    bad = masks[exams[0].exam].model_copy(update={"flags": ("no-brain",), "usable": False})
    masks[exams[0].exam] = bad
    del exams[3]  # never came out of the ingest: its twin is exams[2]
    made = build(exams, masks, match=rules, twins=True)
    assert {refusal.exam: refusal.reason for refusal in made.refusals} == {
        exams[0].exam: "brain mask refused: no-brain",
        exams[1].exam: "no usable twin of GE",
        exams[2].exam: "no usable twin of Siemens",
    }
    assert len(made.members) == 2 * 38


def test_a_head_with_two_exams_of_one_level_is_out(build: Build, twins: Twins) -> None:
    exams = twins(40)
    exams[1] = exams[1].model_copy(update={"manufacturer": "GE"})
    extra = exams[5].model_copy(update={"exam": "e-again"})
    made = build([*exams, extra], twins=True)
    reasons = {refusal.exam: refusal.reason for refusal in made.refusals}
    assert reasons == {
        exams[0].exam: "more than one twin of GE",
        exams[1].exam: "more than one twin of GE",
        exams[4].exam: "more than one twin of Siemens",
        exams[5].exam: "more than one twin of Siemens",
        extra.exam: "more than one twin of Siemens",
    }


def test_twins_of_a_level_outside_the_factor_do_not_count(build: Build, twins: Twins) -> None:
    made = build(twins(30, levels=3), twins=True)
    assert len(made.members) == 60
    assert {refusal.reason for refusal in made.refusals} == {"manufacturer is none of GE, Siemens"}


def test_heads_without_any_twin_are_an_error_that_says_so(build: Build, twins: Twins) -> None:
    alone = [exam for n, exam in enumerate(twins(60)) if n % 4 in (0, 3)]
    with pytest.raises(
        CohortError, match=r"no usable exam of manufacturer GE and Siemens; .*no usable twin of"
    ):
        build(alone, twins=True)


def test_without_the_setting_patients_with_two_exams_are_no_twins(build: Build, twins: Twins) -> None:
    made = build(twins(60), match=None)
    assert len({(row.positive, row.rank) for rows in by_head(made).values() for row in rows}) > 1
    assert any(len({row.positive for row in rows}) == 2 for rows in by_head(made).values())


def test_twins_that_differ_in_a_field_that_must_agree_are_out(build: Build, twins: Twins) -> None:
    exams = [exam.model_copy(update={"kernel_class": "soft"}) for exam in twins(42)]
    exams[1] = exams[1].model_copy(update={"kernel_class": "sharp"})
    exams[2] = exams[2].model_copy(update={"kernel_class": ""})
    rules = MatchSettings(same=(FieldLevels(name="kernel_class"), FieldLevels(name="thickness_mm")))
    made = build(exams, match=rules, twins=True)
    assert {one.exam: one.reason for one in made.refusals} == {
        exams[0].exam: "its twin has another kernel class",
        exams[1].exam: "its twin has another kernel class",
        exams[2].exam: "kernel class unknown, cannot be matched",
        exams[3].exam: "no usable twin of GE",
    }
    assert {member.same for member in made.members} == {("soft", "5")}
