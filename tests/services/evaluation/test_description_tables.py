"""Tables that describe: which spheres are found, by radius and kind, and one row for each thing found."""

from dataclasses import replace

import numpy as np
import pytest

from nameplate_evaluation import description_tables as module
from nameplate_evaluation.advantage import advantage_of
from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.calibration import calibrations_of
from nameplate_evaluation.curve import curve_of
from nameplate_evaluation.flips import flips_of
from nameplate_evaluation.mixing import gains_of
from nameplate_evaluation.threshold import transfers_of


def rows_of(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, row, strict=True)) for row in table.rows]


@pytest.fixture(scope="module")
def analysis(plant):
    sets = ["mixed", "GE", "Siemens"]
    return analyse(plant(own=(2.5, 1.5), other=(1.8, 0.5), training_sets=sets, twins=True, machine=0.5))


@pytest.fixture(scope="module")
def grids(analysis):
    return analysis.of_task("spheres")


def test_every_thing_found_has_a_row(analysis, grids):
    (grid,) = grids
    pairs = [
        (
            module.threshold_table,
            [(t.own, t.carried, t.lost, t.returned) for t in transfers_of(analysis, grid)],
        ),
        (module.calibration_table, [(c.intercept, c.slope) for c in calibrations_of(analysis, grid)]),
        (module.mixing_table, [(g.exams, g.exams_of_one, g.estimate) for g in gains_of(analysis, grid)]),
        (module.flips_table, [(f.share,) for f in flips_of(analysis, grid)]),
    ]
    for table_of, expected in pairs:
        table = table_of(analysis, grids)
        assert expected
        assert [row[-len(expected[0]) :] for row in table.rows] == expected
        assert {row[0] for row in table.rows} == {"study"}


def test_the_mean_over_training_sets_of_twins_is_named(analysis, grids):
    rows = rows_of(module.flips_table(analysis, grids))
    assert [row["training_set"] for row in rows[:4]] == ["one each, mean", "mixed", "GE", "Siemens"]


def test_the_share_of_the_threshold_is_in_the_title(plant):
    analysis = analyse(plant(own=(2.0,), runs=2, analysis={"specificity": 0.75}))
    table = module.threshold_table(analysis, analysis.of_task("spheres"))
    assert table.title.startswith("A threshold of 75 % specificity")


def test_the_curve_has_a_row_for_each_task(plant):
    analysis = analyse(plant(own=(3,) * 6, other=(3, 2.8, 2.5, 2, 1.5, 1), runs=2))
    (grid,) = analysis.of_task("spheres")
    curve = curve_of(analysis, advantage_of(analysis, grid, "auroc"))
    rows = rows_of(module.curve_table((curve,)))
    assert [row["x"] for row in rows] == list(curve.x)
    assert [row["fit"] for row in rows] == curve.fit.tolist()
    assert [row["advantage"] for row in rows] == list(curve.advantage.by_task.values())
    assert {row["axis"] for row in rows} == {"radius, mm"}


def with_radii(results, radius_of):
    """The results with the radius of each positive given by its place among them."""
    cells = []
    for cell in results.cells:
        predictions = {
            seed: tuple(
                row.model_copy(update={"radius_mm": radius_of(int(row.exam[-3:])) if row.label else None})
                for row in rows
            )
            for seed, rows in cell.predictions.items()
        }
        cells.append(replace(cell, predictions=predictions))
    return replace(results, cells=tuple(cells))


@pytest.mark.parametrize(
    ("radius_of", "bins"),
    [
        (lambda n: 13.0 + n % 8 / 2, ["13–14", "14–15", "15–16", "16–17"]),
        (lambda n: 13.0 if n % 4 else 17.0, ["13–14", "17–18"]),  # the largest is one, too
        (lambda n: 15.0, ["15–16"]),
        (lambda n: 10.0 + n % 20, ["10–14", "14–18", "18–22", "22–26", "26–30"]),
    ],
)
def test_every_sphere_is_in_one_bin_of_its_radius(plant, radius_of, bins):
    results = with_radii(plant(own=(1.0,), other=(0.2,), runs=2, exams=80), radius_of)
    analysis = analyse(results)
    rows = rows_of(module.radius_table(analysis, analysis.of_task("spheres")))
    assert [row["radius_mm"] for row in rows] == bins
    assert sum(row["exams"] for row in rows) == 80  # positives of both levels


def test_sensitivity_by_radius_is_on_the_own_level_and_on_the_others(plant):
    results = with_radii(plant(own=(2.0,), other=(0.2,), runs=2, exams=80), lambda n: 13.0 + n % 8 / 2)
    analysis = analyse(results)
    first = rows_of(module.radius_table(analysis, analysis.of_task("spheres")))[0]

    def rate(same):
        found = []
        for cell in results.cells:
            if cell.cell.cohort != "study":
                continue
            for rows in cell.predictions.values():
                found.append(
                    np.mean(
                        [
                            row.score >= 0.5
                            for row in rows
                            if row.split == "test"
                            and row.radius_mm is not None
                            and 13 <= row.radius_mm < 14
                            and (row.level == cell.cell.training_set) == same
                        ]
                    )
                )
        return np.mean(found)

    assert first["own"].mean == pytest.approx(rate(True))
    assert first["other"].mean == pytest.approx(rate(False))
    assert first["difference"].mean == pytest.approx(rate(True) - rate(False))


def test_a_bin_without_a_sphere_of_every_level_has_no_row(plant):
    results = plant(own=(1.0,), runs=2)
    analysis = analyse(with_radii(results, lambda n: 15.0))
    assert len(module.radius_table(analysis, analysis.of_task("spheres")).rows) == 1
    cells = []
    for cell in with_radii(results, lambda n: 15.0).cells:
        predictions = {
            seed: tuple(
                row.model_copy(update={"radius_mm": 20.0}) if row.level == "GE" and row.label else row
                for row in rows
            )
            for seed, rows in cell.predictions.items()
        }
        cells.append(replace(cell, predictions=predictions))
    analysis = analyse(replace(results, cells=tuple(cells)))
    assert module.radius_table(analysis, analysis.of_task("spheres")).rows == ()


def test_without_radii_or_without_both_training_sets_there_are_no_bins(plant):
    none = analyse(with_radii(plant(own=(1.0,), runs=2), lambda n: None))
    assert module.radius_table(none, none.of_task("spheres")).rows == ()
    one = analyse(plant(own=(1.0,), runs=2, training_sets=["mixed", "GE"]))
    assert module.radius_table(one, one.of_task("spheres")).rows == ()


def test_sensitivity_by_kind_of_sphere_has_a_column_for_each_training_set(complete):
    analysis = analyse(complete)
    (grid,) = analysis.of_task("spheres")
    rows = {(row["task"], row["sphere"]): row for row in rows_of(module.sensitivity_table(analysis))}
    assert set(rows) == {
        ("easy", "easy"),
        ("medium", "easy"),
        ("medium", "medium"),
        ("hard", "easy"),
        ("hard", "hard"),
    }
    hard = rows["hard", "hard"]
    measured = grid.cell("hard", "GE").measured["mixed", "sensitivity of hard"]
    assert hard["trained_on_ge"] == measured.estimate(0.95)
    assert hard["exams"] == len(measured.exams)
    assert hard["radius_mm"] == "13–17"
