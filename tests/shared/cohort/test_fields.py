"""Values of the fields of exams."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.cohort.fields import FIELDS, Field, fields_of, value_of, values_of
from nameplate.steps.ingest import Exam

MakeExam = Callable[..., Exam]


def test_every_field_has_a_value_of_its_kind(make_exam: MakeExam) -> None:
    exam = make_exam(
        1, software="V1", institution="i01", kernel_class="soft", kvp=120, exposure_mas=300.0, age=None
    )
    values = {name: value_of(exam, name) for name in FIELDS}
    assert values.pop("age") is None
    kinds = {"number": float, "text": str}
    assert {name: type(value) for name, value in values.items()} == {
        name: kinds[FIELDS[name].kind] for name in values
    }


def test_derived_fields(make_exam: MakeExam) -> None:
    exam = make_exam(1, gaps_mm=(2.5, 5.0), tilt_degrees=-12.5)
    assert value_of(exam, "largest_gap_mm") == 5.0
    assert (value_of(exam, "tilt_degrees"), value_of(exam, "absolute_tilt_degrees")) == (-12.5, 12.5)
    assert value_of(make_exam(1, gaps_mm=()), "largest_gap_mm") is None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("kernel_class", {}),
        ("software", {"software": ""}),
        ("sex", {"sex": None}),
        ("exposure_mas", {"exposure_mas": math.nan}),
        ("thickness_mm", {"thickness_mm": math.inf}),
        ("site", {"fields": {"site": ""}}),
        ("site", {}),
        ("gaps_mm", {}),
        ("patient", {}),
    ],
)
def test_what_is_not_known_is_none(make_exam: MakeExam, name: str, changes: dict[str, Any]) -> None:
    assert value_of(make_exam(1, **changes), name) is None


def test_columns_come_after_the_fields_and_are_numbers_if_every_value_is_one(make_exam: MakeExam) -> None:
    exams = [
        make_exam(1, fields={"site": "A", "dose": "12"}),
        make_exam(2, fields={"dose": "3.5", "site": "7"}),
        make_exam(3),
    ]
    *own, dose, site = fields_of(exams)
    assert own == list(FIELDS.values())
    assert (dose, site) == (Field("dose", "number", "", "dose"), Field("site", "text", "", "site"))
    assert values_of(exams, dose) == [12.0, 3.5, None]
    assert values_of(exams, site) == ["A", "7", None]
    assert value_of(exams[0], "dose") == "12"


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1))
def test_a_column_of_numbers_keeps_them(make_exam: MakeExam, numbers: list[float | None]) -> None:
    exams = [
        make_exam(n, fields={} if number is None else {"score": repr(number)})
        for n, number in enumerate(numbers)
    ]
    field = fields_of(exams)[-1]
    if any(number is not None for number in numbers):
        assert values_of(exams, field) == numbers
    else:
        assert field == list(FIELDS.values())[-1]
