from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_head import FACTS as GOOD
from plain_head import SAYS

from nameplate.campaign.ingest import SeriesRules
from nameplate_ingest.choice.select import Verdict, apply_rules, rank
from nameplate_ingest.choice.witnesses import Opinion


def test_a_good_series_may_be_used() -> None:
    assert apply_rules(GOOD, (), SeriesRules()).rule == ""


@pytest.mark.parametrize(
    ("change", "rule", "seen"),
    [
        ({"slices": 11}, "slices", "11 of at least 12"),
        ({"axial_degrees": 41.25}, "orientation", "41.2 degrees from axial"),
        ({"duplicates": 3}, "duplicate-position", "3 of 30 slices"),
        ({"hole": (10.0, 5.0)}, "missing-slice", "gap 10.00 mm where 5.00 mm is expected"),
        ({"thickest_mm": 10.0}, "thickness", "10 mm"),
        ({"widest_gap_mm": 10.0}, "gap", "10.00 mm between slices"),
        ({"growth": 2.5}, "scattered", "slices cover 2.5 times the field of one"),
        ({"stray_gaps": 4}, "two-passes", "4 gaps that one pass does not leave"),
    ],
)
def test_each_rule_names_itself_and_what_it_saw(change: dict[str, object], rule: str, seen: str) -> None:
    verdict = apply_rules(replace(GOOD, **change), (), SeriesRules())  # type: ignore[arg-type]
    assert (verdict.rule, verdict.seen) == (rule, seen)


@pytest.mark.parametrize(
    ("better", "worse", "reason"),
    [
        ({}, {"thickness_mm": 1.25}, "thickness 1.25 mm against 5 mm"),
        ({"thickness_mm": 2.5}, {"thickness_mm": 1.25}, "thickness 1.25 mm against 2.5 mm"),
        ({"thickness_mm": 1.0}, {"thickness_mm": 7.0}, "thickness 7 mm against 1 mm"),
        ({"thickness_mm": 1.0}, {"kernel": "H60s"}, "bone kernel against a soft one"),
        ({}, {"says": (replace(SAYS, series="Fossa"),)}, "0 preferred patterns against 1"),
        ({}, {"coverage_mm": 120.0}, "coverage 120.0 mm against 145.0 mm"),
        ({}, {"uid": "2"}, "equal to the chosen one in every rule"),
    ],
)
def test_the_better_series_comes_first(
    better: dict[str, object], worse: dict[str, object], reason: str
) -> None:
    pair = [replace(GOOD, **worse), replace(GOOD, **better)]  # type: ignore[arg-type]
    assert rank(pair, SeriesRules()) == [(1, ""), (0, reason)]


def test_bone_only_is_better_than_nothing_unless_told_otherwise() -> None:
    bone = replace(GOOD, kernel="BONEPLUS")
    assert apply_rules(bone, (), SeriesRules()).rule == ""
    assert apply_rules(bone, (), SeriesRules(bone_kernel="refuse")).rule == "bone-kernel"


@given(st.permutations(range(4)))
def test_the_ranking_does_not_depend_on_the_order_of_the_input(order: list[int]) -> None:
    facts = [replace(GOOD, uid=str(n), thickness_mm=(5.0, 5.0, 2.5, 1.0)[n]) for n in range(4)]
    ranked = rank([facts[n] for n in order], SeriesRules())
    assert [order[position] for position, _ in ranked] == [0, 1, 2, 3]


def test_a_pattern_that_is_none_is_refused_with_the_settings() -> None:
    with pytest.raises(ValueError, match="not a regular expression"):
        SeriesRules(refuse_description=("(",))


CONTRAST = Opinion("contrast elements", "refuses", "contrast", "a contrast agent is named")
DOUBT = Opinion("body part", "doubts", "body-part", "examined part is chest")


def test_a_witness_that_refuses_comes_before_the_measures_and_a_doubt_after_them() -> None:
    short = replace(GOOD, slices=5)
    rules = SeriesRules()
    assert apply_rules(GOOD, (DOUBT, CONTRAST), rules) == Verdict("contrast", "a contrast agent is named")
    assert apply_rules(short, (DOUBT, CONTRAST), rules).rule == "contrast"
    assert apply_rules(short, (DOUBT,), rules) == Verdict("slices", "5 of at least 12")
    assert apply_rules(GOOD, (DOUBT,), rules) == Verdict("body-part", "examined part is chest", doubtful=True)


@pytest.mark.parametrize("says", ["plain", "nothing"])
def test_a_witness_that_is_content_refuses_nothing(says: Literal["plain", "nothing"]) -> None:
    assert apply_rules(GOOD, (Opinion("units", says, seen="HU"),), SeriesRules()) == Verdict("", "")
