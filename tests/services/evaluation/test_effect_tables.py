"""Tables of the training set's effect: what stands in which column, of study and controls."""

import pytest

from nameplate_evaluation.advantage import advantage_of, advantages_of, gaps_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.effect_tables import advantage_table, best_table, gap_table


def rows_of(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


@pytest.fixture(scope="module")
def analysis(plant):
    controls = {"null-control": 0.0, "positive-control": 1.0}
    return analyse(plant(own=(3.4, 2.6, 2.2), other=(2.6, 2.0, 0.8), runs=5, controls=controls))


@pytest.fixture(scope="module")
def advantages(analysis):
    return advantages_of(analysis, analysis.grids)


def test_study_and_controls_have_a_row_for_each_task_for_all_and_for_the_growth(analysis, advantages):
    rows = rows_of(advantage_table(analysis, advantages))
    tasks = ["easy", "medium", "hard", "all tasks", "first to last"]
    assert [(row["role"], row["task"]) for row in rows] == [
        (role, task) for role in ("study", "null control", "positive control") for task in tasks
    ]
    (grid,) = analysis.of_task("spheres")
    found = {metric: advantage_of(analysis, grid, metric) for metric in ("auroc", "probit", "accuracy")}
    for metric, advantage in found.items():
        expected = [*advantage.by_task.values(), advantage.overall, advantage.growth]
        assert [row[metric] for row in rows[:5]] == expected
    overall = found["auroc"].overall
    assert (rows[3]["p"], rows[3]["run_share"], rows[3]["detectable"]) == (
        overall.p,
        overall.run_share,
        overall.detectable,
    )


def test_the_papers_advantage_stands_beside_the_studys_and_no_controls(analysis, advantages):
    rows = rows_of(advantage_table(analysis, advantages))
    assert [row["auroc_paper"] for row in rows[:4]] == pytest.approx([0.031, 0.051, 0.114, 0.196 / 3])
    assert rows[2]["accuracy_paper"] == pytest.approx(0.136)
    assert rows[4]["probit_paper"] == pytest.approx(0.17, abs=0.03)
    assert {row["auroc_paper"] for row in rows[5:]} == {None}


def test_choosing_the_best_runs_stands_beside_all_of_them(analysis, advantages):
    studied = tuple(one for one in advantages if analysis.role(one.grid.cohort) == "study")
    rows = rows_of(best_table(analysis, studied))
    assert [(row["metric"], row["runs"], row["count"]) for row in rows] == [
        ("AUROC", "all that converged", 30),
        ("AUROC", "best 3 of each cell", 18),
        ("accuracy", "all that converged", 30),
        ("accuracy", "best 3 of each cell", 18),
    ]
    (grid,) = analysis.of_task("spheres")
    best = advantage_of(analysis, grid, "auroc", best=3)
    assert (rows[1]["advantage"], rows[1]["growth"]) == (best.overall, best.growth)


def test_where_no_cell_has_more_runs_than_wanted_there_is_nothing_to_choose(plant):
    analysis = analyse(plant(own=(2.0, 1.0), runs=3))
    assert best_table(analysis, advantages_of(analysis, analysis.study)).rows == ()


def test_gaps_stand_beside_the_papers(analysis):
    (grid,) = analysis.of_task("spheres")
    gaps = gaps_of(analysis, grid)
    rows = rows_of(gap_table(analysis, gaps))
    assert [(row["task"], row["training_set"]) for row in rows] == [
        (gap.dataset, gap.training_set) for gap in gaps
    ]
    assert {row["pair"] for row in rows} == {"GE \u2212 Siemens"}
    hard = rows[4]
    assert hard["accuracy_gap_paper"] == pytest.approx(0.881 - 0.679)
    assert hard["auroc_gap_paper"] == pytest.approx(0.957 - 0.784)
    assert (hard["auroc_gap"], hard["p_holm"]) == (gaps[4].by_metric["auroc"], gaps[4].p_holm)
    assert hard["p"] == gaps[4].by_metric["auroc"].p
