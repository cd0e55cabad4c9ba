"""Predictions as files that others read: every figure again from the table, and MIDRC's MELODY."""

import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from nameplate_evaluation.analysis import analyse
from nameplate_evaluation.predictions import melody_files, tidy_csv


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


@pytest.fixture(scope="module")
def analysis(complete):
    return analyse(complete)


@pytest.fixture(scope="module")
def tidy(analysis):
    return rows_of(tidy_csv(analysis))


def test_every_prediction_is_one_row_with_all_its_digits(complete, tidy):
    expected = {
        (*map(str, c.key[:4]), str(c.key[4] + 1), str(seed), row.exam): row
        for c in complete.cells
        for seed, rows in c.predictions.items()
        for row in rows
    }
    names = ("experiment", "cohort", "dataset", "training_set", "group", "run", "exam")
    assert len(tidy) == len(expected)
    for row in tidy:
        one = expected[tuple(row[name] for name in names)]
        assert float(row["score"]) == one.score
        assert (row["split"], row["patient"], row["level"]) == (one.split, one.patient, one.level)
        assert int(row["label"]) == one.label
        assert row["difficulty"] == (one.difficulty or "")
        assert (row["radius_mm"] == "") == (one.radius_mm is None)


def test_rows_are_in_the_campaigns_order_then_by_run_split_and_exam(tidy):
    cells = [(row["experiment"], row["cohort"], row["dataset"], row["training_set"]) for row in tidy]
    order = list(dict.fromkeys(cells))
    assert order[0] == ("naming", "main", "original", "mixed")
    assert cells == sorted(cells, key=order.index)
    first = [row for row in tidy if (row["dataset"], row["training_set"]) == ("hard", "GE")]
    places = [(row["cohort"], int(row["run"]), row["split"], row["exam"]) for row in first]
    assert places == sorted(places)
    assert len({run for _, run, _, _ in places}) > 1


def test_runs_that_were_not_kept_are_marked_and_have_validation_exams_alone(plant):
    results = plant(own=(2.0,), runs=3)
    first, *others = results.cells
    only_val = tuple(row for row in first.predictions[2] if row.split == "val")
    selection = first.selection.model_copy(update={"kept": (1, 0)})
    first = replace(first, rounds=(selection,), predictions={**first.predictions, 2: only_val})
    tidy = rows_of(tidy_csv(analyse(replace(results, cells=(first, *others)))))
    of_first = [row for row in tidy if (row["cohort"], row["training_set"]) == ("study", "GE")]
    assert {(row["run"], row["kept"]) for row in of_first} == {("0", "1"), ("1", "1"), ("2", "0")}
    assert {row["split"] for row in of_first if row["kept"] == "0"} == {"val"}


def test_every_auroc_and_accuracy_of_metrics_json_is_found_again_from_predictions_csv(report):
    """With scikit-learn and nothing of ours but the two files."""
    metrics = json.loads(report["metrics.json"])
    scores: dict[tuple, dict[str, list]] = {}
    names = ("experiment", "cohort", "dataset", "training_set", "group")
    for row in rows_of(report["predictions.csv"]):
        if row["kept"] == "1":
            cell = scores.setdefault(tuple(row[name] for name in names), {})
            cell.setdefault(row["run"], []).append(
                (row["split"], row["level"], int(row["label"]), float(row["score"]))
            )
    compared = 0
    for row in metrics["tables"]["all-figures"]:
        if row["metric"] not in ("auroc", "accuracy") or row["value"] is None:
            continue
        runs = scores[*(str(row[name]) for name in names)]
        found = []
        for rows in runs.values():
            chosen = [
                (label, score)
                for split, level, label, score in rows
                if split == row["split"] and row["exams_of"] in ("mixed", level)
            ]
            labels, values = np.array(chosen).T
            if row["metric"] == "auroc":
                found.append(roc_auc_score(labels, values))
            else:
                found.append(np.mean((values >= 0.5) == labels))
        assert row["value"]["mean"] == pytest.approx(np.mean(found), abs=1e-8), row
        assert row["value"]["models"] == len(runs)
        compared += 1
    assert compared > 150


def test_a_table_of_truth_and_one_of_scores_for_each_task_of_each_cohort(analysis):
    names = set(melody_files(analysis))
    assert names == {
        f"melody/{name}-{part}.csv"
        for part in ("truth", "scores")
        for name in (
            *(f"naming-{cohort}-original" for cohort in ("main", "twins")),
            *(
                f"spheres-{cohort}-{task}"
                for cohort in ("main", "twins")
                for task in ("easy", "medium", "hard")
            ),
        )
    }  # segmentation has no truth of two classes


def test_truth_and_scores_hold_every_test_exam_and_every_kept_run(complete, analysis):
    files = melody_files(analysis)
    truth = rows_of(files["melody/spheres-main-hard-truth.csv"])
    scores = rows_of(files["melody/spheres-main-hard-scores.csv"])
    assert [row["case_name"] for row in truth] == [row["case_name"] for row in scores]
    cells = [c for c in complete.cells if c.key[:3] == ("spheres", "main", "hard")]
    expected = [
        f"trained on {cell.key[3]} run {seed}" for cell in cells for seed in sorted(cell.selection.kept)
    ]
    assert list(scores[0]) == ["case_name", *expected]
    for cell in cells:
        for seed in cell.selection.kept:
            of = {row.exam: row for row in cell.predictions[seed] if row.split == "test"}
            assert len(of) == len(truth)
            for known, scored in zip(truth, scores, strict=True):
                row = of[known["case_name"]]
                assert (int(known["truth"]), known["manufacturer"]) == (row.label, row.level)
                assert float(scored[f"trained on {cell.key[3]} run {seed}"]) == row.score


def test_runs_of_groups_have_different_names(analysis):
    header = melody_files(analysis)["melody/naming-main-original-scores.csv"].splitlines()[0].decode()
    columns = header.split(",")
    assert len(set(columns)) == len(columns)
    assert any("group 1" in name for name in columns)
    assert any("group 2" in name for name in columns)


def test_a_run_that_has_not_predicted_has_no_column(complete):
    cells = tuple(
        replace(c, predictions={}) if c.key[:4] == ("spheres", "main", "hard", "GE") else c
        for c in complete.cells
    )
    files = melody_files(analyse(replace(complete, cells=cells)))
    header = files["melody/spheres-main-hard-scores.csv"].splitlines()[0].decode()
    assert "trained on GE" not in header
    assert "trained on Siemens" in header
    none = tuple(c for c in cells if c.key[:3] != ("spheres", "main", "hard"))
    assert "melody/spheres-main-hard-truth.csv" not in melody_files(analyse(replace(complete, cells=none)))


# MELODY's own reader (midrc-melody, Apache-2.0), and what it then compares: sensitivities and false alarms.


@pytest.fixture(scope="module")
def melody(analysis, tmp_path_factory):
    """The matched data of the task Hard, as MELODY loads them."""
    loading = pytest.importorskip(
        "MIDRC_MELODY.common.data_loading",
        reason="needs pandas, and midrc-melody installed without its dependencies",
    )
    folder = tmp_path_factory.mktemp("melody")
    files = melody_files(analysis)
    for part in ("truth", "scores"):
        (folder / f"{part}.csv").write_bytes(files[f"melody/spheres-main-hard-{part}.csv"])
    config = {
        "input data": {
            "truth file": str(folder / "truth.csv"),
            "test scores": str(folder / "scores.csv"),
            "uid column": "case_name",
            "truth column": "truth",
        },
        "numeric_cols": {},
        "min count per category": 10,
        "bootstrap": {"iterations": 10, "seed": 1},
    }
    return loading.build_test_and_demographic_data(config)


def test_melody_matches_every_test_exam(analysis, melody):
    scores = analysis.of_task("spheres")[0].cell("hard", "GE").test
    frame = melody.matched_df.set_index("case_name")
    assert sorted(frame.index) == list(scores.exams)
    assert frame.loc[list(scores.exams), "truth"].tolist() == scores.labels.astype(int).tolist()
    for seed, values in zip(scores.seeds, scores.values, strict=True):
        assert frame.loc[list(scores.exams), f"trained on GE run {seed}"].tolist() == pytest.approx(
            values.tolist(), rel=1e-12
        )


def test_melody_finds_the_factor_as_its_only_category_and_runs_as_its_models(analysis, melody):
    grid = analysis.of_task("spheres")[0]
    runs = sum(len(grid.cell("hard", arm).test.seeds) for arm in ("mixed", "GE", "Siemens"))
    assert melody.categories == ["manufacturer"]
    assert len(melody.test_cols) == runs
    assert all(name.startswith("trained on ") for name in melody.test_cols)
    assert set(melody.valid_groups["manufacturer"]) == {"GE", "Siemens"}
    exams = [len(grid.cell("hard", "GE").test.of_levels({level}).exams) for level in ("GE", "Siemens")]
    assert [melody.valid_groups["manufacturer"][level] for level in ("GE", "Siemens")] == exams


def test_melodys_rates_by_group_are_our_sensitivities_and_specificities(analysis, melody):
    """Equal opportunity difference is one of sensitivities, average odds difference also of false alarms."""
    grid = analysis.of_task("spheres")[0]
    for level, group in melody.matched_df.groupby("manufacturer"):
        for arm in ("mixed", "GE", "Siemens"):
            seeds = grid.cell("hard", arm).test.seeds
            called = group[[f"trained on {arm} run {seed}" for seed in seeds]] >= 0.5
            found = called[group["truth"] == 1].mean(), 1 - called[group["truth"] == 0].mean()
            for rates, metric in zip(found, ("sensitivity", "specificity"), strict=True):
                ours = grid.measured("hard", arm, level, metric).merit.values
                assert rates.tolist() == pytest.approx(ours.tolist())
