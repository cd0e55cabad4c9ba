"""The same table in fairlearn, MELODY and here: equal point estimates."""

import itertools

import pytest
from drawn_scores import drawn_rows, write_csv

from nameplate_evaluation.audit.assembly import Reading, assembled
from nameplate_evaluation.audit.audit import audited
from nameplate_evaluation.audit.raw_table import read_table
from nameplate_evaluation.audit.settings import AuditSettings

_ROWS = drawn_rows(500, gap=0.8, seed=9)


@pytest.fixture(scope="module")
def frame():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(_ROWS)


@pytest.fixture
def ours(csv_of):
    table, _ = assembled([read_table(csv_of(_ROWS))], None, Reading(roles={}))
    return audited(table, AuditSettings()).networks[0]


@pytest.mark.filterwarnings("ignore")
def test_fairlearns_metric_frame_and_differences(frame, ours):
    fairlearn = pytest.importorskip("fairlearn.metrics")
    sklearn = pytest.importorskip("sklearn.metrics")
    called = (frame["score"] >= 0.5).astype(int)
    groups = {"sensitive_features": frame["manufacturer"]}
    by_group = fairlearn.MetricFrame(
        metrics={
            "accuracy": sklearn.accuracy_score,
            "sensitivity": fairlearn.true_positive_rate,
            "specificity": fairlearn.true_negative_rate,
        },
        y_true=frame["label"],
        y_pred=called,
        **groups,
    ).by_group
    for of in ours.main.of_level:
        rows = frame[frame["manufacturer"] == of.level]
        for metric in ("accuracy", "sensitivity", "specificity"):
            assert of.values[metric].mean == pytest.approx(by_group.loc[of.level, metric], abs=1e-9)
        area = sklearn.roc_auc_score(rows["label"], rows["score"])
        assert of.values["auroc"].mean == pytest.approx(area, abs=1e-9)
    odds = ours.main.odds
    largest = fairlearn.equalized_odds_difference(frame["label"], called, **groups)
    assert odds.equalized_odds == pytest.approx(largest, abs=1e-9)
    opportunity = fairlearn.equal_opportunity_difference(frame["label"], called, **groups)
    assert odds.equal_opportunity == pytest.approx(opportunity, abs=1e-9)


def test_melodys_equal_opportunity_and_average_odds(ours, tmp_path):
    """MELODY's own definitions on the data as its reader loads them; its bootstrap is left out."""
    loading = pytest.importorskip(
        "MIDRC_MELODY.common.data_loading",
        reason="needs pandas, and midrc-melody installed without its dependencies",
    )
    keys = ("exam", "label", "manufacturer")
    names = {"exam": "case_name", "label": "truth"}
    truth = [{names.get(key, key): row[key] for key in keys} for row in _ROWS]
    scores = [{"case_name": row["exam"], "AI": row["score"]} for row in _ROWS]
    config = {
        "input data": {
            "truth file": str(write_csv(tmp_path / "truth.csv", truth)),
            "test scores": str(write_csv(tmp_path / "scores.csv", scores)),
            "uid column": "case_name",
            "truth column": "truth",
        },
        "numeric_cols": {},
        "min count per category": 10,
        "bootstrap": {"iterations": 10, "seed": 1},
    }
    data = loading.build_test_and_demographic_data(config)
    table, roles = assembled(
        [read_table(tmp_path / "truth.csv"), read_table(tmp_path / "scores.csv")], None, Reading(roles={})
    )
    assert roles.lines == ["exam = case_name (guessed)", "label = truth (guessed)", "score = AI (guessed)"]
    found = audited(table, AuditSettings()).networks[0]
    rates = {}
    for level, group in data.matched_df.groupby("manufacturer"):
        positive = group["truth"] == 1
        called = group["AI"] >= 0.5
        rates[level] = called[positive].mean(), called[~positive].mean()
    for of in found.main.of_level:
        assert of.values["sensitivity"].mean == pytest.approx(rates[of.level][0], abs=1e-9)
        assert 1 - of.values["specificity"].mean == pytest.approx(rates[of.level][1], abs=1e-9)
    pairs = list(itertools.combinations(rates.values(), 2))
    eod = max(abs(a[0] - b[0]) for a, b in pairs)
    aaod = max(0.5 * (abs(a[0] - b[0]) + abs(a[1] - b[1])) for a, b in pairs)
    assert found.main.odds.equal_opportunity == pytest.approx(eod, abs=1e-9)
    assert found.main.odds.average_odds == pytest.approx(aaod, abs=1e-9)
    signed = {
        (gap.first, gap.second): gap.estimate.mean for gap in found.main.gaps if gap.metric == "sensitivity"
    }
    for (first, second), value in signed.items():
        assert value == pytest.approx(rates[first][0] - rates[second][0], abs=1e-9)
    assert found.main.odds == ours.main.odds
