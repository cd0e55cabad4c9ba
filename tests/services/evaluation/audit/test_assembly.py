"""Every row that does not count is counted, and the table is the same however its rows are ordered."""

import numpy as np
import pytest

from nameplate.errors import UserError
from nameplate_evaluation.audit.assembly import Reading, assembled
from nameplate_evaluation.audit.raw_table import RawTable


def table(**columns):
    return RawTable(
        name="t.csv", columns={name: [str(cell) for cell in cells] for name, cells in columns.items()}
    )


def made(*tables, exams=None, **reading):
    return assembled(tables, exams, Reading(roles=reading.pop("roles", {}), **reading))


def losses(found):
    return {loss.reason: (loss.count, loss.what) for loss in found.losses}


EXAMS = {
    "exam": ["c", "a", "b", "d"],
    "patient": ["q", "p", "p", "q"],
    "label": [1, 0, 1, 0],
    "score": [0.9, 0.1, 0.6, 0.2],
}


def test_exams_are_in_the_order_of_their_names():
    found, _ = made(table(**EXAMS, maker=["x", "y", "x", ""]))
    assert found.exams == ("a", "b", "c", "d")
    assert found.networks[0].values.tolist() == [[0.1, 0.6, 0.9, 0.2]]
    assert found.labels.tolist() == [False, True, True, False]
    assert found.patient.tolist() == [0, 0, 1, 1]
    assert found.column("maker").values == ["y", "x", "x", None]
    back = {name: cells[::-1] for name, cells in EXAMS.items()}
    other, _ = made(table(**back))
    assert other.networks[0].values.tolist() == found.networks[0].values.tolist()


def test_rows_that_do_not_count_are_counted():
    rows = {
        "exam": ["a", "a", "b", "b", "c", "", "d", "e", "f", "g"],
        "label": [1, 1, 0, 0, 1, 1, "", 0, 1, 0],
        "score": [0.8, 0.8, 0.3, 0.4, "nan", 0.5, 0.5, "", 0.7, 0.1],
    }
    found, _ = made(table(**rows))
    assert found.exams == ("a", "f", "g")
    assert losses(found) == {
        "say again what another row says": (1, "rows"),
        "have several scores of one run (a column of runs or networks not said?)": (1, "exams"),
        "have a score that is no number": (1, "rows"),
        "have no exam": (1, "rows"),
        "have no label": (1, "exams"),
        "have no score": (1, "rows"),
    }
    assert not found.patients_known


def test_an_exam_with_both_labels_is_left_out():
    found, _ = made(table(exam=["a", "a", "b", "c"], run=[1, 2, 1, 1], label=[1, 0, 1, 0], score=[0.1] * 4))
    assert losses(found)["have both labels"] == (1, "exams")
    assert found.exams == ("b", "c")


def test_runs_are_compared_on_the_exams_that_all_have():
    rows = {
        "exam": ["a", "b", "c", "a", "b"],
        "seed": [10, 10, 10, 9, 9],
        "label": [1, 0, 1, 1, 0],
        "score": [1, 2, 3, 4, 5],
    }
    found, roles = made(table(**rows), span=(0, 10))
    assert roles.run == "seed"
    assert found.networks[0].runs == ("9", "10")
    assert found.networks[0].values.tolist() == [[4, 5], [1, 2]]
    assert losses(found)["lack the score of some network or run"] == (1, "exams")
    assert found.several_runs


def test_a_network_is_told_from_a_scanner_by_differing_within_exams():
    rows = {
        "exam": ["a", "a", "b", "b"],
        "model": ["u", "v", "u", "v"],
        "label": [1, 1, 0, 0],
        "score": [0.5, 0.6, 0.1, 0.2],
    }
    assert [n.name for n in made(table(**rows))[0].networks] == ["u", "v"]
    scanners = {name: cells[::2] for name, cells in rows.items()}
    found, _ = made(table(**scanners))
    assert [n.name for n in found.networks] == [""]
    assert found.column("model").values == ["u", "u"]


@pytest.mark.parametrize(
    ("labels", "positive", "expected"),
    [
        (["Yes", "no"], None, [True, False]),
        (["TRUE", "False"], None, [True, False]),
        (["0.0", "1.0"], None, [False, True]),
        (["bleed", "none"], "bleed", [True, False]),
        (["SAH", "SDH"], "sdh", [False, True]),
    ],
)
def test_labels_in_the_words_that_people_use(labels, positive, expected):
    found, _ = made(table(exam=["a", "b"], label=labels, score=[0.1, 0.2]), positive=positive)
    assert found.labels.tolist() == expected


@pytest.mark.parametrize(
    ("labels", "positive", "message"),
    [
        ([0, 1, 2], None, "expected two values such as 0 and 1 or no and yes, got 3 different ones"),
        (["SAH", "SDH", "SDH"], None, "--positive VALUE says which"),
        ([1, 1, 1], None, "all exams have the same label"),
        ([0, 1, 1], "2", "no label is '2'"),
    ],
)
def test_labels_that_are_not_two(labels, positive, message):
    with pytest.raises(UserError, match=message) as error:
        made(table(exam=["a", "b", "c"], label=labels, score=[0.1, 0.2, 0.3]), positive=positive)
    assert "SAH" not in str(error.value)


def test_a_few_scores_beside_0_to_1_are_mistakes_and_many_are_no_probabilities():
    exams = [f"e{n}" for n in range(200)]
    scores = [0.5] * 199 + [7]
    found, _ = made(table(exam=exams, label=[0, 1] * 100, score=scores))
    assert losses(found)["have a score beside 0 to 1"] == (1, "rows")
    assert found.are_probabilities
    logits, _ = made(table(exam=exams, label=[0, 1] * 100, score=[-3, 4] * 100))
    assert len(logits.exams) == 200
    assert not logits.are_probabilities
    with pytest.raises(UserError, match="no score lies in 5 to 6"):
        made(table(exam=exams, label=[0, 1] * 100, score=scores), span=(5, 6))


def test_truth_and_scores_in_two_files_as_melody_has_them():
    truth = table(case_name=["a", "b", "c"], truth=[1, 0, 1], manufacturer=["GE", "GE", "Siemens"])
    scores = table(case_name=["b", "a", "z"], run_1=[0.1, 0.9, 0], run_2=[0.2, 0.8, 0], note=["x", "y", "z"])
    found, roles = made(truth, scores)
    assert roles.score == ("run_1", "run_2")
    assert [(n.name, n.values.tolist()) for n in found.networks] == [
        ("run_1", [[0.9, 0.1]]), ("run_2", [[0.8, 0.2]])
    ]  # fmt: skip
    assert losses(found) == {
        "are in the table of truth alone": (1, "exams"),
        "are in the table of scores alone": (1, "exams"),
    }
    with pytest.raises(UserError, match="no column 'case_name'"):
        made(truth, table(other=["a"], s=[1]))
    with pytest.raises(UserError, match="an exam has several rows"):
        made(truth, table(case_name=["a", "a"], s=[1, 2]))


def test_a_table_of_exams_is_joined_and_strangers_counted():
    more = table(
        exam=["a", "b", "c", "c"],
        patient=["1", "1", "2", "3"],
        kernel=["H30", "H30", "B", "X"],
        score=[9] * 4,
    )
    alone = {name: cells for name, cells in EXAMS.items() if name != "patient"}
    found, roles = made(table(**alone), exams=more)
    assert roles.patient == "patient"
    assert found.column("kernel").values == ["H30", "H30", "B", None]
    assert found.networks[0].values.max() == 0.9
    assert losses(found) == {
        "are not in t.csv: their columns there are unknown": (1, "exams"),
        "of t.csv: an exam that was there before": (1, "rows"),
        "have no patient: each is taken for one": (1, "exams"),
    }
    with pytest.raises(UserError, match="has none of the exams"):
        made(table(**alone), exams=table(exam=["x"], kernel=["H30"]))


def test_validation_exams_choose_a_threshold_and_training_exams_nothing():
    rows = {
        "exam": ["a", "b", "c", "d", "e"], "split": ["train", "val", "val", "test", "test"],
        "label": [1, 0, 1, 0, 1], "score": [0.1, 0.2, 0.3, 0.4, 0.5],
    }  # fmt: skip
    found, _ = made(table(**rows))
    assert found.exams == ("d", "e")
    assert found.chosen_on.exams == ("b", "c")
    assert losses(found)["are of training exams"] == (1, "rows")


def test_thresholds_are_one_a_network():
    found, _ = made(table(**EXAMS, threshold=[0.4] * 4))
    assert found.networks[0].threshold == 0.4
    with pytest.raises(UserError, match="a network has 2 thresholds"):
        made(table(**EXAMS, threshold=[0.4, 0.4, 0.5, 0.4]))


def test_columns_with_names_that_cannot_be_printed_or_no_value_are_said():
    found, _ = made(
        table(**EXAMS, **{"slice (mm)": [1, 2, 3, 4], "empty": [""] * 4, "Manufacturer": list("wxyz")})
    )
    assert found.column("slice mm").field.kind == "text"  # few whole numbers are names
    assert found.column("manufacturer").values == list("xywz")
    assert dict(found.ignored) == {"empty": "it is empty"}


def test_nothing_left_says_why():
    with pytest.raises(UserError, match="no row has an exam and a number as its score"):
        made(table(exam=["a", "b"], label=[0, 1], score=["x", "y"]))
    with pytest.raises(UserError, match="no exam is left to audit: 2 exams lack the score of some network"):
        made(table(exam=["a", "b"], network=[1, 2], label=[0, 1], score=[0.1, 0.2]))


def test_values_are_exact():
    found, _ = made(table(**{**EXAMS, "score": ["0.123456789012345678", "1e-17", "0.5", "1"]}))
    assert np.array_equal(found.networks[0].values[0], [1e-17, 0.5, 0.123456789012345678, 1.0])


def test_what_the_rows_of_an_exam_contradict_each_other_in_is_not_known():
    rows = {
        "exam": ["a", "a", "b", "b"],
        "run": [1, 2, 1, 2],
        "label": [1, 1, 0, 0],
        "score": [0.5, 0.6, 0.1, 0.2],
        "manufacturer": ["GE", "Siemens", "GE", ""],
    }
    found, _ = made(table(**rows))
    assert found.column("manufacturer").values == [None, "GE"]
    assert losses(found)["have several values of manufacturer: it is not known"] == (1, "exams")
    back, _ = made(table(**{name: cells[::-1] for name, cells in rows.items()}))
    assert back.column("manufacturer").values == [None, "GE"]


def test_the_folds_of_a_cross_validation_are_one_run():
    rows = {"exam": list("abcd"), "fold": [1, 1, 2, 2], "label": [0, 1, 0, 1], "score": [0.1, 0.2, 0.3, 0.4]}
    found, _ = made(table(**rows))
    assert found.exams == ("a", "b", "c", "d")
    assert found.networks[0].runs == ("2 folds",)


def test_labels_that_are_taken_for_negative_are_counted():
    found, _ = made(table(exam=list("abc"), label=["pos", "neg", "unclear"], score=[1, 0, 0]), positive="pos")
    assert losses(found) == {"have one of 2 other labels: taken for negative": (2, "exams")}


def test_a_column_of_thresholds_without_a_number_is_refused():
    with pytest.raises(UserError, match="'threshold' of thresholds holds no number"):
        made(table(**EXAMS, threshold=["high"] * 4))
