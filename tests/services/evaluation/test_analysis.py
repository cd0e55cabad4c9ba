"""All figures of a campaign: on which exams each is measured, and in what order cells come."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate.errors import StoreError
from nameplate_evaluation.analysis import ALL, VAL, analyse


@pytest.fixture(scope="module")
def analysis(complete):
    return analyse(complete)


@pytest.fixture(scope="module")
def spheres(analysis):
    (grid,) = analysis.of_task("spheres")
    return grid


def rows_of(figures, split, *levels):
    """The predictions of a cell's first run on a split, of these levels or of all."""
    cell = figures.cell
    rows = cell.predictions[cell.selection.kept[0]]
    return [row for row in rows if row.split == split and (not levels or row.level in levels)]


@pytest.mark.parametrize("training_set", ["mixed", "GE", "Siemens"])
def test_validation_is_on_all_validation_exams_whatever_was_trained_on(spheres, training_set):
    figures = spheres.cell("easy", training_set)
    measured = figures.measured[VAL, "accuracy"]
    rows = rows_of(figures, "val")
    assert {row.level for row in rows} == {"GE", "Siemens"}
    assert len(measured.exams) == len(rows)
    right = [(row.score >= 0.5) == (row.label == 1) for row in rows]
    assert measured.merit.values[0] == pytest.approx(np.mean(right))


def test_where_runs_are_chosen_on_their_own_level_validation_is_on_that_level_alone(plant):
    arms = [{"name": "few", "levels": ["GE"], "exams": 10}]
    analysis = analyse(
        plant(own=(2.0,), runs=2, choose_on="own", training_sets=["mixed", "GE", "Siemens"], arms=arms)
    )
    (grid,) = analysis.of_task("spheres")
    for name, levels in (
        ("mixed", ("GE", "Siemens")), ("GE", ("GE",)), ("Siemens", ("Siemens",)), ("few", ("GE",))
    ):  # fmt: skip
        figures = grid.cell("easy", name)
        assert len(figures.measured[VAL, "auroc"].exams) == len(rows_of(figures, "val", *levels))
        assert len(figures.measured[ALL, "auroc"].exams) == 80


@pytest.mark.parametrize("training_set", ["mixed", "GE", "Siemens"])
def test_the_test_set_is_whole_and_by_level_whatever_the_training_set(spheres, training_set):
    figures = spheres.cell("easy", training_set)
    counts = {exams: len(figures.measured[exams, "accuracy"].exams) for exams in (ALL, "GE", "Siemens")}
    assert counts == {
        ALL: len(rows_of(figures, "test")),
        "GE": len(rows_of(figures, "test", "GE")),
        "Siemens": len(rows_of(figures, "test", "Siemens")),
    }
    assert counts[ALL] == counts["GE"] + counts["Siemens"]


def test_figures_of_a_cell_are_those_of_its_predictions(spheres):
    figures = spheres.cell("hard", "GE")
    rates = []
    for seed in figures.cell.selection.kept:
        rows = figures.cell.predictions[seed]
        here = [row for row in rows if (row.split, row.level) == ("test", "Siemens")]
        rates.append(np.mean([(row.score >= 0.5) == (row.label == 1) for row in here]))
    measured = spheres.measured("hard", "GE", "Siemens", "accuracy")
    assert measured.merit.values.tolist() == pytest.approx(rates)


def test_sensitivity_is_also_measured_by_the_difficulty_of_the_sphere(spheres):
    figures = spheres.cell("hard", "mixed")
    for difficulty in ("easy", "hard"):
        found = figures.measured[ALL, f"sensitivity of {difficulty}"]
        rows = [row for row in rows_of(figures, "test") if row.difficulty == difficulty]
        assert len(found.exams) == len(rows) > 0
        assert found.merit.values[0] == pytest.approx(np.mean([row.score >= 0.5 for row in rows]))
    assert (ALL, "sensitivity of medium") not in figures.measured
    assert not any(exams == "GE" and "of" in metric for exams, metric in figures.measured)


def test_study_and_controls_are_told_apart(plant, analysis):
    found = [(grid.experiment.name, grid.cohort) for grid in analysis.grids]
    assert found == [
        ("naming", "main"),
        ("naming", "twins"),
        ("spheres", "main"),
        ("spheres", "twins"),
        ("segmentation", "main"),
    ]
    assert [(grid.experiment.name, grid.cohort) for grid in analysis.study] == [
        ("naming", "main"),
        ("spheres", "main"),
        ("segmentation", "main"),
    ]
    assert [grid.cohort for grid in analysis.of_task("factor")] == ["main"]
    assert [grid.cohort for grid in analysis.of_task("factor", "null-control")] == ["twins"]
    assert analysis.of_task("segmentation", "null-control") == ()
    both = analyse(plant(own=(2.0,), runs=2, controls={"null-control": 0.0, "positive-control": 1.0}))
    assert [grid.cohort for grid in both.of_task("spheres", "positive-control")] == ["positive-control"]


def test_cells_are_in_the_order_of_the_campaign_and_not_of_the_results(complete, analysis):
    turned = analyse(replace(complete, cells=complete.cells[::-1]))
    for found in (analysis, turned):
        (spheres,) = found.of_task("spheres")
        assert [(cell.dataset, cell.training_set) for cell in spheres.cells] == [
            (dataset, training_set)
            for dataset in ("easy", "medium", "hard")
            for training_set in ("mixed", "GE", "Siemens")
        ]
        (naming,) = found.of_task("factor")
        assert [cell.group for cell in naming.cells] == [0, 1]


def test_the_order_of_results_and_predictions_changes_no_figure(plant):
    results = plant(own=(2.0, 1.0), runs=3)
    cells = [
        replace(cell, predictions={seed: rows[::-1] for seed, rows in reversed(cell.predictions.items())})
        for cell in reversed(results.cells)
    ]
    first, second = analyse(results), analyse(replace(results, cells=tuple(cells)))
    for ours, theirs in zip(first.grids, second.grids, strict=True):
        for one, other in zip(ours.cells, theirs.cells, strict=True):
            for key, measured in one.measured.items():
                assert measured.estimate(0.95) == other.measured[key].estimate(0.95)


def test_arms_are_told_apart_by_what_they_train_on(plant):
    arms = [
        {"name": "few", "levels": ["GE"], "exams": 10},
        {"name": "as many", "exams": "one-level"},
        {"name": "GE alone", "levels": ["GE"]},
    ]
    analysis = analyse(plant(own=(2.0,), runs=2, training_sets=["Siemens", "mixed"], arms=arms))
    (grid,) = analysis.of_task("spheres")
    assert grid.arm_of("GE").name == "GE alone"
    assert grid.arm_of("Siemens").name == "Siemens"
    assert grid.arm_of("Philips") is None
    assert grid.mixed == "mixed"
    assert [cell.training_set for cell in grid.cells] == ["Siemens", "mixed", "few", "as many", "GE alone"]
    one = analyse(plant(own=(2.0,), runs=2, training_sets=["GE"]))
    assert one.of_task("spheres")[0].mixed is None


def test_what_is_not_there_yet_is_none(complete):
    cells = tuple(c for c in complete.cells if c.key[0] == "spheres" and c.key[2] == "easy")
    analysis = analyse(replace(complete, cells=cells))
    grid = analysis.grids[0]
    assert [g.cohort for g in analysis.grids] == ["main", "twins"]
    assert grid.cell("hard", "mixed") is None
    assert grid.cell("easy", "mixed", group=1) is None
    assert grid.measured("hard", "mixed", ALL, "accuracy") is None
    assert grid.measured("easy", "mixed", ALL, "dice") is None
    assert analysis.estimate(None) is None


def test_the_confidence_is_that_of_the_campaign(plant):
    widths = []
    for confidence in (0.8, 0.99):
        analysis = analyse(plant(own=(2.0,), runs=3, analysis={"confidence": confidence}))
        (grid,) = analysis.of_task("spheres")
        estimate = analysis.estimate(grid.measured("easy", "GE", "GE", "auroc"))
        widths.append(estimate.high - estimate.low)
    assert widths[0] < 0.6 * widths[1]


def with_rows(results, change):
    """The results with the rows of the first cell's second run changed."""
    first, *others = results.cells
    predictions = {**first.predictions, 1: tuple(change(first.predictions[1]))}
    return replace(results, cells=(replace(first, predictions=predictions), *others))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda rows: [row.model_copy(update={"score": float("nan")}) for row in rows],
            "seed 1: the score of exam e-study-GE-0",
        ),
        (lambda rows: [*rows, rows[0]], "seed 1: exam e-study-GE-000 is predicted twice"),
        (lambda rows: rows[1:], "seeds 0 and 1 have predicted different exams: one of them lacks e-study-GE"),
    ],
)
def test_predictions_that_contradict_each_other_are_refused_in_one_line(plant, change, words):
    with pytest.raises(StoreError) as caught:
        analyse(with_rows(plant(own=(2.0,), runs=2), change))
    assert str(caught.value).startswith("cell spheres-study-easy-GE-0")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_exam_of_no_cohort_is_refused_with_its_cell(plant):
    results = plant(own=(2.0,), runs=2)
    first, *others = results.cells
    strange = {
        seed: (rows[0].model_copy(update={"exam": "e-foreign"}), *rows[1:])
        for seed, rows in first.predictions.items()
    }
    with pytest.raises(StoreError) as caught:
        analyse(replace(results, cells=(replace(first, predictions=strange), *others)))
    assert str(caught.value) == "cell spheres-study-easy-GE-0: exam e-foreign is not in cohort study"


def test_where_the_cohort_is_not_known_no_exam_is_foreign(plant):
    results = replace(plant(own=(2.0,), runs=2), cohorts=())
    assert len(analyse(results).grids) == 2
