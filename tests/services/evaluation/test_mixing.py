"""What mixed training gains: with all exams, and with as many as one level has."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.mixing import gains_of

ARMS = [{"name": "as many", "exams": "one-level"}]


@pytest.fixture(scope="module")
def results(plant):
    return plant(
        own=(3.0, 2.5), other=(2.0, 1.5), training_sets=["mixed", "GE", "Siemens"], arms=ARMS, runs=3
    )


def grid_of(analysis):
    (grid,) = analysis.of_task("spheres")
    return grid


def test_gain_is_the_arms_mean_over_the_levels_minus_that_of_the_arms_of_one_level(results):
    analysis = analyse(results)
    grid = grid_of(analysis)
    found = gains_of(analysis, grid)
    assert [(gain.dataset, gain.arm) for gain in found] == [
        (task, arm) for task in ("easy", "medium") for arm in ("mixed", "as many")
    ]
    for gain in found:

        def mean(*arms, task=gain.dataset):
            levels = ("GE", "Siemens")
            return np.mean([grid.measured(task, arm, x, "auroc").mean for arm in arms for x in levels])

        assert gain.estimate.mean == pytest.approx(mean(gain.arm) - mean("GE", "Siemens"))
        assert (gain.estimate.models, gain.estimate.exams) == (9, 80)
    assert found[2].estimate.low < found[2].estimate.mean < found[2].estimate.high


def test_the_exams_of_a_run_stand_beside_the_gain(results):
    exams = {"mixed": 200, "as many": 100, "GE": 90, "Siemens": 110}
    cells = []
    for cell in results.cells:
        runs = [run.model_copy(update={"train_exams": exams[run.cell.training_set]}) for run in cell.runs]
        cells.append(replace(cell, runs=tuple(runs)))
    analysis = analyse(replace(results, cells=tuple(cells)))
    found = {gain.arm: (gain.exams, gain.exams_of_one) for gain in gains_of(analysis, grid_of(analysis))}
    assert found == {"mixed": (200, 100), "as many": (100, 100)}


def test_without_runs_on_record_the_exams_are_not_known(results):
    analysis = analyse(replace(results, cells=tuple(replace(cell, runs=()) for cell in results.cells)))
    assert {(gain.exams, gain.exams_of_one) for gain in gains_of(analysis, grid_of(analysis))} == {
        (None, None)
    }


def test_without_an_arm_of_every_level_there_is_nothing_to_gain_over(plant):
    analysis = analyse(plant(own=(2.0,), training_sets=["mixed", "GE"]))
    assert gains_of(analysis, grid_of(analysis)) == ()


def test_a_task_that_lacks_a_cell_has_no_gain(results):
    gone = ("medium", "Siemens")
    cells = tuple(c for c in results.cells if (c.cell.dataset, c.cell.training_set) != gone)
    analysis = analyse(replace(results, cells=cells))
    assert {gain.dataset for gain in gains_of(analysis, grid_of(analysis))} == {"easy"}
