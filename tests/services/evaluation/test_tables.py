"""The paper's tables beside ours: counts, naming, spheres, Dice."""

import re
from dataclasses import replace

import pytest

from nameplate_evaluation import tables
from nameplate_evaluation.analysis import analyse


@pytest.fixture(scope="module")
def analysis(complete):
    return analyse(complete)


def rows_of(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


def test_every_exam_is_counted_by_split_level_and_label(complete, analysis):
    rows = rows_of(tables.counts_table(analysis))
    for cohort in complete.cohorts:
        here = [row for row in rows if row["cohort"] == cohort.name]
        assert sum(row["exams"] for row in here) == len(cohort.members)
        assert sum(row["positives"] for row in here) == sum(m.positive for m in cohort.members)
        assert all(row["exams"] == row["positives"] + row["negatives"] for row in here)
    main = {(row["level"], row["split"]): row for row in rows if row["cohort"] == "main"}
    assert (main["GE", "Test"]["exams_paper"], main["GE", "Test"]["positives_paper"]) == (81, 40)
    assert {row["exams_paper"] for row in rows if row["cohort"] == "twins"} == {None}


def test_naming_stands_beside_the_papers_two_ensembles(analysis):
    first, second = rows_of(tables.factor_table(analysis))
    assert (first["group"], second["group"]) == (1, 2)
    assert (first["accuracy_paper"], second["accuracy_paper"]) == (0.9811, 0.9886)
    (grid,) = analysis.of_task("factor")
    assert first["accuracy"].mean == grid.cells[0].measured["mixed", "accuracy"].mean
    assert first["accuracy_GE"].exams == len(grid.cells[0].measured["GE", "accuracy"].exams)


def test_spheres_have_a_table_for_each_training_set(analysis):
    found = tables.sphere_tables(analysis)
    assert [table.name for table in found] == ["spheres-mixed", "spheres-ge", "spheres-siemens"]
    rows = {(row["task"], row["metric"]): row for row in rows_of(found[1])}
    hard = rows["hard", "Accuracy"]
    assert (hard["ge_paper"], hard["siemens_paper"], hard["val_paper"]) == (0.881, 0.679, 0.929)
    (grid,) = analysis.of_task("spheres")
    assert hard["siemens"] == grid.measured("hard", "GE", "Siemens", "accuracy").estimate(0.95)
    assert len(rows) == 12
    assert "on which the runs were chosen: all of them." in found[0].note


def test_where_runs_are_chosen_on_their_own_level_the_note_says_so(plant):
    (first, *_) = tables.sphere_tables(analyse(plant(own=(2.0,), runs=2, choose_on="own")))
    assert "those of the training set's own kind" in first.note


def test_tables_of_two_experiments_come_in_the_papers_order_and_others_last(plant):
    more = [
        {
            "name": "other",
            "cohorts": ["study"],
            "training_sets": ["mixed"],
            "arms": [{"name": "half", "exams": "one-level"}],
        }
    ]
    found = tables.sphere_tables(analyse(plant(own=(2.0,), runs=2, more=more)))
    assert [table.name for table in found] == [
        "spheres-mixed",
        "spheres-ge",
        "spheres-siemens",
        "spheres-half",
    ]
    assert [table.paper for table in found] == [True, True, True, False]


def test_dice_stands_beside_the_papers(analysis):
    rows = {row["training_set"]: row for row in rows_of(tables.dice_table(analysis))}
    assert rows["GE"]["siemens_paper"] == 0.9664
    assert rows["mixed"]["mixed_paper"] == 0.9784
    assert rows["Siemens"]["ge"].exams > 0


def test_runs_are_kept_of_trained(plant):
    results = plant(own=(2.0,), runs=3)
    first, *others = results.cells
    none = first.selection.model_copy(update={"kept": ()})
    results = replace(results, cells=(replace(first, rounds=(none,), predictions={}), *others))
    ge, siemens = tables.sphere_tables(analyse(results))
    assert {row["models"] for row in rows_of(ge)} == {"none of 4"}
    assert {row["ge"] for row in rows_of(ge)} == {None}
    assert {row["models"] for row in rows_of(siemens)} == {"3 of 4"}


def test_another_factor_has_no_numbers_of_the_paper(plant):
    factor = {"name": "kernel", "levels": ["H30s", "SOFT"]}
    analysis = analyse(plant(own=(2.0,), runs=2, factor=factor))
    assert not tables.is_paper(analysis)
    for table in (tables.counts_table(analysis), *tables.sphere_tables(analysis)):
        assert not any(column.published for column in table.columns)


def test_levels_of_any_spelling_have_tables_and_columns_of_their_own(plant):
    analysis = analyse(plant(own=(2.0,), runs=2, factor={"name": "kernel", "levels": ["≥ 3", "< 3"]}))
    names = [table.name for table in tables.sphere_tables(analysis)]
    assert len(set(names)) == len(names) == 2
    assert all(re.fullmatch(r"spheres-[a-z0-9-]+", name) for name in names)
    for table in tables.sphere_tables(analysis):
        columns = [column.key for column in table.columns]
        assert len(set(columns)) == len(columns)
