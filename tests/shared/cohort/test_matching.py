"""Matching on age and sex."""

import itertools
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nameplate.campaign.cohort import MatchSettings
from nameplate.cohort.matching import match

PEOPLE = st.lists(st.tuples(st.integers(20, 40), st.sampled_from("FM")), min_size=0, max_size=6)


def exams_of(make_exam, people, start):
    return [make_exam(start + n, age=float(age), sex=sex) for n, (age, sex) in enumerate(people)]


def best_by_trying(ones, others, settings):
    """(most pairs, then the least sum of differences) over every one-to-one assignment."""
    few, many = sorted((ones, others), key=len)
    found = []
    for chosen in itertools.permutations(many, len(few)):
        gaps = [abs(a.age - b.age) for a, b in zip(few, chosen, strict=True) if a.sex == b.sex]
        gaps = [gap for gap in gaps if gap <= settings.age_years]
        found.append((-len(gaps), sum(gaps)))
    pairs, total = min(found)
    return -pairs, total


@given(ones=PEOPLE, others=PEOPLE)
@settings(max_examples=60, deadline=None)
def test_pairs_are_as_many_and_as_close_as_can_be(make_exam, ones, others):
    rules = MatchSettings(age_years=4.0)
    ge, siemens = exams_of(make_exam, ones, 0), exams_of(make_exam, others, 100)
    pairs = match({"GE": ge, "Siemens": siemens}, rules)
    gaps = [abs(a.age - b.age) for a, b in pairs]
    assert all(gap <= 4.0 for gap in gaps)
    assert all(a.sex == b.sex for a, b in pairs)
    assert all(a in ge and b in siemens for a, b in pairs)
    assert len({exam.exam for pair in pairs for exam in pair}) == 2 * len(pairs)
    assert (len(pairs), sum(gaps)) == best_by_trying(ge, siemens, rules)


def test_sex_counts_only_where_it_is_matched(make_exam):
    levels = {"GE": [make_exam(0, sex="F")], "Siemens": [make_exam(1, sex="M")]}
    assert match(levels, MatchSettings(sex=True)) == []
    assert match(levels, MatchSettings(sex=False)) == [(levels["GE"][0], levels["Siemens"][0])]


@pytest.mark.parametrize(("gap", "pairs"), [(5.0, 1), (5.1, 0)])
def test_the_caliper_includes_its_end(make_exam, gap, pairs):
    levels = {"GE": [make_exam(0, age=50.0)], "Siemens": [make_exam(1, age=50.0 + gap)]}
    assert len(match(levels, MatchSettings(age_years=5.0))) == pairs


def test_three_levels_are_matched_to_the_smallest(make_exam):
    rng = random.Random(3)
    levels = {
        level: [make_exam(1000 * n + m, age=round(rng.uniform(30, 60), 1)) for m in range(count)]
        for n, (level, count) in enumerate({"A": 30, "B": 12, "C": 25}.items())
    }
    groups = match(levels, MatchSettings(age_years=5.0))
    assert 10 <= len(groups) <= 12
    for a, b, c in groups:
        assert (a in levels["A"], b in levels["B"], c in levels["C"]) == (True, True, True)
        assert abs(a.age - b.age) <= 5.0
        assert abs(c.age - b.age) <= 5.0
    assert len({exam.exam for group in groups for exam in group}) == 3 * len(groups)
