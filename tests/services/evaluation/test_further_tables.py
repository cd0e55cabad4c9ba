"""Tables of runs, controls, age and sex, and every figure in long form."""

from dataclasses import replace

import pytest

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.control import checks_of
from nameplate_evaluation.further_tables import (
    age_sex_table,
    all_figures_table,
    control_table,
    convergence_table,
)


def rows_of(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


@pytest.fixture(scope="module")
def analysis(complete):
    return analyse(complete)


def test_every_cell_says_how_many_runs_were_trained_converged_and_kept(complete, analysis):
    rows = rows_of(convergence_table(analysis))
    assert len(rows) == len(complete.cells)
    by_cell = {tuple(c.key): c for c in complete.cells}
    for row in rows:
        key = tuple(row[name] for name in ("experiment", "cohort", "task", "training_set"))
        cell = by_cell[(*key, row["group"] - 1)]
        chosen = cell.selection
        assert (row["trained"], row["converged"], row["kept"]) == (
            chosen.trained,
            chosen.converged,
            len(chosen.kept),
        )
        assert row["rate"] == chosen.converged / chosen.trained
        assert row["rounds"] == len(cell.rounds)
    assert {row["finished"] for row in rows} <= {"target met", "limit reached"}


def test_a_cell_that_has_trained_nothing_has_no_rate(plant):
    results = plant(own=(2.0,), runs=2)
    first, *others = results.cells
    none = first.selection.model_copy(
        update={"trained": 0, "converged": 0, "kept": (), "finished": "no", "next_seeds": (0,)}
    )
    first = replace(first, rounds=(none,), predictions={}, runs=())
    row = rows_of(convergence_table(analyse(replace(results, cells=(first, *others)))))[0]
    assert (row["rate"], row["finished"]) == (None, "unfinished")


def test_naming_is_a_share_and_an_advantage_is_in_points_with_what_could_be_found(analysis):
    checks = checks_of(analysis)
    rows = rows_of(control_table(checks))
    for row, check in zip(rows, checks, strict=True):
        naming = check.metric == "naming"
        assert (row["auroc"] is None) == (not naming)
        assert (row["advantage"] is None) == naming
        assert (row["detectable"] is None) == naming
        assert row["verdict"] == check.verdict
        assert (row["role"], row["cohort"], row["experiment"]) == (
            "null control",
            "twins",
            "naming" if naming else "spheres",
        )
    assert rows[2]["detectable"] == checks[2].estimate.detectable


def test_every_figure_is_there_controls_included(analysis):
    rows = rows_of(all_figures_table(analysis))
    assert len(rows) == sum(len(f.measured) for grid in analysis.grids for f in grid.cells)
    assert {row["cohort"] for row in rows} == {"main", "twins"}
    for row in rows:
        assert row["value"].exams == row["exams"]
        assert row["run_share"] is None or 0 <= row["run_share"] <= 1


@pytest.mark.parametrize(("choose_on", "exams_of", "exams"), [("all", "mixed", 20), ("own", "GE", 10)])
def test_validation_figures_say_on_which_exams_they_are(plant, choose_on, exams_of, exams):
    rows = rows_of(all_figures_table(analyse(plant(own=(2.0,), runs=2, choose_on=choose_on))))
    (row,) = [
        r
        for r in rows
        if (r["cohort"], r["training_set"], r["split"], r["metric"]) == ("study", "GE", "val", "auroc")
    ]
    assert (row["exams_of"], row["exams"]) == (exams_of, exams)


def test_age_and_sex_are_compared_before_and_after_matching(analysis):
    rows = rows_of(age_sex_table(analysis))
    assert {(row["cohort"], row["stage"]) for row in rows} == {
        (cohort, f"{stage} matching") for cohort in ("main", "twins") for stage in ("before", "after")
    }
    assert all(row["exams"] > 0 for row in rows)


def test_a_cohort_without_exams_or_members_has_no_ages(plant):
    assert age_sex_table(analyse(plant(own=(2.0,), runs=2))).rows == ()
