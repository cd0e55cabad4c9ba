"""What else the numbers say: each sentence, its numbers, and when it is left out."""

import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import fisher_exact

from nameplate_evaluation.advantage import advantage_of, advantages_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.claim import main_grid
from nameplate_evaluation.findings import findings_of
from nameplate_evaluation.mixing import gains_of
from nameplate_evaluation.table import interval, printed
from nameplate_evaluation.threshold import transfers_of

SETTINGS = {"own": (30, 2.5, 2), "other": (20, 1.5, 0.5), "twins": True, "machine": 0.5, "runs": 3}


def findings(results):
    """The analysis, its main grid, and the sentences."""
    analysis = analyse(results)
    advantages = advantages_of(analysis, analysis.study)
    return analysis, main_grid(analysis), findings_of(analysis, main_grid(analysis), advantages)


def the(lines, start):
    (line,) = [line for line in lines if line.startswith(start)]
    return line


@pytest.fixture(scope="module")
def found(plant):
    return findings(plant(**SETTINGS, training_sets=["mixed", "GE", "Siemens"]))


def test_the_advantage_by_task_is_said_with_its_interval_or_why_there_is_none(found):
    analysis, grid, lines = found
    for metric, words in (("auroc", "AUROC"), ("accuracy", "accuracy")):
        by_task = advantage_of(analysis, grid, metric).by_task
        line = the(lines, f"By task the advantage in {words} is ")
        for task, estimate in by_task.items():
            assert f"{printed(estimate.mean, 'points')} on {task} ({interval(estimate, 'points')})" in line
    assert "on easy (at the ceiling)" in line


def test_difficulty_by_itself_is_that_of_mixed_training(found):
    _, grid, lines = found
    values = [
        printed(grid.measured(task, "mixed", "mixed", "auroc").mean, "percent")
        for task in ("easy", "medium", "hard")
    ]
    line = the(lines, "Difficulty by itself")
    assert line.endswith(f"AUROC {values[0]} % on easy, {values[1]} % on medium, {values[2]} % on hard.")


def test_difficulty_may_come_from_another_experiment_on_the_same_cohort(plant):
    more = [{"name": "other", "cohorts": ["study"], "training_sets": ["mixed"]}]
    _, _, lines = findings(plant(own=(3, 2), other=(2, 1), more=more))
    assert the(lines, "Difficulty by itself")
    _, _, lines = findings(plant(own=(3, 2), other=(2, 1)))
    assert not any(line.startswith("Difficulty") for line in lines)


def test_what_a_carried_threshold_loses_is_the_mean_over_tasks_and_training_sets(found):
    analysis, grid, lines = found
    transfers = transfers_of(analysis, grid)
    lost = printed(np.mean([one.lost.mean for one in transfers]), "spread")
    returned = printed(np.mean([one.returned.mean for one in transfers]), "spread")
    assert the(lines, "Carried to the other manufacturer") == (
        f"Carried to the other manufacturer, a threshold of 90 % specificity loses {lost} points of accuracy"
        f" on average over tasks and training sets; {returned} come back with a threshold of that"
        " manufacturer's own."
    )


def test_what_mixing_gains_is_said_with_the_exams_of_a_run(found):
    analysis, grid, lines = found
    gain = printed(np.mean([one.estimate.mean for one in gains_of(analysis, grid)]), "points")
    assert the(lines, "Against training on") == (
        f"Against training on 180 exams of one manufacturer, mixed training gains {gain} points with 180"
        " exams (mixed)."
    )


def test_flips_are_said_for_twins_alone(found, plant):
    _, _, lines = found
    assert re.match(
        r"The machine alone changed \S+ % of the easy answers(?: \(\S+ to \S+\))?, ",
        the(lines, "The machine alone"),
    )
    _, _, lines = findings(plant(own=(2.0,), runs=2))
    assert not any("machine alone" in line for line in lines)


def with_convergence(results, ge, siemens):
    """The study's cells with so many (converged, trained) runs, by the level trained on."""
    cells = []
    for cell in results.cells:
        converged, trained = {"GE": ge, "Siemens": siemens}.get(cell.cell.training_set, (1, 1))
        selection = cell.selection.model_copy(update={"converged": converged, "trained": trained})
        cells.append(replace(cell, rounds=(selection,)))
    return replace(results, cells=tuple(cells))


def test_convergence_is_compared_between_the_levels(plant):
    results = plant(own=(2.0, 1.0), runs=2, training_sets=["mixed", "GE", "Siemens"])
    _, _, lines = findings(with_convergence(results, (9, 10), (3, 10)))
    p = fisher_exact([[18, 2], [6, 14]]).pvalue
    assert the(lines, "Runs converged") == (
        f"Runs converged: 18 of 20 on GE, 6 of 20 on Siemens alone (Fisher's exact p {printed(p, 'p')})."
    )
    _, _, lines = findings(with_convergence(results, (10, 10), (10, 10)))
    assert the(lines, "Runs converged") == "Runs converged: 20 of 20 on GE, 20 of 20 on Siemens alone."
    (few,) = [c for c in results.cells if c.key[1:4] == ("study", "easy", "GE")]
    _, _, lines = findings(replace(results, cells=(few,)))
    assert not any(line.startswith("Runs converged") for line in lines)


def test_naming_is_said_by_group(complete):
    analysis, _, lines = findings(complete)
    (grid,) = analysis.of_task("factor")
    values = [printed(c.measured["mixed", "accuracy"].mean, "percent") for c in grid.cells]
    assert the(lines, "The manufacturer is named") == (
        f"The manufacturer is named from 3 slices with an accuracy of {values[0]} % and {values[1]} % in the"
        " groups of runs."
    )


def test_naming_that_no_run_learned_is_said_with_the_runs_trained(complete):
    cells = []
    for cell in complete.cells:
        if cell.key[:2] == ("naming", "main"):
            selection = cell.selection.model_copy(update={"kept": (), "converged": 0, "trained": 7})
            cell = replace(cell, rounds=(selection,), predictions={})
        cells.append(cell)
    _, _, lines = findings(replace(complete, cells=tuple(cells)))
    assert the(lines, "No run learned") == "No run learned to name the manufacturer (0 of 14 converged)."


def test_segmentation_is_said_in_dice(complete):
    analysis, _, lines = findings(complete)
    (grid,) = analysis.of_task("segmentation")
    estimate = advantage_of(analysis, grid, "dice").overall
    line = the(lines, "In brain segmentation")
    assert f"the advantage is {printed(estimate.mean, 'dice points')} Dice (" in line


def test_nothing_is_said_of_what_is_not_there(complete):
    _, grid, lines = findings(replace(complete, cells=()))
    assert (grid, lines) == (None, ())
    few = tuple(c for c in complete.cells if c.key[:4] == ("spheres", "main", "easy", "mixed"))
    _, grid, lines = findings(replace(complete, cells=few))
    assert grid is not None
    assert lines == ()


def test_no_sentence_makes_a_claim(found):
    words = " ".join(found[2])
    for claim in ("excludes zero", "contains zero", "significant", "evidence", "shown"):
        assert claim not in words
