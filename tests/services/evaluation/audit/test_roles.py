"""Columns told from their names, or said by the user."""

import pytest

from nameplate.errors import UserError
from nameplate_evaluation.audit.roles import check_complete, parse_roles, roles_of


def test_usual_names_are_known_however_they_are_spelled():
    found = roles_of(["Case Name", "Patient-ID", "Y_True", "Probability", "Manufacturer"], {})
    assert (found.exam, found.patient, found.label, found.score) == (
        "Case Name", "Patient-ID", "Y_True", ("Probability",)
    )  # fmt: skip
    assert found.lines[0] == "exam = Case Name (guessed)"
    assert found.used == {"Case Name", "Patient-ID", "Y_True", "Probability"}


def test_what_the_user_says_counts_and_leaves_the_name_to_no_other():
    given = parse_roles("exam=id, score=a,score=b ,label=score,patient=")
    found = roles_of(["id", "a", "b", "score", "patient"], given)
    assert (found.score, found.label, found.patient) == (("a", "b"), "score", None)
    assert "score = a, b" in found.lines


def test_dice_takes_the_place_of_scores():
    found = roles_of(["exam", "dice", "score"], {})
    assert (found.dice, found.score) == (("dice",), ())
    check_complete(found, ["exam", "dice", "score"], "t.csv")


@pytest.mark.parametrize(
    ("header", "given", "message"),
    [
        (["exam", "label", "scor"], "score=score", r"t\.csv: no column 'score'; did you mean 'scor'\?"),
        (["exam", "x"], "label=y", "no column 'y'; there are exam, x"),
        (["a", "b"], "", "no column of exams found; say it with --columns exam=NAME, there are a, b"),
    ],
)
def test_a_column_that_is_not_there_is_said_with_those_that_are(header, given, message):
    with pytest.raises(UserError, match=message):
        roles_of(header, parse_roles(given) if given else {}, where="t.csv")


def test_a_table_needs_labels_and_scores_or_dice():
    with pytest.raises(
        UserError, match=r"no column of labels and none of scores found.*label=NAME,score=NAME"
    ):
        check_complete(roles_of(["exam"], {}), ["exam"], "t.csv")


@pytest.mark.parametrize("text", ["exam", "exams=a", "exam=a,exam=b", "=a"])
def test_roles_are_pairs(text):
    with pytest.raises(UserError, match="--columns"):
        parse_roles(text)
