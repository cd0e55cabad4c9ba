"""Names of fields and columns, and texts that are numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nameplate.campaign.field import FIELDS, is_column_name, number_in


def test_every_field_is_found_by_its_name_and_titled_once() -> None:
    assert all(name == field.name for name, field in FIELDS.items())
    assert len({field.title for field in FIELDS.values()}) == len(FIELDS)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_that_is_printed_is_read(number: float) -> None:
    assert number_in(f" {number!r} ") == number


@pytest.mark.parametrize("text", ["", "-", ".", "1,5", "5 mm", "inf", "nan", "1_000", "0x1", "1e999", "٣"])
def test_what_is_no_finite_number(text: str) -> None:
    assert number_in(text) is None


@pytest.mark.parametrize("name", ["site", "dose_class", "Dose class", "x", "v1.2", "a-b"])
def test_names_of_columns(name: str) -> None:
    assert is_column_name(name)


@pytest.mark.parametrize(
    "name", ["", "study", "age", "kernel_class", "1st", "a/b", "a ", "a\n", "<b>", "größe", "a" * 41]
)
def test_what_is_no_name_of_a_column(name: str) -> None:
    assert not is_column_name(name)
