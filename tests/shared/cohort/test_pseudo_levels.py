"""Pseudo-levels: the same members, each level divided evenly, partners always apart."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign.cohort import MatchSettings, SplitSettings
from nameplate.campaign.factor import FactorSettings
from nameplate.cohort import with_pseudo_levels
from nameplate.cohort.split import SPLITS
from nameplate.steps.cohort import CohortJob, Member

LEVELS = ("GE", "Siemens", "Philips")


def job_of(levels: int = 2, **changes: Any) -> CohortJob:
    given: dict[str, Any] = {
        "seed": 1, "cohort": "control", "factor": FactorSettings(levels=LEVELS[:levels]), "match": None,
        "split": SplitSettings(), "positives": 0.5, "twins": False, "other": "study",
    }  # fmt: skip
    return CohortJob(**{**given, **changes})


def member(number: int, level: str, **changes: Any) -> Member:
    given: dict[str, Any] = {
        "exam": f"e{number:03d}", "patient": f"p{number:03d}", "level": level, "split": "train", "age": 50.0,
        "sex": "F", "positive": False, "rank": 0.0,
    }  # fmt: skip
    return Member(**{**given, **changes})


@st.composite
def cohorts(draw: st.DrawFn) -> tuple[list[Member], CohortJob]:
    """Members of two or three levels as they come, matched or not; unmatched ones may have no age."""
    levels, matched = draw(st.integers(2, 3)), draw(st.booleans())
    ages = st.floats(18, 95) if matched else st.none() | st.floats(18, 95)
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from(LEVELS[:levels]), st.sampled_from(SPLITS), st.booleans(), ages,
                st.sampled_from(["F", "M", "O"]), st.floats(0, 1, exclude_max=True),
            ),
            max_size=90,
        )
    )  # fmt: skip
    members = [
        member(n, level, split=split, positive=positive, age=age, sex=sex, rank=rank if positive else 0.0)
        for n, (level, split, positive, age, sex, rank) in enumerate(rows)
    ]
    job = job_of(levels, match=MatchSettings() if matched else None, seed=draw(st.integers(0, 9)))
    return members, job


@given(made=cohorts(), order=st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_all_but_the_level_stays_and_no_order_matters(
    made: tuple[list[Member], CohortJob], order: Any
) -> None:
    members, job = made
    after = with_pseudo_levels(members, job)
    assert [one.model_copy(update={"level": ""}) for one in after] == [
        one.model_copy(update={"level": ""}) for one in members
    ]
    assert {one.level for one in after} <= set(job.factor.levels)
    mixed = list(members)
    order.shuffle(mixed)
    assert with_pseudo_levels(mixed, job) == after


@given(made=cohorts())
@settings(max_examples=300, deadline=None)
def test_every_level_is_divided_evenly_in_each_split_and_label(made: tuple[list[Member], CohortJob]) -> None:
    members, job = made
    levels = job.factor.levels
    pairs = list(zip(members, with_pseudo_levels(members, job), strict=True))
    for split, positive in itertools.product(SPLITS, (True, False)):
        part = [(a.level, b.level) for a, b in pairs if (a.split, a.positive) == (split, positive)]
        counts = Counter(part)
        for level in levels:
            shares = [counts[level, pseudo] for pseudo in levels]
            assert max(shares) - min(shares) <= 1, (split, positive, level)
        sizes = [sum(pseudo == level for _, pseudo in part) for level in levels]
        assert max(sizes) - min(sizes) <= 1, (split, positive)


@given(
    counts=st.lists(st.integers(0, 15), min_size=6, max_size=6),
    levels=st.integers(2, 3),
    matched=st.booleans(),
    seed=st.integers(0, 9),
)
@settings(max_examples=100, deadline=None)
def test_equal_levels_stay_equal_and_are_even_in_every_split_and_all_together(
    counts: list[int], levels: int, matched: bool, seed: int
) -> None:
    members = []
    for (split, positive), count in zip(itertools.product(SPLITS, (True, False)), counts, strict=True):
        for _, level in itertools.product(range(count), LEVELS[:levels]):
            members.append(member(len(members), level, split=split, positive=positive))
    job = job_of(levels, match=MatchSettings() if matched else None, seed=seed)
    after = with_pseudo_levels(members, job)
    for positive in (True, False):
        for split in SPLITS:
            sizes = [
                sum((one.level, one.split, one.positive) == (level, split, positive) for one in after)
                for level in job.factor.levels
            ]
            assert len(set(sizes)) == 1
    for splits in (SPLITS, *((split,) for split in SPLITS)):
        pairs = Counter((a.level, b.level) for a, b in zip(members, after, strict=True) if a.split in splits)
        for level in job.factor.levels:
            shares = [pairs[level, pseudo] for pseudo in job.factor.levels]
            assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize("levels", [2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_in_age_of_the_same_sex_are_apart(levels: int, seed: int) -> None:
    """Of matched exams: each age has one exam of every level and of either sex."""
    members = []
    for age, sex, (place, level) in itertools.product(range(20, 90, 7), "FM", enumerate(LEVELS[:levels])):
        members.append(member(len(members), level, age=age + 0.9 * place, sex=sex))
    after = with_pseudo_levels(members, job_of(levels, match=MatchSettings(), seed=seed))
    groups: dict[tuple[int, str], set[str]] = {}
    for one in after:
        assert one.age is not None
        groups.setdefault((int(one.age - 20) // 7, one.sex or ""), set()).add(one.level)
    assert len(groups) == 20
    assert all(len(names) == levels for names in groups.values())


def test_who_finds_nobody_of_the_same_sex_is_paired_all_the_same() -> None:
    members = [member(0, "GE", sex="F", age=30.0), member(1, "Siemens", sex="M", age=80.0)]
    for seed in range(6):
        one, other = with_pseudo_levels(members, job_of(match=MatchSettings(), seed=seed))
        assert {one.level, other.level} == {"GE", "Siemens"}


@pytest.mark.parametrize("match", [None, MatchSettings()])
@pytest.mark.parametrize("levels", [2, 3])
def test_twins_are_always_apart(levels: int, match: MatchSettings | None) -> None:
    members = [
        member(levels * n + place, level, patient=f"p{n}", split=SPLITS[n % 3], positive=n % 2 == 0)
        for n in range(30)
        for place, level in enumerate(LEVELS[:levels])
    ]
    after = with_pseudo_levels(members, job_of(levels, match=match, twins=True))
    for n in range(30):
        assert {one.level for one in after if one.patient == f"p{n}"} == set(LEVELS[:levels])


@pytest.mark.parametrize("match", [None, MatchSettings()])
def test_chance_decides_who_is_exchanged(match: MatchSettings | None) -> None:
    members = [member(n, LEVELS[n % 2], age=20.0 + n) for n in range(20)]
    drawn = [with_pseudo_levels(members, job_of(match=match, seed=seed)) for seed in range(200)]
    exchanged = np.array(
        [[a.level != b.level for a, b in zip(members, after, strict=True)] for after in drawn]
    )
    assert (exchanged.sum(axis=1) == 10).all()
    assert (np.abs(exchanged.mean(axis=0) - 0.5) < 0.13).all()
    # The two of a pair together, different pairs not.
    assert len({tuple(row) for row in exchanged.tolist()}) > 100


def test_two_controls_of_one_cohort_differ() -> None:
    members = [member(n, LEVELS[n % 2]) for n in range(40)]
    assert with_pseudo_levels(members, job_of()) != with_pseudo_levels(members, job_of(cohort="second"))


def test_the_odd_pairs_of_many_parts_do_not_all_go_one_way() -> None:
    """One exam of one level in each split and label: three go to each pseudo-level."""
    members = [
        member(n, "GE", split=split, positive=positive)
        for n, (split, positive) in enumerate(itertools.product(SPLITS, (True, False)))
    ]
    for seed in range(5):
        after = with_pseudo_levels(members, job_of(seed=seed))
        assert Counter(one.level for one in after) == {"GE": 3, "Siemens": 3}


@pytest.mark.parametrize("seed", range(5))
def test_those_alike_in_the_matched_fields_exchange_their_levels(seed: int) -> None:
    members = []
    for kind, sex, level in itertools.product(("soft", "sharp"), "FM", LEVELS[:2]):
        # The nearest in age is of the other kind.
        age = {"soft": 40.0, "sharp": 41.0}[kind] + (20.0 if level == "GE" else 0.0)
        members += [member(len(members) + n, level, age=age, sex=sex, same=(kind,)) for n in range(3)]
    after = with_pseudo_levels(members, job_of(match=MatchSettings(), seed=seed))
    pairs = Counter((a.same, a.sex, a.level, b.level) for a, b in zip(members, after, strict=True))
    for kind, sex in itertools.product(("soft", "sharp"), "FM"):
        stayed = [pairs[(kind,), sex, level, level] for level in LEVELS[:2]]
        assert stayed[0] == stayed[1]


def test_who_finds_nobody_alike_is_paired_all_the_same() -> None:
    members = [
        member(0, "GE", sex="F", age=30.0, same=("soft",)),
        member(1, "Siemens", sex="M", age=80.0, same=("sharp",)),
    ]
    for seed in range(6):
        one, other = with_pseudo_levels(members, job_of(match=MatchSettings(), seed=seed))
        assert {one.level, other.level} == {"GE", "Siemens"}
