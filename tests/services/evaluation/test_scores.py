"""Predictions as arrays: which runs and exams they hold, and what contradicts itself."""

import numpy as np
import pytest

from nameplate.errors import StoreError
from nameplate.steps.cell import Cell
from nameplate.steps.selection import Selection
from nameplate.steps.training import Prediction
from nameplate_evaluation.results import CellResult
from nameplate_evaluation.scores import scores_of

CELL = Cell(experiment="spheres", cohort="main", dataset="easy", training_set="mixed", group=0)


def row(exam: str, score: float = 0.5, **changes) -> Prediction:
    values = {
        "patient": f"p{exam}",
        "level": "GE",
        "split": "test",
        "label": 1,
        "difficulty": None,
        "radius_mm": None,
    }
    return Prediction(exam=exam, score=score, **(values | changes))


def cell_of(*kept: int, **predictions: list[Prediction]) -> CellResult:
    """A cell whose kept seeds have predicted s1=..., s2=..."""
    selection = Selection(
        cell=CELL, round=0, trained=9, converged=len(kept), kept=kept, next_seeds=(), finished="target"
    )
    by_seed = {int(name.removeprefix("s")): tuple(rows) for name, rows in predictions.items()}
    return CellResult(rounds=(selection,), runs=(), predictions=by_seed)


def test_exams_are_in_alphabetical_order_whatever_the_order_of_the_rows():
    rows = [
        row("c", 0.3, level="Siemens", label=0),
        row("a", 0.1),
        row("b", 0.2, difficulty="hard", radius_mm=15.5),
    ]
    scores = scores_of(
        cell_of(4, 2, s4=rows, s2=[row("b", 0.8), row("c", 0.7, level="Siemens", label=0), row("a", 0.9)]),
        "test",
    )
    assert scores.seeds == (4, 2)
    assert (scores.exams, scores.patients) == (("a", "b", "c"), ("pa", "pb", "pc"))
    assert scores.levels == ("GE", "GE", "Siemens")
    assert scores.labels.tolist() == [True, True, False]
    assert scores.difficulties == (None, "hard", None)
    assert np.array_equal(scores.radii_mm, [np.nan, 15.5, np.nan], equal_nan=True)
    assert scores.values.tolist() == [[0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]


def test_only_the_rows_of_one_split_count():
    rows = [row("a", split="val"), row("b"), row("c", split="val")]
    assert scores_of(cell_of(1, s1=rows), "val").exams == ("a", "c")
    assert scores_of(cell_of(1, s1=rows), "test").exams == ("b",)
    assert scores_of(cell_of(1, s1=[row("b")]), "val") is None


def test_kept_seeds_without_predictions_are_left_out_as_are_predictions_of_others():
    cell = cell_of(1, 2, 3, s2=[row("a", 0.2)], s3=[], s7=[row("a", 0.7)])
    scores = scores_of(cell, "test")
    assert scores.seeds == (2,)
    assert scores.values.tolist() == [[0.2]]


def test_without_a_kept_run_that_has_predicted_there_are_no_scores():
    assert scores_of(cell_of(s1=[row("a")]), "test") is None
    assert scores_of(cell_of(1, 2), "test") is None


def error_of(cell) -> str:
    """The one line in which the cell's predictions are refused."""
    with pytest.raises(StoreError) as caught:
        scores_of(cell, "test")
    (line,) = str(caught.value).splitlines()
    return line


def test_an_exam_that_is_predicted_twice_is_named_with_its_cell_and_seed():
    cell = cell_of(1, 2, s1=[row("a"), row("b")], s2=[row("a"), row("b"), row("b", 0.9)])
    assert error_of(cell) == "cell spheres-main-easy-mixed-0, seed 2: exam b is predicted twice"
    other_split = [row("a"), row("a", split="val")]
    assert scores_of(cell_of(2, s2=other_split), "test").exams == ("a",)


@pytest.mark.parametrize("others", [["a"], ["a", "b", "c"], ["a", "c"]])
def test_seeds_that_have_predicted_different_exams_are_an_error(others):
    cell = cell_of(1, 2, 5, s1=[row("a"), row("b")], s2=[row("b"), row("a")], s5=[row(e) for e in others])
    lacking = min({"a", "b"} ^ set(others))
    assert error_of(cell) == (
        "cell spheres-main-easy-mixed-0: seeds 1 and 5 have predicted different exams: one of them lacks"
        f" {lacking}"
    )


@pytest.mark.parametrize("change", [{"label": 0}, {"level": "Siemens"}, {"patient": "px"}])
def test_seeds_that_disagree_on_what_an_exam_is_are_an_error(change):
    cell = cell_of(1, 5, s1=[row("a"), row("b")], s5=[row("b", **change), row("a")])
    assert error_of(cell) == (
        "cell spheres-main-easy-mixed-0: seeds 1 and 5 disagree on the patient, level or label of exam b"
    )


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_named_with_its_cell_seed_and_exam(score):
    cell = cell_of(1, 2, s1=[row("a"), row("b")], s2=[row("b", score), row("a")])
    assert error_of(cell) == ("cell spheres-main-easy-mixed-0, seed 2: the score of exam b is no number")


def test_chosen_exams_keep_all_that_belongs_to_them():
    rows = [
        row("a", 0.1),
        row("b", 0.2, level="Siemens", label=0),
        row("c", 0.3, difficulty="easy", radius_mm=22.0),
    ]
    scores = scores_of(cell_of(1, s1=rows), "test")
    part = scores.where(np.array([False, True, True]))
    assert (part.seeds, part.exams, part.patients) == ((1,), ("b", "c"), ("pb", "pc"))
    assert (part.levels, part.difficulties) == (("Siemens", "GE"), (None, "easy"))
    assert (part.labels.tolist(), part.values.tolist()) == ([False, True], [[0.2, 0.3]])
    assert np.array_equal(part.radii_mm, [np.nan, 22.0], equal_nan=True)
    assert scores.where(np.zeros(3, dtype=bool)) is None


def test_exams_of_levels():
    rows = [row("a"), row("b", level="Siemens"), row("c", level="Philips")]
    scores = scores_of(cell_of(1, s1=rows), "test")
    assert scores.of_levels({"Siemens"}).exams == ("b",)
    assert scores.of_levels(("Philips", "GE")).exams == ("a", "c")
    assert scores.of_levels({"Canon"}) is None
