"""The numbers for a cluster's monitoring are those of the report, few, and fractions."""

import json
from dataclasses import replace
from typing import Any

import pytest

from nameplate_evaluation.gauges import gauges_of
from nameplate_evaluation.report import build_report
from nameplate_evaluation.results import CampaignResults


@pytest.fixture(scope="module")
def metrics(report: dict[str, bytes]) -> dict[str, Any]:
    return json.loads(report["metrics.json"])


def test_the_answer_and_its_parts_are_told(metrics: dict[str, Any], complete: CampaignResults) -> None:
    gauges = gauges_of(metrics, complete.campaign)
    names = ["advantage_high", "advantage_low", "advantage_mean", "auroc_factor", "auroc_others", "auroc_own"]
    assert sorted(gauges) == names
    answer = metrics["claim"]["auroc"]["advantage"]
    assert [gauges[f"advantage_{part}"] for part in ("low", "mean", "high")] == [
        answer[part] for part in ("low", "mean", "high")
    ]
    # With two levels, each as often own as other, the means differ by the advantage.
    assert gauges["auroc_own"] - gauges["auroc_others"] == pytest.approx(gauges["advantage_mean"], abs=1e-6)
    assert 0.5 < gauges["auroc_others"] < gauges["auroc_own"] < 1


def test_naming_is_that_of_the_study_on_all_its_test_exams(
    metrics: dict[str, Any], complete: CampaignResults
) -> None:
    rows = [
        row["value"]["mean"]
        for row in metrics["tables"]["all-figures"]
        if (row["experiment"], row["cohort"], row["split"]) == ("naming", "main", "test")
        and (row["exams_of"], row["metric"]) == ("mixed", "auroc")
    ]
    assert len(rows) == 2  # of two groups
    assert gauges_of(metrics, complete.campaign)["auroc_factor"] == pytest.approx(sum(rows) / 2)


def test_what_there_is_not_is_left_out(metrics: dict[str, Any], complete: CampaignResults) -> None:
    answer = metrics["claim"]["auroc"]["advantage"] | {"low": None, "high": None}  # one run a cell
    claim = metrics["claim"] | {"auroc": {"advantage": answer}}
    assert "advantage_low" not in gauges_of(metrics | {"claim": claim}, complete.campaign)
    assert set(gauges_of(metrics | {"claim": None}, complete.campaign)) == {"auroc_factor"}
    nothing = metrics | {"claim": None, "tables": {"all-figures": []}}
    assert gauges_of(nothing, complete.campaign) == {}


def test_a_campaign_that_has_trained_nothing_tells_nothing(complete: CampaignResults) -> None:
    empty = json.loads(build_report(replace(complete, cells=()))["metrics.json"])
    assert gauges_of(empty, complete.campaign) == {}
