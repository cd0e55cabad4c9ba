"""What is compared: values of a text, bins of a number, with enough patients each."""

import numpy as np
import pytest

from nameplate.errors import UserError
from nameplate_evaluation.audit.levels import levels_of, parse_bins
from nameplate_evaluation.audit.score_table import Network, ScoreTable, exam_column


def table_of(name, texts, patients=None):
    count = len(texts)
    column = exam_column(name, [str(text) for text in texts])
    return ScoreTable(
        exams=tuple(f"e{n}" for n in range(count)),
        patient=np.arange(count) if patients is None else np.array(patients),
        patients_known=True,
        labels=np.zeros(count, dtype=bool),
        networks=(Network(name="", runs=("",), values=np.zeros((1, count))),),
        columns=(column,),
    ), column


def test_values_with_too_few_patients_are_counted_and_not_named():
    table, column = table_of(
        "site", ["A"] * 12 + ["B"] * 6 + ["C"] * 6 + ["", ""], [*range(18), *[18] * 6, 24, 25]
    )
    found = levels_of(table, column, {})
    assert found.names == ("A", "B")
    assert (found.small, found.small_exams, found.unknown, found.several) == (1, 6, 2, 0)
    assert found.of_exam.tolist() == [0] * 12 + [1] * 6 + [-1] * 8


def test_a_patient_in_two_levels_is_counted():
    table, column = table_of("site", ["A", "B"] * 8, [n // 2 for n in range(16)])
    assert levels_of(table, column, {}).several == 8


def test_ages_have_usual_bins_and_the_user_can_set_others():
    table, column = table_of("age", [20 + n for n in range(80)])
    assert levels_of(table, column, {}).names == (
        "below 40 years", "40 to 60 years", "60 to 80 years", "80 years and more"
    )  # fmt: skip
    found = levels_of(table, column, parse_bins(["age=65"]))
    assert found.names == ("below 65 years", "65 years and more")
    assert (found.of_exam == 0).sum() == 45


def test_few_whole_numbers_are_names_and_many_are_numbers():
    assert levels_of(*table_of("ward", [1, 2] * 10), {}).names == ("1", "2")
    assert len(levels_of(*table_of("dose", [n / 7 for n in range(60)]), {}).names) == 3


@pytest.mark.parametrize(
    ("texts", "reason"),
    [
        (["A"] * 20, "all exams have the same value"),
        (["A"] * 17 + ["B"] * 3, "fewer than two values have 5 patients"),
        ([f"name {n}" for n in range(60)], "it has many values, few exams each"),
        (["mixed", "val"] * 10, "its values are no names that can be printed"),
    ],
)
def test_what_cannot_be_compared_by_says_why(texts, reason):
    assert levels_of(*table_of("site", texts), {}) == reason


def test_at_most_twelve_levels_those_with_most_patients():
    texts = [f"s{n:02d}" for n in range(20) for _ in range(6 + n)]
    found = levels_of(*table_of("site", texts), {})
    assert found.names == tuple(f"s{n:02d}" for n in range(19, 7, -1))
    assert (found.small, found.beyond, found.beyond_exams) == (0, 8, 6 * 8 + 28)


@pytest.mark.parametrize("text", ["age", "age=", "age=2,1", "age=x", "=3", "sex=1"])
def test_bins_are_cuts_of_a_number(text):
    with pytest.raises(UserError, match="--bins"):
        parse_bins([text])


@pytest.mark.parametrize("name", ["PatientName", "birth_date", "MRN", "referring_physician", "Name", "DOB"])
def test_a_column_that_tells_who_somebody_is_is_never_compared_by(name):
    assert (
        levels_of(*table_of(name, ["A"] * 10 + ["B"] * 10), {})
        == "its name says that it tells who somebody is"
    )


def test_spellings_that_differ_in_capitals_and_blanks_are_one_level():
    texts = ["GE"] * 8 + ["ge", " Ge "] * 4 + ["Siemens", "SIEMENS", "Siemens"] * 4
    found = levels_of(*table_of("manufacturer", texts), {})
    assert found.names == ("GE", "Siemens")
    assert found.of_exam.tolist() == [0] * 16 + [1] * 12
