"""All figures of a campaign: on which exams each is measured, and in what order cells come."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate_evaluation.analysis import ALL, VAL, analyse


@pytest.fixture(scope="module")
def analysis(complete):
    return analyse(complete)


@pytest.fixture(scope="module")
def spheres(analysis):
    (grid,) = analysis.of_task("spheres")
    return grid


def rows_of(figures, split, *levels):
    """The predictions of a cell's first model on a split, of these levels or of all."""
    cell = figures.cell
    rows = cell.predictions[cell.selection.kept[0]]
    return [row for row in rows if row.split == split and (not levels or row.level in levels)]


@pytest.mark.parametrize("level", ["GE", "Siemens"])
def test_validation_of_a_one_level_training_set_holds_exams_of_that_level_alone(spheres, level):
    figures = spheres.cell("easy", level)
    rows = rows_of(figures, "val", level)
    assert 0 < len(rows) < len(rows_of(figures, "val"))
    measured = figures.measured[VAL, "accuracy"]
    assert measured.exams == len(rows)
    assert measured.by_model[0] == pytest.approx(np.mean([(r.score >= 0.5) == (r.label == 1) for r in rows]))


def test_validation_of_the_mixed_training_set_holds_all_levels(spheres):
    figures = spheres.cell("easy", "mixed")
    assert figures.measured[VAL, "accuracy"].exams == len(rows_of(figures, "val"))


@pytest.mark.parametrize("training_set", ["mixed", "GE", "Siemens"])
def test_the_test_set_is_whole_and_by_level_whatever_the_training_set(spheres, training_set):
    figures = spheres.cell("easy", training_set)
    counts = {exams: figures.measured[exams, "accuracy"].exams for exams in (ALL, "GE", "Siemens")}
    assert counts == {
        ALL: len(rows_of(figures, "test")),
        "GE": len(rows_of(figures, "test", "GE")),
        "Siemens": len(rows_of(figures, "test", "Siemens")),
    }
    assert counts[ALL] == counts["GE"] + counts["Siemens"]


def test_sensitivity_is_also_measured_by_the_difficulty_of_the_sphere(spheres):
    figures = spheres.cell("hard", "mixed")
    for difficulty in ("easy", "hard"):
        found = figures.measured[ALL, f"sensitivity of {difficulty}"]
        rows = [row for row in rows_of(figures, "test") if row.difficulty == difficulty]
        assert found.exams == len(rows) > 0
        assert found.by_model[0] == pytest.approx(np.mean([row.score >= 0.5 for row in rows]))
    assert (ALL, "sensitivity of medium") not in figures.measured
    assert not any(exams == "GE" and "of" in metric for exams, metric in figures.measured)


def test_study_and_controls_are_told_apart(analysis):
    found = [(grid.experiment.name, grid.cohort) for grid in analysis.grids]
    assert found == [("naming", "main"), ("naming", "twins"), ("spheres", "main"), ("segmentation", "main")]
    assert [(grid.experiment.name, grid.cohort) for grid in analysis.study] == [
        ("naming", "main"),
        ("spheres", "main"),
        ("segmentation", "main"),
    ]
    assert [grid.cohort for grid in analysis.of_task("factor")] == ["main"]
    assert [grid.cohort for grid in analysis.of_task("factor", control=True)] == ["twins"]
    assert analysis.of_task("spheres", control=True) == ()


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


def test_what_is_not_there_yet_is_none(complete):
    cells = tuple(c for c in complete.cells if c.key[0] == "spheres" and c.key[2] == "easy")
    analysis = analyse(replace(complete, cells=cells))
    (grid,) = analysis.grids
    assert grid.cell("hard", "mixed") is None
    assert grid.cell("easy", "mixed", group=1) is None
    assert grid.measured("hard", "mixed", ALL, "accuracy") is None
    assert grid.measured("easy", "mixed", ALL, "dice") is None
    assert analysis.estimate(None) is None


def test_figures_of_one_cohort_are_from_the_same_resamples(complete, analysis, spheres):
    """A cell that is measured alone has the very draws that it has among others: differences are paired."""
    cell = next(c for c in complete.cells if c.key[0] == "spheres" and c.key[2:4] == ("medium", "GE"))
    (alone,) = analyse(replace(complete, cells=(cell,))).grids
    for key in ((VAL, "accuracy"), (ALL, "auroc"), ("Siemens", "sensitivity")):
        found = alone.cells[0].measured[key].draws
        assert found.tolist() == spheres.cell("medium", "GE").measured[key].draws.tolist()
