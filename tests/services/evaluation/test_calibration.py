"""Calibration by level, and where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.calibration import calibrations_of


def grid_of(analysis):
    (grid,) = analysis.of_task("spheres")
    return grid


def rescored(results, change):
    """The results with every score mapped, by its level."""
    cells = [
        replace(
            cell,
            predictions={
                seed: tuple(row.model_copy(update={"score": change(row)}) for row in rows)
                for seed, rows in cell.predictions.items()
            },
        )
        for cell in results.cells
    ]
    return replace(results, cells=tuple(cells))


def test_every_cell_and_level_has_the_mean_of_its_runs_logistic_regressions(plant):
    analysis = analyse(plant(own=(1.5, 1.0), runs=3))
    grid = grid_of(analysis)
    found = calibrations_of(analysis, grid)
    assert [(c.dataset, c.training_set, c.tested) for c in found] == [
        (task, trained, tested)
        for task in ("easy", "medium")
        for trained in ("GE", "Siemens")
        for tested in ("GE", "Siemens")
    ]
    for one in found:
        scores = grid.cell(one.dataset, one.training_set).test.of_levels({one.tested})
        fits = [
            LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(run)[:, None], scores.labels)
            for run in scores.values
        ]
        assert one.intercept.mean == pytest.approx(np.mean([fit.intercept_[0] for fit in fits]), abs=1e-3)
        assert one.slope.mean == pytest.approx(np.mean([fit.coef_[0, 0] for fit in fits]), abs=1e-3)
        assert one.slope.low < one.slope.mean < one.slope.high
        assert (one.slope.models, one.slope.exams) == (3, 40)


def test_scores_too_high_on_one_level_have_an_intercept_below_zero_there(plant):
    def change(row):
        return float(expit(logit(row.score) + (2.0 if row.level == "Siemens" else 0.0)))

    analysis = analyse(rescored(plant(own=(1.0,), exams=300, runs=3), change))
    found = {c.tested: c for c in calibrations_of(analysis, grid_of(analysis)) if c.training_set == "GE"}
    assert found["Siemens"].intercept.high < -1
    assert found["GE"].intercept.holds(0.0)


def test_a_cell_at_the_ceiling_or_with_a_run_that_separates_the_classes_has_no_row(plant):
    analysis = analyse(plant(own=(30, 1.0)))
    assert {c.dataset for c in calibrations_of(analysis, grid_of(analysis))} == {"medium"}
    results = plant(own=(1.0,), runs=3)
    first, *others = results.cells
    sure = tuple(
        row.model_copy(update={"score": 0.3 + 0.4 * row.label}) if row.level == "GE" else row
        for row in first.predictions[0]
    )
    first = replace(first, predictions={**first.predictions, 0: sure})
    analysis = analyse(replace(results, cells=(first, *others)))
    found = [(c.training_set, c.tested) for c in calibrations_of(analysis, grid_of(analysis))]
    assert found == [("GE", "Siemens"), ("Siemens", "GE"), ("Siemens", "Siemens")]


def test_only_the_first_group_has_rows(plant):
    analysis = analyse(plant(own=(1.0,), groups=2))
    assert len(calibrations_of(analysis, grid_of(analysis))) == 4
