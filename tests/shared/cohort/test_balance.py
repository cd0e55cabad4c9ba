"""Age and sex by level, before and after matching."""

import random

import numpy as np
import pytest

from nameplate.campaign.factor import FactorSettings
from nameplate.cohort import balance_table


def test_matching_takes_away_a_difference_in_age_and_sex(make_exam, build):
    rng = random.Random(1)
    exams = []
    for n in range(400):
        maker = ("GE", "Siemens")[n % 2]
        age = min(95.0, max(18.0, round(rng.gauss(50 if maker == "GE" else 62, 15), 1)))
        sex = "F" if rng.random() < (0.35 if maker == "GE" else 0.6) else "M"
        exams.append(make_exam(n, manufacturer=maker, age=age, sex=sex))
    factor = FactorSettings()
    made = build(exams)
    rows = {(row.stage, row.level): row for row in balance_table(exams, made.members, factor)}
    assert list(rows) == [(stage, level) for stage in ("before", "after") for level in ("GE", "Siemens")]
    ages = np.array([exam.age for exam in exams if exam.manufacturer == "Siemens"])
    before = rows["before", "Siemens"]
    assert before.exams == before.patients == before.age_known == before.sex_known == 200
    assert before.age_mean == pytest.approx(ages.mean())
    assert before.age_sd == pytest.approx(ages.std(ddof=1))
    assert before.age_difference > 0.5
    assert before.female_difference > 0.3
    after = rows["after", "Siemens"]
    assert after.exams == rows["after", "GE"].exams == len(made.members) // 2
    assert abs(after.age_difference) < 0.1
    assert after.female_difference == 0.0
    assert rows["after", "GE"].age_difference == 0.0
    assert balance_table(exams[::-1], made.members, factor) == balance_table(exams, made.members, factor)


def test_the_standardised_difference_is_the_textbooks(make_exam):
    ages = {"GE": [40.0, 50.0, 60.0], "Siemens": [55.0, 60.0, 65.0]}
    exams = [
        make_exam(10 * n + m, manufacturer=maker, age=age, sex="FM"[m % 2])
        for n, (maker, values) in enumerate(ages.items())
        for m, age in enumerate(values)
    ]
    row = balance_table(exams, [], FactorSettings())[1]
    # Means 50 and 60; variances 100 and 25.
    assert row.age_difference == pytest.approx(10 / np.sqrt(62.5))
    assert row.female == pytest.approx(2 / 3)


def test_what_is_unknown_is_none_and_not_zero(make_exam):
    exams = [
        make_exam(0, age=None, sex=None),
        make_exam(1, patient=f"p{0:016x}", age=50.0, sex="O"),
        make_exam(2, manufacturer="Siemens", age=70.0),
    ]
    ge, siemens, *after = balance_table(exams, [], FactorSettings())
    assert (ge.exams, ge.patients, ge.age_known, ge.sex_known) == (2, 1, 1, 0)
    assert (ge.age_mean, ge.age_sd, ge.female) == (50.0, None, None)
    assert (siemens.age_difference, siemens.female_difference) == (None, None)
    assert [(row.exams, row.age_mean) for row in after] == [(0, None), (0, None)]
